"""SyntheticPairDataset: the embedded default data, rendered on first use."""

from collections.abc import Sequence
from pathlib import Path

from mmcomp.columns import GENDER, SUBJECT
from mmcomp.compat import add_metainfo
from mmcomp.registry import DATASETS
from mmcomp.synthetic import ensure_dataset, oracle_error, subject_genders

from .pair_dataset import PairDataset


@DATASETS.register_module()
class SyntheticPairDataset(PairDataset):
    """Pairs of rendered heads with posed and spontaneous expressions.

    Rendered on first use into a folder below ``data_root``; safe when several
    processes start at once. The column ``gender``, which the table does not have, comes
    from the shape of the subjects.

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

    def load_data_list(self) -> list[dict]:
        """Read the table, and add the gender of each subject."""
        rows = super().load_data_list()
        genders = subject_genders(Path(self.ann_file).parent)
        return [{**row, GENDER: genders[row[SUBJECT]]} for row in rows]
