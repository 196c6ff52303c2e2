"""Predict with a trained network; imports little until one is loaded."""

from .pair_inferencer import PairInferencer

__all__ = ['PairInferencer']
