"""Networks to show: trained, or with random weights."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import BaseModel
from torch import nn

from mmcomp.apis.model import load_model
from mmcomp.models import LinearSVMHead


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed all random numbers of a block, and restore the generators afterwards."""
    states = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(range(torch.cuda.device_count())):
            random.seed(seed)
            np.random.seed(seed % 2**32)
            torch.manual_seed(seed)
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def open_model(
    config: Config,
    checkpoint: str | None = None,
    random_weights: bool = False,
    seed: int = 0,
    device: str | None = None,
) -> BaseModel:
    """Return a trained network or, on request, one with random weights.

    Args:
        config (Config): Config of the network.
        checkpoint (str, optional): Its weights.
        random_weights (bool): Whether to use random weights instead.
        seed (int): Seed of the random weights.
        device (str, optional): Defaults to a GPU if there is one.

    Raises:
        ValueError: If both or neither are given, or the checkpoint does not fit.
    """
    if (checkpoint is None) != random_weights:
        raise ValueError(
            'give a CHECKPOINT, or --random for random weights'
            + (', not both' if random_weights else '')
        )
    if checkpoint is not None:
        return load_model(config, checkpoint, device)
    return random_model(config, seed, device)


def random_model(
    config: Config, seed: int, device: str | torch.device | None = None
) -> BaseModel:
    """Return a network with random weights; a stack gets a random SVM.

    ``init_weights`` is not called, because it may load trained weights.
    """
    with seeded(seed):
        model = load_model(config, None, 'cpu')
        for module in model.modules():
            if isinstance(module, LinearSVMHead):
                width = max(module.weight.shape[1], 1)  # 0 with fitted members
                nn.init.normal_(module.weight, std=width**-0.5)
                module.chosen_C.fill_(1)
    return model.to(device or get_device())
