"""Transforms of image pairs."""

from .augment import RandomAffine, RandomBrightnessContrast, RandomErase
from .formatting import PackPairInputs
from .in_step import InStep
from .loading import LoadPair

__all__ = [
    'InStep',
    'LoadPair',
    'PackPairInputs',
    'RandomAffine',
    'RandomBrightnessContrast',
    'RandomErase',
]
