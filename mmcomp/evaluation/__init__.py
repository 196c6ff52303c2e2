"""Metrics and the prediction table."""

from .functional import auc, error_counts, majority_error, uar, uf1
from .metrics import AUC, UAR, UF1, ErrorRate, PredictionTable
from .stacking_evaluator import StackingEvaluator

__all__ = [
    'AUC',
    'ErrorRate',
    'PredictionTable',
    'StackingEvaluator',
    'UAR',
    'UF1',
    'auc',
    'error_counts',
    'majority_error',
    'uar',
    'uf1',
]
