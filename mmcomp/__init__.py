"""Siamese networks that compare onset and apex face images, built on MMPretrain.

Importing the package loads nothing heavy. ``mmcomp.registry`` registers everything that
a config may name as ``mmcomp.X``.
"""

from .installed import config_path
from .version import __version__

__all__ = ['__version__', 'config_path']
