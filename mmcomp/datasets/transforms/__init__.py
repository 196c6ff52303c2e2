"""Transforms of image pairs."""

from .formatting import PackPairInputs
from .loading import LoadPair
from .shared_random import SharedRandomTransforms
from .shift_apex import ShiftApex

__all__ = ['LoadPair', 'PackPairInputs', 'SharedRandomTransforms', 'ShiftApex']
