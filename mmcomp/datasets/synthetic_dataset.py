"""SyntheticPairDataset: the embedded default data, rendered on first use."""

from collections.abc import Sequence

from mmcomp.compat import add_metainfo
from mmcomp.registry import DATASETS
from mmcomp.synthetic import ensure_dataset, oracle_error

from .pair_dataset import PairDataset


@DATASETS.register_module()
class SyntheticPairDataset(PairDataset):
    """Pairs of rendered heads with posed and spontaneous expressions.

    Rendered on first use into a folder below ``data_root``; safe when several
    processes start at once.

    Args:
        preset (str): See :data:`mmcomp.synthetic.PRESETS`. Defaults to 'nvie-subset'.
        level (str): 'lab' or 'hard'. Defaults to 'lab'.
        data_seed (int): Seed of the data; another seed gives other subjects.
        data_root (str): Folder of all rendered sets. Defaults to 'data/synthetic'.
        **kwargs: See :class:`PairDataset`.
    """

    def __init__(
        self,
        preset: str = 'nvie-subset',
        level: str = 'lab',
        data_seed: int = 0,
        data_root: str = 'data/synthetic',
        pipeline: Sequence = (),
        **kwargs,
    ) -> None:
        table = ensure_dataset(preset, data_root, level=level, seed=data_seed)
        super().__init__(ann_file=str(table), pipeline=pipeline, **kwargs)
        add_metainfo(self, preset=preset, oracle=oracle_error(table.parent)['logistic'])
