"""Classifiers of pairs."""

from .pair_classifier import PairClassifier

__all__ = ['PairClassifier']
