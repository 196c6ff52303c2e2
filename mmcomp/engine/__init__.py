"""The runner, its hooks and loops."""

from .hooks import *  # noqa: F403
from .loops import FitLoop, FitStackLoop
from .optim_wrapper import Bfloat16OptimWrapper
from .runner import PairRunner

__all__ = ['Bfloat16OptimWrapper', 'FitLoop', 'FitStackLoop', 'PairRunner']
