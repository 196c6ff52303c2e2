"""Models that are fitted at once rather than trained by gradient."""

from .base import FittedClassifier, PairFeatures

__all__ = ['FittedClassifier', 'PairFeatures']
