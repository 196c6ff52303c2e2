"""Pictures of pairs, of what networks make of them, and of trainings.

This imports neither Matplotlib nor Captum; the modules that draw do.
"""

from .pair_visualizer import PairVisualizer

__all__ = ['PairVisualizer']
