"""Using a trained network; light until a network is loaded."""

from .pair_inferencer import PairInferencer

__all__ = ['PairInferencer']
