"""Pictures of pairs, of networks and of training curves.

Importing the package loads neither Matplotlib nor Captum; the modules that draw do.
"""

from .pair_visualizer import PairVisualizer

__all__ = ['PairVisualizer']
