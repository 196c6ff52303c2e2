"""Models that are fitted at once rather than trained by gradient."""

from .base import Fitted, FittedClassifier, PairFeatures
from .bayes import BayesianNetworkClassifier

__all__ = ['BayesianNetworkClassifier', 'Fitted', 'FittedClassifier', 'PairFeatures']
