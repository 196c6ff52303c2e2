"""Networks to look into: trained, of random weights, and the members of a stack."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmcomp.apis.model import load_model
from mmcomp.models import LinearSVMHead


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw random numbers that follow from ``seed``, and none of the caller's."""
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
    """A trained network, or one of random weights if that is asked for.

    Args:
        config (Config): Of the network.
        checkpoint (str, optional): Its weights.
        random_weights (bool): Whether to take random ones instead.
        seed (int): Of those.
        device (str, optional): Defaults to a GPU if there is one.

    Raises:
        ValueError: If both or neither are asked for, or the checkpoint does not fit.
    """
    if (checkpoint is None) != random_weights:
        raise ValueError(
            'give a CHECKPOINT, or --random for random weights'
            + (', not both' if random_weights else '')
        )
    if checkpoint is not None:
        return load_model(config, checkpoint, device)
    return random_model(config, seed, device)


def random_model(config: Config, seed: int, device: str | None = None) -> BaseModel:
    """A network of random weights; the SVM of a stack is a random plane.

    It is built, but ``init_weights`` is not called, as that may load trained ones.
    """
    with seeded(seed):
        model = load_model(config, None, 'cpu')
        for module in model.modules():
            if isinstance(module, LinearSVMHead):
                nn.init.normal_(module.weight, std=module.weight.shape[1] ** -0.5)
                module.chosen_C.fill_(1)
    return model.to(device or get_device())


def name_of(model: BaseModel) -> str:
    """The name of the network's config."""
    return Path(model._config.filename or 'network').stem


def members_of(model: nn.Module) -> dict[str, nn.Module]:
    """The classifiers of a stack's first copy by name, or the network alone."""
    if hasattr(model, 'copies'):
        return dict(model.copies[0].items())
    return {name_of(model): model}


def prepare(model: BaseModel, pairs: Sequence[Tensor]) -> Tensor:
    """What the network takes of pairs ``(2, C, H, W)`` when it is tested."""
    return model.data_preprocessor(dict(inputs=list(pairs)), training=False)['inputs']


@torch.no_grad()
def class_scores(model: nn.Module, inputs: Tensor) -> Tensor:
    """Scores ``(B, classes)`` of prepared pairs; the mode of the network is kept.

    A stack whose SVM is not fitted yet, in the middle of a training, answers with the
    mean of its members.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        if getattr(model, 'is_fitted', True):
            return model(inputs).softmax(1)
        members = members_of(model).values()
        return torch.stack([m(inputs).softmax(1) for m in members]).mean(0)
    finally:
        for module, training in modes:
            module.training = training
