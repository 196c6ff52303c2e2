"""Transforms of image pairs."""

from .augment import RandomAffine, RandomBrightnessContrast, RandomErase
from .formatting import PackPairInputs
from .in_step import InStep
from .loading import LoadPair
from .misalign import Misalign

__all__ = [
    'InStep',
    'LoadPair',
    'Misalign',
    'PackPairInputs',
    'RandomAffine',
    'RandomBrightnessContrast',
    'RandomErase',
]
