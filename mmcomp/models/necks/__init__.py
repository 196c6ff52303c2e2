"""Comparison operators."""

from .comparison import (
    AbsoluteDifference,
    Comparison,
    Concatenation,
    LinearCombination,
    LocalCorrelation,
    NonlinearCombination,
    Product,
    Subtraction,
)

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
