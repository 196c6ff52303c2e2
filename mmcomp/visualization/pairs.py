"""Pairs as the network sees them, with the random parameters of augmentation."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from mmpretrain.structures import DataSample
from torch import Tensor

from mmcomp.models import PairAugment, PairDataPreprocessor

from .networks import seeded
from .style import ALARM, INK, SOFT, axes_at, draw_title, side_by_side, styled, write

COLUMNS = 4  # pairs in a row
WIDTH = 2.7  # inches of a pair


def seen_pairs(
    preprocessor: PairDataPreprocessor,
    pairs: Sequence[Tensor],
    labels: Sequence[int] | None = None,
    training: bool = True,
    seed: int = 0,
) -> tuple[Tensor, list[dict]]:
    """Return the output of the preprocessor and the random parameters behind it.

    The parameters are drawn a second time from the same seed, so that the preprocessor
    need not store them.

    Args:
        preprocessor: The preprocessor of the network.
        pairs: ``(2, C, H, W)`` each, gray levels.
        labels: Class indices, for Mixup and CutMix.
        training (bool): Whether to augment.
        seed (int): Seed of all random numbers; the caller's generators are unaffected.

    Returns:
        tuple: ``(B, 2, C, h, w)``, and for each pair a dict of ``rotate`` (degrees),
        ``scale``, ``shift`` (x, y in pixels), ``corner`` (left, top of the crop),
        ``flip`` and ``erased`` (left, top, width, height, or None); empty where nothing
        is random.
    """
    data = dict(inputs=[pair.to(preprocessor.device) for pair in pairs])
    if labels is not None:
        data['data_samples'] = [DataSample().set_gt_label(label) for label in labels]
    with seeded(seed):
        seen = preprocessor(data, training)['inputs']
    augment = preprocessor.augment
    if not training or not isinstance(augment, PairAugment):
        return seen, [{} for _ in pairs]
    stacked = torch.stack(data['inputs'])
    height, width = stacked.shape[-2:]
    room = width - augment.crop_size, height - augment.crop_size
    with seeded(seed):
        drawn = augment.random_params(stacked, room)
        erased = augment.random_rectangle(stacked) if augment.erase_prob else None
    names = ('rotate', 'scale', 'shift', 'corner', 'flip')
    found = [
        dict(zip(names, values)) for values in zip(*(value.tolist() for value in drawn))
    ]
    for index, one in enumerate(found):
        one['erased'] = None
        if erased is not None and erased[2][index]:
            corner, sides, _ = erased
            one['erased'] = (*corner[index].tolist(), *sides[index].tolist())
    return seen, found


def describe(parameters: dict) -> str:
    """Describe the random parameters of one pair in two lines."""
    if not parameters:
        return ''
    x, y = parameters['shift']
    left, top = parameters['corner']
    text = (
        f'rotated {parameters["rotate"]:+.1f}°, scaled {parameters["scale"]:.2f}, '
        f'shifted ({x:+.1f}, {y:+.1f})\ncropped at ({left:.0f}, {top:.0f})'
    )
    if parameters['flip']:
        text += ', mirrored'
    if parameters['erased']:
        left, top, width, height = parameters['erased']
        text += f', covered {width}x{height} at ({left}, {top})'
    return text


def displayable(pairs: Tensor, to_rgb: bool = False) -> np.ndarray:
    """Return pairs as pictures on one common scale of brightness.

    Args:
        pairs (Tensor): ``(N, 2, C, H, W)``, any range.
        to_rgb (bool): Whether three channels are RGB; BGR otherwise.

    Returns:
        np.ndarray: ``(N, 2, H, W)``, or ``(N, 2, H, W, 3)`` RGB, between 0 and 1.
    """
    images = pairs.detach().float().cpu().numpy()
    low, high = np.percentile(images, [0.3, 99.7])
    images = np.clip((images - low) / (high - low or 1), 0, 1)
    if images.shape[2] != 3:
        return images.mean(2)
    images = images.transpose(0, 1, 3, 4, 2)
    return images if to_rgb else images[..., ::-1]


@styled()
def pairs_figure(
    images: np.ndarray,
    captions: Sequence[tuple[str, str]],
    heading: str = '',
    note: str = '',
    wrong: Sequence[bool] = (),
) -> Figure:
    """Draw pairs, onset left and apex right, with captions.

    Args:
        images (np.ndarray): As :func:`displayable` returns them.
        captions: Two texts for each pair; the second is paler.
        heading, note (str): Texts above the picture.
        wrong: Whether the caption of each pair is red.
    """
    count = len(images)
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    lines = max(len(f'{a}\n{b}'.strip().split('\n')) for a, b in captions)
    height, width = images.shape[2:4]
    picture = (WIDTH - 0.15) * height / (2 * width + 1)
    cell = picture + 0.14 * lines + 0.17
    top = 0.5 if note else 0.32 if heading else 0.0
    figure = Figure(figsize=(columns * WIDTH, rows * cell + top))
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        left, above = column * WIDTH, top + row * cell
        axes = axes_at(figure, left, above, WIDTH - 0.15, picture)
        strip = side_by_side(image, fill=1.0)
        axes.imshow(strip, cmap='gray', vmin=0, vmax=1, aspect='auto')
        first, second = captions[index]
        red = index < len(wrong) and wrong[index]
        below = above + picture + 0.04
        write(figure, left, below, first, color=ALARM if red else INK)
        below += 0.14 * len(first.split('\n'))
        write(figure, left, below, second, fontsize=7, color=SOFT)
    draw_title(figure, heading, note)
    return figure
