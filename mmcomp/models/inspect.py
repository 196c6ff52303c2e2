"""Inspect networks: their mode, outputs of layers, members and scores."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmcomp.compat import config_of
from mmcomp.config import config_name
from mmcomp.models.comparisons import Comparison


@contextmanager
def evaluating(module: nn.Module) -> Iterator[nn.Module]:
    """Put a module into evaluation mode for a block; restore each submodule's mode.

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
    """Record the outputs of all submodules while the block runs.

    Args:
        module: The network.

    Yields:
        dict: Names of the submodules that ran, and the outputs of each, one for each
        call. Of a tuple or list, the first element is recorded; for an output that is
        not a tensor, an empty tensor.
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


@contextmanager
def recorded_calls(layer: nn.Module) -> Iterator[list[tuple[Tensor, ...]]]:
    """Record the inputs and the output of one layer while the block runs.

    Args:
        layer: A layer that returns a tensor, or a tuple or list that starts with one.

    Yields:
        list: For each call, copies of the positional inputs that are tensors and, last,
        of the output; copies, because later layers may work in place.
    """
    calls: list[tuple[Tensor, ...]] = []

    def hook(layer: nn.Module, args: tuple, output: Any) -> None:
        found = map(first_output, (*args, output))
        calls.append(tuple(x.clone() for x in found if isinstance(x, Tensor)))

    handle = layer.register_forward_hook(hook)
    try:
        yield calls
    finally:
        handle.remove()


def first_output(output: Any) -> Any:
    """Return the first element of a tuple or list; return anything else unchanged."""
    return output[0] if isinstance(output, (tuple, list)) and output else output


@torch.no_grad()
def compared_magnitude(model: nn.Module, inputs: Tensor) -> Tensor | None:
    """Return the mean magnitude of the compared maps, ``(B, h, w)``.

    None for a model that compares no maps.

    Args:
        model: A network; of a stack, the first comparison counts.
        inputs: Prepared pairs ``(B, 2, C, H, W)``.
    """
    found = (part for part in model.modules() if isinstance(part, Comparison))
    comparison = next(found, None)
    if comparison is None:
        return None
    with evaluating(model), recorded_calls(comparison) as calls:
        model(inputs)
    return calls[0][-1].abs().mean(1)


def check_fitted(model: nn.Module) -> None:
    """Check that all of a network that is fitted at once, such as an SVM, is fitted.

    Raises:
        ValueError: If one is not.
    """
    parts: Any = model.modules()
    for part in parts:
        if hasattr(part, 'check_fitted'):
            part.check_fitted()


def refuse_fitted(model: nn.Module, what: str) -> None:
    """Refuse what is not possible where features are computed outside PyTorch.

    Args:
        model: The network.
        what: What was asked for.

    Raises:
        ValueError: If the model, or a member of a stack, is fitted to such features.
    """
    parts: Any = model.modules()
    for part in parts:
        if hasattr(part, 'fit_features'):
            raise ValueError(
                f'{what} is not possible with {type(part.features).__name__}, which is '
                'computed outside PyTorch; it needs networks alone'
            )


def num_classes(model: Any) -> int | None:
    """Return the number of scores of a network, or None if its head does not say."""
    own = getattr(model, 'num_classes', None)
    return own or getattr(getattr(model, 'head', None), 'num_classes', None)


def name_of(model: nn.Module) -> str:
    """Return the name of the network's config."""
    return config_name(config_of(model))


def unwrapped(model: nn.Module) -> Any:
    """Return a network without the wrapper of distributed training."""
    return getattr(model, 'module', model)


def members_of(model: Any) -> dict[str, Any]:
    """Return the members of a stack's first copy by name, or the network itself."""
    if hasattr(model, 'copies'):
        return dict(model.copies[0].items())
    return {name_of(model): model}


def prepare_pairs(model: BaseModel, pairs: Sequence[Tensor]) -> Tensor:
    """Prepare pairs ``(2, C, H, W)`` as for a test: ``(B, 2, C, h, w)``."""
    return model.data_preprocessor(dict(inputs=list(pairs)), training=False)['inputs']


def set_predictions(samples: list[Any], scores: Tensor) -> list[Any]:
    """Note scores ``(B, classes)`` and the class of the largest in data samples."""
    for sample, score in zip(samples, scores):
        sample.set_pred_score(score).set_pred_label(score.argmax())
    return samples


@torch.no_grad()
def class_scores(model: nn.Module, inputs: Tensor, augmented: bool = False) -> Tensor:
    """Return scores ``(B, classes)`` of prepared pairs, in evaluation mode.

    For a stack whose SVM is not fitted yet, as during training, return the mean of its
    members' scores.

    Args:
        model: The network.
        inputs: Pairs as its preprocessor returns them.
        augmented (bool): Whether it did so for a training. Of a stack with fitted
            members, only the others take such pairs.
    """
    members = members_of(model) if hasattr(model, 'copies') else {}
    networks = [m for m in members.values() if not hasattr(m, 'fit_features')]
    with evaluating(model):
        if networks and (
            not model.is_fitted or (augmented and len(networks) < len(members))
        ):
            return torch.stack([m(inputs).softmax(1) for m in networks]).mean(0)
        return model(inputs).softmax(1)
