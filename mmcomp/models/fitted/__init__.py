"""Models that are fitted at once rather than trained by gradient."""

from .base import Fitted, FittedClassifier, PairFeatures

__all__ = ['Fitted', 'FittedClassifier', 'PairFeatures']
