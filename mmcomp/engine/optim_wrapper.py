"""Mixed precision without a GPU."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.device import get_device
from mmengine.optim import OptimWrapper
from torch import nn

from mmcomp.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class Bfloat16OptimWrapper(OptimWrapper):
    """Train with bfloat16 arithmetic, also on a CPU, where AmpOptimWrapper fails.

    Weights and losses stay in float32, and no loss scaling is needed. Arguments are
    those of :class:`mmengine.optim.OptimWrapper`.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Return the context of the forward pass."""
        with super().optim_context(model), torch.autocast(get_device(), torch.bfloat16):
            yield
