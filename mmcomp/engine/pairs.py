"""Pairs for what is fitted at once: always as they are tested."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mmengine.dataset import pseudo_collate
from torch.utils.data import ConcatDataset, DataLoader

from mmcomp.columns import APEX, ID, LABEL, ONSET, SUBJECT
from mmcomp.config import base_configs
from mmcomp.datasets.pair_table import ROW_POSITION
from mmcomp.registry import DATASETS

#: Of a row, what is no further column: what every pair has, and what is added to it.
_KNOWN = {ID, SUBJECT, ONSET, APEX, LABEL, ROW_POSITION, 'img_path'}


def pairs_as_tested(
    cfg: Mapping[str, Any], datasets: Iterable[Mapping[str, Any]], batch_size: int = 256
) -> DataLoader:
    """Return a loader of data sets, joined, with the pipeline of a config's test.

    Args:
        cfg: The config.
        datasets: Configs of data sets without wrappers.
        batch_size (int): Pairs of a batch.
    """
    tested = cfg.get('val_dataloader') or cfg['test_dataloader']
    pipeline = next(base_configs(tested['dataset']))['pipeline']
    built = [
        DATASETS.build(dict(options, pipeline=pipeline, test_mode=True))
        for options in datasets
    ]
    return DataLoader(ConcatDataset(built), batch_size, collate_fn=pseudo_collate)


def training_pairs(cfg: Mapping[str, Any], batch_size: int = 256) -> DataLoader:
    """Return a loader of a config's training pairs; see :func:`pairs_as_tested`.

    Of a data set in wrappers, which may repeat pairs, each pair comes once.
    """
    datasets = base_configs(cfg['train_dataloader']['dataset'])
    return pairs_as_tested(cfg, datasets, batch_size)


def further_columns(datasets: Sequence[Any]) -> dict[str, list[str]]:
    """Return the further columns of the pairs of data sets, such as 'emotion'.

    They are known in training, and never read in testing.

    Returns:
        dict: The cells of each column, empty where a table does not have it.
    """
    rows = [
        dataset.get_data_info(index)
        for dataset in datasets
        for index in range(len(dataset))
    ]
    names = {
        name: None
        for row in rows
        for name, cell in row.items()
        if isinstance(cell, str) and name not in _KNOWN
    }
    return {name: [row.get(name, '') for row in rows] for name in names}
