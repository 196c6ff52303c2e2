"""Models that are fitted at once rather than trained by gradient."""

from .base import Fitted, FittedClassifier, PairFeatures
from .bayes import BayesianNetworkClassifier
from .dbm_classifier import DBMClassifier
from .features import (
    CLBP,
    DifferencePixels,
    Displacement,
    GeometricFeatures,
    SIFTAtLandmarks,
)
from .gaussian_rbm import GaussianRBMClassifier
from .rbm import RBMClassifier
from .svm import SVMClassifier

__all__ = [
    'BayesianNetworkClassifier',
    'CLBP',
    'DBMClassifier',
    'DifferencePixels',
    'Displacement',
    'Fitted',
    'FittedClassifier',
    'GaussianRBMClassifier',
    'GeometricFeatures',
    'PairFeatures',
    'RBMClassifier',
    'SIFTAtLandmarks',
    'SVMClassifier',
]
