"""Classifiers of pairs."""

from .pair_classifier import PairClassifier
from .stacking_classifier import StackingClassifier

__all__ = ['PairClassifier', 'StackingClassifier']
