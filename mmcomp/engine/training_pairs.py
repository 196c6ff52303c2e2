"""The pairs that a model is fitted to: those of training, as they are tested."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.dataset import pseudo_collate
from torch.utils.data import ConcatDataset, DataLoader

from mmcomp.columns import APEX, ID, LABEL, ONSET, SUBJECT
from mmcomp.config import base_configs
from mmcomp.datasets.pair_table import ROW_POSITION
from mmcomp.registry import DATASETS

#: Of a row, what is no further column: what every pair has, and what is added to it.
_KNOWN = {ID, SUBJECT, ONSET, APEX, LABEL, ROW_POSITION, 'img_path'}


def training_pairs(cfg: Mapping[str, Any], batch_size: int = 256) -> DataLoader:
    """Return a loader of a config's training pairs, with the pipeline of the test.

    Its data set joins those that are trained on. Of one in wrappers, which may repeat
    pairs, each pair comes once.
    """
    tested = cfg.get('val_dataloader') or cfg['test_dataloader']
    pipeline = next(base_configs(tested['dataset']))['pipeline']
    datasets = [
        DATASETS.build(dict(options, pipeline=pipeline, test_mode=True))
        for options in base_configs(cfg['train_dataloader']['dataset'])
    ]
    return DataLoader(ConcatDataset(datasets), batch_size, collate_fn=pseudo_collate)


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
