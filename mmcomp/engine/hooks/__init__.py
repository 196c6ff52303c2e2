"""Hooks."""

from .cache_features_hook import CacheFeaturesHook
from .checkpoint_hook import PlainCheckpointHook
from .cost_hook import CostHook
from .epoch_seed_hook import EpochSeedHook
from .fit_stack_hook import FitStackHook
from .pair_visualization_hook import PairVisualizationHook
from .protocol_hook import ProtocolHook
from .run_summary_hook import RunSummaryHook
from .shift_test_hook import ShiftTestHook

__all__ = [
    'CacheFeaturesHook',
    'CostHook',
    'EpochSeedHook',
    'FitStackHook',
    'PairVisualizationHook',
    'PlainCheckpointHook',
    'ProtocolHook',
    'RunSummaryHook',
    'ShiftTestHook',
]
