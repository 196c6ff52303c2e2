"""The version of mmcomp, said once."""

__version__ = '0.1.0'
