"""Transforms of image pairs."""

from .augment import RandomAffine, RandomBrightnessContrast, RandomErase
from .formatting import PackPairInputs
from .in_step import InStep
from .loading import LoadPair
from .shift_apex import ShiftApex

__all__ = [
    'InStep',
    'LoadPair',
    'ShiftApex',
    'PackPairInputs',
    'RandomAffine',
    'RandomBrightnessContrast',
    'RandomErase',
]
