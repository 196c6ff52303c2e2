"""Attribution maps over onset and apex, by Captum.

All maps are in the unit of :func:`margins`: positive where the pair supports the class,
negative where it contradicts it.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from mmcomp.models.inspect import evaluating

BASELINES = ('still', 'flat')
GRADIENTS, BOTH, EACH = 'gradients', 'both covered', 'one covered'
STEPS = 32  # of the path of integrated gradients
BATCH = 256  # pairs that go through the network at once


def margins(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return a function from pairs to the margin of each class.

    The margin is the score before the softmax minus the mean score of the other
    classes. For two classes these are log odds.
    """

    def forward(pairs: Tensor) -> Tensor:
        scores = network(pairs)
        count = scores.shape[1]
        return (scores * count - scores.sum(1, keepdim=True)) / (count - 1)

    return forward


def integrated_gradients(
    forward: Callable, pairs: Tensor, target: Tensor, baseline: str = 'still'
) -> Tensor:
    """Return integrated gradients of the margin (Sundararajan et al. 2017).

    The values of a pair sum to its margin minus that of the baseline, up to the error
    of ``STEPS`` steps.

    Args:
        forward: A function from pairs to margins ``(B, classes)``.
        pairs (Tensor): ``(B, 2, C, H, W)``, as the network takes them.
        target (Tensor): ``(B,)``, class indices.
        baseline (str): Start of the path: 'still', the mean of both images in place of
            each, so that nothing moves; or 'flat', the mean gray of each image.

    Returns:
        Tensor: ``(B, 2, H, W)``, summed over channels.
    """
    start = _still(pairs) if _check(baseline) == 'still' else _flat(pairs)
    found = (
        _captum()
        .IntegratedGradients(forward)
        .attribute(
            pairs, start, target=target, n_steps=STEPS, internal_batch_size=BATCH
        )
    )
    return found.sum(2).detach().float()


@torch.no_grad()
def occlusion(
    forward: Callable,
    pairs: Tensor,
    target: Tensor,
    patch: int,
    both: bool,
    baseline: str = 'still',
) -> Tensor:
    """Return the fall of the margin when a patch is covered (Zeiler and Fergus 2014).

    The patch moves by half its side; pixels under several patches get the mean.

    Args:
        forward, pairs, target: As for :func:`integrated_gradients`.
        patch (int): Side of the patch in pixels.
        both (bool): Whether to cover both images at the same position, or only one.
        baseline (str): What covers the patch: 'flat', the mean gray of each image; or
            'still', which removes the motion there: the mean of both images if both are
            covered, the other image if one is.

    Returns:
        Tensor: ``(B, H, W)`` for both; else ``(B, 2, H, W)``, for covering the onset
        and for covering the apex.

    Raises:
        ValueError: If the patch is empty or larger than the images.
    """
    _, images, channels, height, width = pairs.shape
    if not 1 <= patch <= min(height, width):
        raise ValueError(
            f'patch is {patch}; it must be between 1 and {min(height, width)}'
        )
    if _check(baseline) == 'flat':
        cover = _flat(pairs)
    else:
        cover = _still(pairs) if both else pairs.flip(1)
    depth = images if both else 1
    step = max(patch // 2, 1)
    found = (
        _captum()
        .Occlusion(forward)
        .attribute(
            pairs,
            (depth, channels, patch, patch),
            strides=(depth, channels, step, step),
            baselines=cover,
            target=target,
            perturbations_per_eval=max(BATCH // len(pairs), 1),
        )
    )
    found = found[:, :, 0].float()  # the same for all channels
    return found[:, 0] if both else found


def explain(
    network: nn.Module,
    pairs: Tensor,
    target: Tensor,
    patch: int | None = None,
    baseline: str = 'still',
) -> dict[str, Tensor]:
    """Return all maps of a decision.

    Args:
        network: From pairs to scores before the softmax; run in evaluation mode.
        pairs (Tensor): ``(B, 2, C, H, W)``, as the network takes them.
        target (Tensor): ``(B,)``, the classes to explain.
        patch (int, optional): Side of the patch of occlusion. Defaults to a fifth of
            the image.
        baseline (str): 'still' or 'flat'; see the two methods.

    Returns:
        dict: ``gradients`` ``(B, 2, H, W)``, ``both covered`` ``(B, H, W)`` and ``one
        covered`` ``(B, 2, H, W)``.
    """
    patch = max(min(pairs.shape[-2:]) // 5, 1) if patch is None else patch
    forward = margins(network)
    with evaluating(network):
        covered = {
            name: occlusion(forward, pairs, target, patch, name == BOTH, baseline)
            for name in (BOTH, EACH)
        }
        gradients = integrated_gradients(forward, pairs, target, baseline)
    return {GRADIENTS: gradients, **covered}


def rank_correlations(
    maps: dict[str, Tensor], others: Sequence[dict[str, Tensor]]
) -> dict[str, tuple[float, float]]:
    """Compare the maps of a network with those of networks with random weights.

    A method whose maps stay the same with random weights says nothing about the network
    (Adebayo et al. 2018, 'Sanity checks for saliency maps').

    Args:
        maps: As :func:`explain` returns them.
        others: The same for other networks.

    Returns:
        dict: For each method, two Spearman correlations, of the values and of their
        absolute values, averaged over pairs and networks: 1 for the same order, about 0
        for unrelated maps, NaN if all maps are flat.
    """

    def mean_correlation(name: str, values: Callable) -> float:
        found = [
            spearmanr(values(a).flatten().cpu(), values(b).flatten().cpu()).statistic
            for other in others
            for a, b in zip(maps[name], other[name])
            if a.std() > 0 and b.std() > 0
        ]
        return float(np.mean(found)) if found else float('nan')

    return {
        name: (mean_correlation(name, Tensor.clone), mean_correlation(name, Tensor.abs))
        for name in maps
    }


def _still(pairs: Tensor) -> Tensor:
    return pairs.mean(1, keepdim=True).expand_as(pairs)


def _flat(pairs: Tensor) -> Tensor:
    return pairs.mean((-2, -1), keepdim=True).expand_as(pairs)


def _check(baseline: str) -> str:
    if baseline not in BASELINES:
        raise ValueError(
            f'baseline is {baseline!r}; it must be one of '
            f'{", ".join(map(repr, BASELINES))}'
        )
    return baseline


def _captum():
    try:
        import captum.attr
    except ImportError:
        raise ValueError(
            "explanations need Captum: pip install 'mmcomp[vis]'"
        ) from None
    return captum.attr
