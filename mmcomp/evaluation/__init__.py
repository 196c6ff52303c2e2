"""Metrics and the prediction table."""

from .functional import auc, error_counts, majority_error, uar, uf1
from .metrics import AUC, UAR, UF1, ErrorRate, PredictionTable

__all__ = [
    'AUC',
    'ErrorRate',
    'PredictionTable',
    'UAR',
    'UF1',
    'auc',
    'error_counts',
    'majority_error',
    'uar',
    'uf1',
]
