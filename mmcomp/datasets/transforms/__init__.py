"""Transforms of image pairs."""

from .formatting import PackPairInputs
from .loading import DECODED, LoadPair
from .shared_random import SharedRandomTransforms
from .shift_apex import ShiftApex

__all__ = [
    'DECODED',
    'LoadPair',
    'PackPairInputs',
    'SharedRandomTransforms',
    'ShiftApex',
]
