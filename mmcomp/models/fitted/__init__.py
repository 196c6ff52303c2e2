"""Models that are fitted at once rather than trained by gradient."""

from .base import FittedClassifier, PairFeatures
from .bayes import BayesianNetworkClassifier

__all__ = ['BayesianNetworkClassifier', 'FittedClassifier', 'PairFeatures']
