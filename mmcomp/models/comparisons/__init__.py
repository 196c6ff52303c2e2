"""Comparison operators: combine the maps of onset and apex into one."""

from .base import Comparison
from .others import (
    AbsoluteDifference,
    Concatenation,
    LocalCorrelation,
    NonlinearCombination,
    Product,
)
from .paper import LinearCombination, Subtraction

__all__ = [
    'AbsoluteDifference',
    'Comparison',
    'Concatenation',
    'LinearCombination',
    'LocalCorrelation',
    'NonlinearCombination',
    'Product',
    'Subtraction',
]
