"""Looking into networks: modes, outputs of layers, members, scores."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmcomp.compat import config_of
from mmcomp.config import config_name


@contextmanager
def evaluating(module: nn.Module) -> Iterator[nn.Module]:
    """Put a module into evaluation mode, and each submodule back into its own after.

    ``module.train(mode)`` would also put frozen submodules into training mode.
    """
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield module
    finally:
        for part, training in modes:
            part.training = training


@contextmanager
def recorded_outputs(module: nn.Module) -> Iterator[dict[str, list[Tensor]]]:
    """Record what each submodule returns while the block runs.

    Args:
        module: The network.

    Yields:
        dict: For the name of each submodule that ran, its outputs, one for each time
        that it ran. Of a tuple or list the first element is taken; an output that is
        no tensor is recorded as an empty one.
    """
    seen: dict[str, list[Tensor]] = {}

    def recorder(name: str):
        def hook(layer: nn.Module, args, output) -> None:
            first = first_output(output)
            seen.setdefault(name, []).append(
                first if isinstance(first, Tensor) else torch.empty(0)
            )

        return hook

    handles = [
        part.register_forward_hook(recorder(name))
        for name, part in module.named_modules()
        if name
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def first_output(output):
    """Return the first element of a tuple or list, or what else a layer returned."""
    return output[0] if isinstance(output, (tuple, list)) and output else output


def name_of(model: nn.Module) -> str:
    """Return the name of the network's config."""
    return config_name(config_of(model))


def members_of(model: nn.Module) -> dict[str, nn.Module]:
    """Return the classifiers of a stack's first copy by name, or the network alone."""
    if hasattr(model, 'copies'):
        return dict(model.copies[0].items())
    return {name_of(model): model}


def prepare_pairs(model: BaseModel, pairs: Sequence[Tensor]) -> Tensor:
    """Return what the network takes of pairs ``(2, C, H, W)`` when it is tested."""
    return model.data_preprocessor(dict(inputs=list(pairs)), training=False)['inputs']


@torch.no_grad()
def class_scores(model: nn.Module, inputs: Tensor) -> Tensor:
    """Return scores ``(B, classes)`` of prepared pairs, in evaluation mode.

    A stack whose SVM is not fitted yet, in the middle of a training, answers with the
    mean of its members.
    """
    with evaluating(model):
        if getattr(model, 'is_fitted', True):
            return model(inputs).softmax(1)
        members = members_of(model).values()
        return torch.stack([m(inputs).softmax(1) for m in members]).mean(0)
