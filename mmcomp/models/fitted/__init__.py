"""Models that are fitted at once rather than trained by gradient."""

from .base import FittedClassifier, PairFeatures
from .bayes import BayesianNetworkClassifier
from .features import (
    CLBP,
    DifferencePixels,
    Displacement,
    GeometricFeatures,
    SIFTAtLandmarks,
)
from .svm import SVMClassifier

__all__ = [
    'BayesianNetworkClassifier',
    'CLBP',
    'DifferencePixels',
    'Displacement',
    'FittedClassifier',
    'GeometricFeatures',
    'PairFeatures',
    'SIFTAtLandmarks',
    'SVMClassifier',
]
