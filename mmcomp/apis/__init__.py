"""Predict with a trained network; imports little until one is loaded.

``get_model`` and ``list_models`` are MMPretrain's, which know mmcomp's networks then.
"""

from typing import Any

from .pair_inferencer import PairInferencer

__all__ = ['PairInferencer']


def __getattr__(name: str) -> Any:
    """Import MMPretrain's model hub when it is asked for."""
    if name not in ('get_model', 'list_models'):
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from mmpretrain import apis

    from .model import register_models

    register_models()
    return getattr(apis, name)
