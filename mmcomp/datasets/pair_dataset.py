"""PairDataset: a pair table, one subset of one split of it."""

import os
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from mmengine.dataset import BaseDataset

from mmcomp.columns import APEX, CLASSES, ID, LABEL, ONSET, SUBJECT
from mmcomp.registry import DATASETS, TASK_UTILS, TRANSFORMS

from .controls import CONTROLS
from .pair_table import PLACE, decode_images, read_pair_table
from .splits import SUBSETS, Assignment
from .transforms import LoadPair

CACHES = ('ram', 'none')


@DATASETS.register_module()
class PairDataset(BaseDataset):
    """Pairs of an onset and an apex image, from a pair table.

    The whole table is read and checked, and every image decoded once, when the
    dataset is built: bad data ends before training starts.

    Args:
        ann_file (str): The pair table, a CSV or an OpenMMLab 2.0 JSON file; see
            :mod:`mmcomp.datasets.pair_table`.
        split (dict | SubjectSplit, optional): A split by subject. Defaults to None,
            which leaves only the subset 'all'.
        subset (str): 'train', 'val' or 'test' of the split, or 'all'.
        metainfo (dict, optional): ``classes`` replaces posed and spontaneous.
        data_root (str): Folder that a relative ``ann_file`` starts from.
        data_prefix (dict): ``img_path`` is the folder that relative image paths start
            from. Defaults to the folder of the table.
        pipeline (list): Transforms; the first loads the pair (:class:`LoadPair`).
        cache (str): 'ram' keeps all decoded images of the table in memory, shared by
            the datasets of a process; 'none' reads them each time.
        control (str, optional): Spoil the pairs to see whether a result rests on them:
            'onset-only' or 'apex-only' give that image twice, 'swapped' exchanges
            both, 'shuffled-labels' permutes labels among the pairs of each subject.
        test_mode (bool): As in :class:`mmengine.dataset.BaseDataset`.

    Raises:
        PairTableError: Listing all faults of the table, each with its line.
        ValueError: For an impossible split, an empty subset or an unknown option.
    """

    METAINFO = dict(classes=CLASSES)

    def __init__(
        self,
        ann_file: str,
        split: dict | object | None = None,
        subset: str = 'all',
        metainfo: dict | None = None,
        data_root: str = '',
        data_prefix: dict | None = None,
        pipeline: Sequence = (),
        cache: str = 'ram',
        control: str | None = None,
        test_mode: bool = False,
    ) -> None:
        for name, value, allowed in (
            ('subset', subset, (*SUBSETS, 'all') if split else ('all',)),
            ('cache', cache, CACHES),
            ('control', control, (None, *CONTROLS)),
        ):
            if value not in allowed:
                raise ValueError(
                    f'{name} is {value!r}; allowed are {", ".join(map(repr, allowed))}'
                    + (' without a split' if name == 'subset' and not split else '')
                )
        if isinstance(split, dict):
            split = TASK_UTILS.build(split)
        self.split, self.subset = split, subset
        self.cache, self.control = cache, control
        self.assignment: Assignment | None = None
        self._images: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        super().__init__(
            ann_file=ann_file,
            metainfo=metainfo,
            data_root=data_root,
            data_prefix=data_prefix or {},
            # Built here, as mmengine's Compose knows mmcomp only inside a Runner.
            pipeline=[
                TRANSFORMS.build(t) if isinstance(t, dict) else t for t in pipeline
            ],
            test_mode=test_mode,
            # Serialising collects garbage for a third of a second and unpickles each
            # row again; rows are small.
            serialize_data=False,
        )

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subjects of this subset, sorted."""
        return self._subjects

    def load_data_list(self) -> list[dict]:
        """Read, check and split the table; decode the images."""
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
        self._subjects = tuple(sorted({rows[i][SUBJECT] for i in chosen}))
        labels = {name: index for index, name in enumerate(classes)}
        data_list = [dict(rows[i], gt_label=labels[rows[i][LABEL]]) for i in chosen]
        if self.subset == 'train' and len({d['gt_label'] for d in data_list}) < 2:
            raise ValueError(
                f'the training subset of {self.ann_file!r} holds only the class '
                f'{data_list[0][LABEL]!r}; at least two are needed'
            )
        images = self._decode(rows)
        if self.cache == 'ram' and self.pipeline.transforms:
            self._images = {rows[i][ID]: images[i] for i in chosen}
        if self.control is not None:
            self._spoil(data_list)
        return data_list

    def get_data_info(self, idx: int) -> dict:
        """One row; a transform may add to it, but not change a column's value."""
        return dict(self.data_list[idx], sample_idx=idx % len(self.data_list))

    def prepare_data(self, idx: int) -> dict:
        """Run the pipeline on one pair, from memory where it is kept there."""
        data = self.get_data_info(idx)
        if not self._images:
            return self.pipeline(data)
        loader, *rest = self.pipeline.transforms
        data = loader.pack(data, tuple(x.copy() for x in self._images[data[ID]]))
        for transform in rest:
            data = transform(data)
            if data is None:
                break
        return data

    def get_cat_ids(self, idx: int) -> list[int]:
        """The class index of one pair, as ClassBalancedDataset asks for it."""
        return [self.get_data_info(idx)['gt_label']]

    def get_gt_labels(self) -> np.ndarray:
        """The class index of every pair, shape ``(N,)``."""
        return np.array([self.get_data_info(i)['gt_label'] for i in range(len(self))])

    def _decode(self, rows: list[dict]) -> list[tuple[np.ndarray, np.ndarray]]:
        transforms = self.pipeline.transforms
        loader = transforms[0] if transforms else LoadPair()
        if not isinstance(loader, LoadPair):
            if self.cache == 'ram':
                raise ValueError(
                    f"cache='ram' needs LoadPair as the first transform, not {loader!r}"
                )
            loader = LoadPair()
        if self.cache == 'none':
            return decode_images(self.ann_file, rows, loader.load, keep=False)
        paths = tuple((row[ONSET], row[APEX], row[PLACE]) for row in rows)
        stamp = os.stat(self.ann_file).st_mtime_ns
        return _decode_once(self.ann_file, stamp, paths, loader)

    def _spoil(self, data_list: list[dict]) -> None:
        """Apply ``control`` to the rows, and to the images in memory alike."""
        if self.control == 'shuffled-labels':
            _shuffle_labels(data_list)
            return
        order = {'onset-only': (0, 0), 'apex-only': (1, 1), 'swapped': (1, 0)}[
            self.control
        ]
        for data in data_list:
            paths = data[ONSET], data[APEX]
            data[ONSET], data[APEX] = (paths[i] for i in order)
        for sample_id, pair in self._images.items():
            self._images[sample_id] = tuple(pair[i] for i in order)


@lru_cache(maxsize=2)
def _decode_once(table: str, stamp: int, paths: tuple, loader: LoadPair) -> list:
    """Decoded images of a table, shared by the datasets of this process."""
    rows = [{ONSET: onset, APEX: apex, PLACE: place} for onset, apex, place in paths]
    return decode_images(table, rows, loader.load)


def _shuffle_labels(data_list: list[dict], seed: int = 0) -> None:
    """Permute ``gt_label`` among the pairs of each subject."""
    rng = np.random.default_rng(seed)
    by_subject: dict[str, list[int]] = {}
    for index, data in enumerate(data_list):
        by_subject.setdefault(data[SUBJECT], []).append(index)
    for _, indices in sorted(by_subject.items()):
        labels = [data_list[i]['gt_label'] for i in indices]
        for i, label in zip(indices, rng.permutation(labels).tolist()):
            data_list[i]['gt_label'] = label
