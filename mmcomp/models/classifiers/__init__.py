"""Classifiers of pairs."""

from .fitted_pair_classifier import FittedPairClassifier
from .pair_classifier import PairClassifier
from .stacking_classifier import StackingClassifier

__all__ = ['FittedPairClassifier', 'PairClassifier', 'StackingClassifier']
