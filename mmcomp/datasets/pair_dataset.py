"""PairDataset: the pairs of a table, or of one subset of a split of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset

from mmcomp.columns import APEX, CLASSES, ID, LABEL, ONSET, SUBJECT
from mmcomp.config import alignment_of
from mmcomp.registry import DATASETS, TASK_UTILS, TRANSFORMS

from .controls import CONTROLS, SHUFFLED_LABELS, control_pair, shuffle_labels
from .epoch_seed import EpochSeed
from .image_store import Decoded, ImagePair, decode_images, decode_once
from .pair_table import person_of, read_pair_table
from .splits import SUBSETS, Assignment, SubjectSplit
from .transforms import DECODED, LoadPair, SharedRandomTransforms
from .wrappers import base_datasets

CACHES = ('ram', 'none')


@DATASETS.register_module()
class PairDataset(BaseDataset):
    """Pairs of an onset and an apex image, from a pair table.

    The whole table is read and checked, and every image decoded once, when the
    dataset is built, so that bad data are found before training starts.

    Args:
        ann_file (str): The pair table, a CSV or an OpenMMLab 2.0 JSON file; see
            :mod:`mmcomp.datasets.pair_table`.
        split (dict | SubjectSplit, optional): A split by subject. Defaults to None,
            which allows only the subset 'all'.
        subset (str): 'train', 'val' or 'test' of the split, or 'all'.
        metainfo (dict, optional): ``classes`` replaces posed and spontaneous.
        data_root (str): Folder that a relative ``ann_file`` starts from.
        data_prefix (dict): ``img_path`` is the folder that relative image paths start
            from. Defaults to the folder of the table.
        pipeline (list): Transforms; the first loads the pair (:class:`LoadPair`).
            Unless one of them resizes, all images of the table must be of one size.
        cache (str): 'ram' keeps all decoded images of the table in memory, shared by
            the datasets of a process; 'none' reads them each time.
        control (str, optional): Change the pairs to see what a result depends on:
            'onset-only' or 'apex-only' show that image twice, 'swapped' exchanges
            both, 'shuffled-labels' permutes labels among the pairs of each subject.
            See :mod:`mmcomp.datasets.controls`.
        indices (int | Sequence[int], optional): Use only the first so many pairs of the
            subset, or those of these numbers, as for a trial run.
        test_mode (bool): As in :class:`mmengine.dataset.BaseDataset`.

    Raises:
        PairTableError: Listing all faults of the table, each with its line.
        ValueError: For an impossible split, an empty subset or an unknown option.
    """

    METAINFO = dict(classes=CLASSES)

    def __init__(
        self,
        ann_file: str,
        split: dict | SubjectSplit | None = None,
        subset: str = 'all',
        metainfo: dict | None = None,
        data_root: str = '',
        data_prefix: dict | None = None,
        pipeline: Sequence = (),
        cache: str = 'ram',
        control: str | None = None,
        indices: int | Sequence[int] | None = None,
        test_mode: bool = False,
    ) -> None:
        for name, value, allowed in (
            ('subset', subset, (*SUBSETS, 'all') if split else ('all',)),
            ('cache', cache, CACHES),
            ('control', control, (None, *CONTROLS)),
        ):
            if value not in allowed:
                without = 'without a split ' * (name == 'subset' and not split)
                one_of = 'one of ' * (len(allowed) > 1)
                raise ValueError(
                    f'{name} is {value!r}; {without}it must be {one_of}'
                    f'{", ".join(map(repr, allowed))}'
                )
        self.split: SubjectSplit | None = (
            TASK_UTILS.build(split) if isinstance(split, dict) else split
        )
        self.subset = subset
        self.cache, self.control = cache, control
        self.assignment: Assignment | None = None
        self.epoch_seed: EpochSeed | None = None  # of loader processes
        self._images: dict[str, ImagePair] = {}
        #: Height and width of all images; None where a transform resizes them.
        self.image_size: tuple[int, int] | None = None
        super().__init__(
            ann_file=ann_file,
            metainfo=metainfo,
            data_root=data_root,
            data_prefix=data_prefix or {},
            # Built here, as mmengine's Compose knows mmcomp only inside a Runner.
            pipeline=[
                TRANSFORMS.build(t) if isinstance(t, dict) else t for t in pipeline
            ],
            indices=indices,
            test_mode=test_mode,
            # Serialising collects garbage for a third of a second and unpickles each
            # row again; rows are small.
            serialize_data=False,
        )

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subjects of these pairs, sorted."""
        return tuple(sorted({data[SUBJECT] for data in self.data_list}))

    @property
    def CLASSES(self) -> tuple[str, ...]:
        """Names of the classes, where MMPretrain's tools look for them."""
        return tuple(self.metainfo['classes'])

    @property
    def people(self) -> tuple[str, ...]:
        """The subjects with their databases, as other tables may have the same ids."""
        return tuple(sorted({person_of(data) for data in self.data_list}))

    def load_data_list(self) -> list[dict]:
        """Read, check and split the table; decode the images.

        Returns:
            list[dict]: A row for each pair of the subset, with ``gt_label``.

        Raises:
            ValueError: If a table, an image or a split is not usable.
        """
        classes = tuple(self.metainfo['classes'])
        rows = read_pair_table(self.ann_file, classes, self.data_prefix.get('img_path'))
        chosen = list(range(len(rows)))
        if self.split is not None:
            self.assignment = self.split.assign([row[SUBJECT] for row in rows])
            if self.subset != 'all':
                wanted = set(self.assignment[self.subset])
                chosen = [i for i in chosen if rows[i][SUBJECT] in wanted]
        if not chosen:
            raise ValueError(
                f'subset {self.subset!r} of {self.ann_file!r} is empty: {self.split!r} '
                'gives it no subject'
            )
        labels = {name: index for index, name in enumerate(classes)}
        data_list = [dict(rows[i], gt_label=labels[rows[i][LABEL]]) for i in chosen]
        if self.subset == 'train' and len({d['gt_label'] for d in data_list}) < 2:
            raise ValueError(
                f'the training subset of {self.ann_file!r} holds only the class '
                f'{data_list[0][LABEL]!r}; at least two are needed'
            )
        images, self.image_size = self._decode(rows)
        if self.cache == 'ram' and self.pipeline.transforms:
            self._images = {rows[i][ID]: images[i] for i in chosen}
        self._apply_control(data_list)
        return data_list

    def get_data_info(self, idx: int) -> dict:
        """Return one row, to which transforms may add, but whose columns stay.

        ``img_path`` is the apex, for tools of MMPretrain that show one image.
        """
        data = self.data_list[idx]
        return dict(data, sample_idx=idx % len(self.data_list), img_path=data[APEX])

    def prepare_data(self, idx: int) -> dict:
        """Run the pipeline on one pair, from memory if its images are kept there."""
        if self.epoch_seed is not None:
            self.epoch_seed.apply()
        data = self.get_data_info(idx)
        if self._images:
            data[DECODED] = tuple(image.copy() for image in self._images[data[ID]])
        return self.pipeline(data)

    def get_cat_ids(self, idx: int) -> list[int]:
        """Return the class index of one pair, for ClassBalancedDataset."""
        return [self.get_data_info(idx)['gt_label']]

    def get_gt_labels(self) -> np.ndarray:
        """Return the class index of every pair, shape ``(N,)``."""
        return np.array([self.get_data_info(i)['gt_label'] for i in range(len(self))])

    def _copy_without_annotation(self, memo: dict | None = None) -> 'PairDataset':
        # MMEngine's default is one memo for all calls, where an old object may have the
        # id of a new one: get_subset then gave a copy with parts of another dataset.
        return super()._copy_without_annotation({} if memo is None else memo)

    def _decode(self, rows: list[dict]) -> Decoded:
        transforms = self.pipeline.transforms
        loader = transforms[0] if transforms else LoadPair()
        if not isinstance(loader, LoadPair):
            if self.cache == 'ram':
                raise ValueError(
                    f"the first transform is {loader!r}; with cache='ram' it must be "
                    'LoadPair'
                )
            loader = LoadPair()
        one_size = not any(map(_resizes, transforms))
        if self.cache == 'none':
            return decode_images(self.ann_file, rows, loader.load, False, one_size)
        return decode_once(self.ann_file, rows, loader, one_size)

    def _apply_control(self, data_list: list[dict]) -> None:
        """Apply ``control`` to the rows and to the images in memory alike."""
        if self.control == SHUFFLED_LABELS:
            labels = [data['gt_label'] for data in data_list]
            subjects = [data[SUBJECT] for data in data_list]
            for data, label in zip(data_list, shuffle_labels(labels, subjects)):
                data['gt_label'] = label
        for data in data_list:
            paths = data[ONSET], data[APEX]
            data[ONSET], data[APEX] = control_pair(paths, self.control)
        for sample_id, images in self._images.items():
            self._images[sample_id] = control_pair(images, self.control)


def _resizes(transform) -> bool:
    """Return whether a transform, or one within it, is named after resizing."""
    if isinstance(transform, SharedRandomTransforms):
        return any(map(_resizes, transform.transforms.transforms))
    return 'Resize' in type(transform).__name__


def check_alignment(dataset: Any, cfg: Mapping[str, Any]) -> None:
    """Check that images are as large as the aligned faces of a config.

    Args:
        dataset: A :class:`PairDataset`, or a wrapper of one or several.
        cfg: The config; without ``alignment`` images of any one size will do.

    Raises:
        ValueError: Naming an image, its size and the size that is expected.
    """
    if 'alignment' not in cfg:
        return
    side = alignment_of(cfg)['size']
    for base in base_datasets(dataset):
        found = getattr(base, 'image_size', None)
        if found in (None, (side, side)):
            continue
        row = base.get_data_info(0)
        raise ValueError(
            f'size of the images of {base.ann_file!r} is {found[0]}x{found[1]} pixels '
            f'(sample {row[ID]!r}: {row[ONSET]}); it must be {side}x{side}, as in '
            "'alignment' of the config: align the faces (mmcomp prepare)"
        )
