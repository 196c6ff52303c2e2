"""Pair data: table, splits, dataset, transforms."""

from .pair_dataset import PairDataset, check_alignment
from .pair_table import PairTableError, read_pair_table
from .splits import LeaveOneSubjectOut, SubjectKFold, SubjectsFromFile
from .synthetic_dataset import SyntheticPairDataset
from .transforms import *  # noqa: F403

__all__ = [
    'LeaveOneSubjectOut',
    'PairDataset',
    'PairTableError',
    'SubjectKFold',
    'SubjectsFromFile',
    'SyntheticPairDataset',
    'check_alignment',
    'read_pair_table',
]
