"""Export a trained network as a single file."""

from .export import FORMATS, check_exportable, export_model, real_pairs

__all__ = ['FORMATS', 'check_exportable', 'export_model', 'real_pairs']
