"""Pairs to look at: rows of a data set, or image files."""

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
from mmcomp.registry import DATASETS

COLOR_BY = (LABEL, SUBJECT, EMOTION)


@dataclass(frozen=True)
class Example:
    """A pair to look at.

    Attributes:
        name (str): Its ``sample_id``, or the names of its files.
        pair (Tensor): ``(2, C, H, W)``, gray levels, onset first.
        label (str, optional): Its class, where it is known.
        info (dict): What its row of the pair table says.
    """

    name: str
    pair: Tensor
    label: str | None = None
    info: dict[str, Any] = field(default_factory=dict)

    @property
    def caption(self) -> str:
        """Label, emotion, subject and name, without saying the subject twice."""
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
    """The data of a config, or of a pair table.

    Args:
        cfg (Config): Of a network and its data.
        subset (str): 'train', 'val', 'test' or 'all'.
        table (str, optional): A pair table to take instead of the config's data, whole.
        training (bool): Whether to apply the transforms of the training.
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
        return DATASETS.build(options)


def spread(labels: Sequence, count: int) -> list[int]:
    """Indices of a few samples: the classes in turn, each evenly over its samples.

    Args:
        labels (Sequence): Class of each sample.
        count (int): How many; all if there are fewer.

    Raises:
        ValueError: If ``count`` is below 1.
    """
    if count < 1:
        raise ValueError(f'count is {count}; it must be at least 1')
    labels = np.asarray(labels)
    classes = np.unique(labels)
    each = -(-count // len(classes))
    chosen = []
    for value in classes:
        own = np.flatnonzero(labels == value)
        places = np.linspace(0, len(own) - 1, min(each, len(own)))
        chosen.append(own[places.round().astype(int)].tolist())
    in_turn = chain.from_iterable(zip_longest(*chosen))
    return [index for index in in_turn if index is not None][:count]


def from_dataset(
    dataset, ids: Sequence[str] | None = None, count: int = 8
) -> list[Example]:
    """Samples of a data set: those of some ids, or some of each class.

    Raises:
        ValueError: If an id is not there.
    """
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    if ids:
        places = {str(info.get(ID)): i for i, info in enumerate(infos)}
        missing = [name for name in ids if name not in places]
        if missing:
            raise ValueError(
                f'no pair {", ".join(map(repr, missing))} in these {len(infos)} pairs; '
                f'the first are {", ".join(list(places)[:5])}'
            )
        chosen = [places[name] for name in ids]
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
    """Onset and apex from image files.

    Args:
        model: For which; it says how large aligned faces are.
        pairs: Paths.
        aligned (bool): Whether they are aligned faces already.

    Raises:
        ValueError: If an image cannot be read, or shows no face.
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
    """Values of some columns for all samples.

    Args:
        dataset: The data set.
        columns: Names of columns. Defaults to those of ``COLOR_BY`` that are there.

    Raises:
        ValueError: If a column that is asked for is not there.
    """
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    known = [k for k in infos[0] if all(isinstance(x.get(k), str) for x in infos)]
    missing = [column for column in columns or () if column not in known]
    if missing:
        raise ValueError(
            f'the pairs have no column {", ".join(map(repr, missing))}; they have '
            f'{", ".join(k for k in known if k[0] != "_")}'
        )
    columns = columns or [column for column in COLOR_BY if column in known]
    return {column: [info[column] for info in infos] for column in columns}
