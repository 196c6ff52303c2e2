"""A trained network as one file that runs elsewhere."""

from .export import FORMATS, export_model, real_pairs

__all__ = ['FORMATS', 'export_model', 'real_pairs']
