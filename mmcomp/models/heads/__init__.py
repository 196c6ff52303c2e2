"""Classification heads."""

from .linear_svm_head import LinearSVMHead
from .mlp_cls_head import MLPClsHead

__all__ = ['LinearSVMHead', 'MLPClsHead']
