"""Pairs to show: rows of a data set, or image files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from torch import Tensor

from mmcomp.columns import EMOTION, ID, LABEL, SUBJECT
from mmcomp.datasets import check_alignment
from mmcomp.registry import DATASETS

COLOR_BY = (LABEL, SUBJECT, EMOTION)


@dataclass(frozen=True)
class Example:
    """A pair to show.

    Attributes:
        name (str): Its ``sample_id``, or the names of its files.
        pair (Tensor): ``(2, C, H, W)``, gray levels, onset first.
        label (str, optional): Its class, if known.
        info (dict): Its row of the pair table.
    """

    name: str
    pair: Tensor
    label: str | None = None
    info: dict[str, Any] = field(default_factory=dict)

    @property
    def caption(self) -> str:
        """Label, emotion, subject (unless part of the name) and name."""
        subject = str(self.info.get(SUBJECT, ''))
        words = [self.label, self.info.get(EMOTION), subject, self.name]
        if subject in self.name:
            del words[2]
        return ' · '.join(str(word) for word in words if word)


def load_dataset(
    cfg: Config,
    subset: str = 'test',
    table: str | None = None,
    training: bool = False,
):
    """Build the dataset of a config, or of a pair table.

    Args:
        cfg (Config): Config of a network and its data.
        subset (str): 'train', 'val', 'test' or 'all'.
        table (str, optional): A pair table to use, as a whole, instead of the config's
            data.
        training (bool): Whether to apply the transforms for training.

    Raises:
        ValueError: If the data cannot be used.
    """
    loader = cfg.train_dataloader if training else cfg.test_dataloader
    options = loader.dataset.copy()
    if table is not None:
        kept = {k: options[k] for k in ('pipeline', 'metainfo') if k in options}
        options = dict(type='mmcomp.PairDataset', ann_file=str(table), **kept)
    else:
        options.update(subset=subset)
    scope = cfg.get('default_scope', 'mmpretrain')
    with DefaultScope.overwrite_default_scope(scope):
        dataset = DATASETS.build(options)
    check_alignment(dataset, cfg)
    return dataset


def spread(labels: Sequence, count: int) -> list[int]:
    """Choose some samples: classes in turn, evenly spaced within each.

    Args:
        labels (Sequence): Class of each sample.
        count (int): Number of samples; all if there are fewer.

    Returns:
        list[int]: Their indices.

    Raises:
        ValueError: If ``count`` is below 1.
    """
    if count < 1:
        raise ValueError(f'count is {count}; it must be at least 1')
    values = np.asarray(labels)
    classes = np.unique(values)
    each = -(-count // len(classes))
    chosen = []
    for value in classes:
        own = np.flatnonzero(values == value)
        positions = np.linspace(0, len(own) - 1, min(each, len(own)))
        chosen.append(own[positions.round().astype(int)].tolist())
    in_turn = chain.from_iterable(zip_longest(*chosen))
    return [index for index in in_turn if index is not None][:count]


def from_dataset(
    dataset, ids: Sequence[str] | None = None, count: int = 8
) -> list[Example]:
    """Return samples of a dataset: those with given ids, or some of each class.

    Raises:
        ValueError: If an id is unknown.
    """
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    if ids:
        index = {str(info.get(ID)): i for i, info in enumerate(infos)}
        missing = [name for name in ids if name not in index]
        if missing:
            raise ValueError(
                f'{ID} is {", ".join(map(repr, missing))}; it must be one of the '
                f'{len(infos)} pairs: {", ".join(list(index)[:5])}, ...'
            )
        chosen = [index[name] for name in ids]
    else:
        chosen = spread([info['gt_label'] for info in infos], count)
    return [
        Example(
            name=str(infos[i].get(ID, i)),
            pair=dataset[i]['inputs'],
            label=infos[i].get(LABEL),
            info=infos[i],
        )
        for i in chosen
    ]


def from_files(
    model: BaseModel, pairs: Sequence[tuple[str, str]], aligned: bool = False
) -> list[Example]:
    """Read onset and apex from image files.

    Args:
        model: The network; it sets the size of aligned faces.
        pairs: Paths of onset and apex.
        aligned (bool): Whether the images are aligned faces already.

    Raises:
        ValueError: If an image cannot be read or has no face.
    """
    from mmcomp.apis import PairInferencer
    from mmcomp.apis.inputs import items
    from mmcomp.apis.pair_inferencer import as_input

    inferencer = PairInferencer(model, aligned=aligned)
    examples = []
    for item in items([tuple(pair) for pair in pairs]):
        made = inferencer.make_pair(item)
        if not made.success:
            raise ValueError(f'{item.name}: {made.reason}')
        pair = torch.from_numpy(as_input(made).copy())
        examples.append(Example(item.name, pair))
    return examples


def values_of(dataset, columns: Sequence[str] | None = None) -> dict[str, list[str]]:
    """Return the values of some columns for all samples.

    Args:
        dataset: The dataset.
        columns: Names of columns. Defaults to those of ``COLOR_BY`` that exist.

    Raises:
        ValueError: If a given column does not exist.
    """
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    known = [k for k in infos[0] if all(isinstance(x.get(k), str) for x in infos)]
    missing = [column for column in columns or () if column not in known]
    if missing:
        raise ValueError(
            f'columns include {", ".join(map(repr, missing))}; they must be of '
            f'{", ".join(k for k in known if k[0] != "_")}'
        )
    columns = columns or [column for column in COLOR_BY if column in known]
    return {column: [info[column] for info in infos] for column in columns}
