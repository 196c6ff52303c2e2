"""Classification heads."""

from .mlp_cls_head import MLPClsHead

__all__ = ['MLPClsHead']
