"""Models that are fitted at once rather than trained by gradient."""

from .base import FittedClassifier, PairFeatures
from .bayes import BayesianNetworkClassifier
from .dbm import DBMClassifier
from .gaussian_rbm import GaussianRBMClassifier
from .rbm import RBMClassifier

__all__ = [
    'BayesianNetworkClassifier',
    'DBMClassifier',
    'FittedClassifier',
    'GaussianRBMClassifier',
    'PairFeatures',
    'RBMClassifier',
]
