"""Export a trained network as a single file."""

from .export import FORMATS, export_model, real_pairs

__all__ = ['FORMATS', 'export_model', 'real_pairs']
