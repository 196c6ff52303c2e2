"""Spotting: onset and apex of a clip, by the motion of the face over time."""

from .result import Spotting
from .spotter import LIMIT, spot

__all__ = ['LIMIT', 'Spotting', 'spot']
