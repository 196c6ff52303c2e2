"""A picture of attribution maps laid over onset and apex."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from .explain import BOTH, EACH, GRADIENTS
from .style import (
    SIGNED,
    SOFT,
    axes_at,
    color_bar,
    color_scale,
    draw_title,
    overlay,
    styled,
    write,
)

CELL, GAP, GROUP = 0.8, 0.05, 0.25  # inches: a picture, between two, between groups
LINES = 0.36  # inches above each row of pictures


class Panel(NamedTuple):
    """A map, the image below it, and the text above its column."""

    method: str
    part: int | None  # index of the image whose map it is; None for a common map
    image: int
    text: str


PANELS: tuple[tuple[Panel, ...], ...] = (
    (
        Panel(GRADIENTS, 0, 0, 'gradients:\nonset'),
        Panel(GRADIENTS, 1, 1, '\napex'),
    ),
    (Panel(BOTH, None, 1, 'both covered\nat a position'),),
    (
        Panel(EACH, 0, 0, 'one covered:\nonset'),
        Panel(EACH, 1, 1, '\napex'),
    ),
)


@styled()
def explanation_figure(
    maps: dict[str, Tensor],
    images: np.ndarray,
    captions: Sequence[tuple[str, str]],
    control: dict[str, Tensor] | None = None,
    heading: str = '',
    note: str = '',
) -> Figure:
    """Draw pairs in rows: onset, apex, and the maps of each method over them.

    All pairs share one scale for gradients and one for occlusion.

    Args:
        maps (dict): As :func:`mmcomp.visualization.explain.explain` returns them.
        images (np.ndarray): ``(B, 2, H, W[, 3])`` between 0 and 1.
        captions: Two texts for each pair; the second is paler.
        control (dict, optional): The maps of a network with random weights, whose first
            pair is shown in a last row with a scale of its own.
        heading, note (str): Texts above the picture.
    """
    rows = [(images[i], {k: v[i] for k, v in maps.items()}) for i in range(len(images))]
    scales = [_scales(maps)] * len(rows)
    captions = list(captions)
    if control is not None:
        rows.append((images[0], {k: v[0] for k, v in control.items()}))
        scales.append(_scales(control))
        captions.append(('control: the first pair', 'random weights; own scales'))
    lefts = _lefts()
    top = 0.85 + 0.14 * note.count('\n')
    row_height = LINES + CELL + 0.06
    width = lefts[-1] + CELL
    figure = Figure(figsize=(width, top + len(rows) * row_height + 0.55))
    draw_title(figure, heading, note)
    heads = ['onset', 'apex', *(panel.text for group in PANELS for panel in group)]
    style = dict(cmap='gray', vmin=0, vmax=1, aspect='auto', interpolation='nearest')
    for left, text in zip(lefts, heads):
        write(figure, left, top - 0.05, text, color=SOFT, va='baseline')
    for line, ((pair, own), (first, second)) in enumerate(zip(rows, captions)):
        above = top + line * row_height
        write(figure, 0, above + 0.02, first)
        write(figure, 0, above + 0.17, second, fontsize=7, color=SOFT)
        pictures = [pair[0], pair[1], *_overlays(pair, own, scales[line])]
        for left, picture in zip(lefts, pictures):
            axes = axes_at(figure, left, above + LINES, CELL, CELL)
            axes.imshow(picture, **style)
    below = top + len(rows) * row_height + 0.05
    bars = ((2, 'gradients: share of the margin'), (5, 'covered: fall of the margin'))
    for column, label in bars:
        high = scales[0][label.split(':')[0]]
        color_bar(
            figure, lefts[column], below, 2 * CELL + GAP, (SIGNED, -high, high), label
        )
    return figure


def _scales(maps: dict[str, Tensor]) -> dict[str, float]:
    """Return the highest value of the maps of gradients and of occlusion."""
    covered = np.concatenate([maps[k].cpu().numpy().ravel() for k in (BOTH, EACH)])
    return dict(
        gradients=color_scale(maps[GRADIENTS].cpu().numpy(), 99)[2],
        covered=color_scale(covered, 99)[2],
    )


def _lefts() -> list[float]:
    """Return the left edges of the columns of pictures, in inches."""
    lefts = [0.0, CELL + GAP]
    for group in PANELS:
        lefts.append(lefts[-1] + CELL + GROUP)
        lefts.extend(lefts[-1] + i * (CELL + GAP) for i in range(1, len(group)))
    return lefts


def _overlays(pair: np.ndarray, own: dict[str, Tensor], scales: dict) -> list:
    pictures = []
    for method, part, image, _ in (panel for group in PANELS for panel in group):
        values = own[method] if part is None else own[method][part]
        high = scales['gradients' if method == GRADIENTS else 'covered']
        pictures.append(overlay(pair[image], values.cpu().numpy(), high))
    return pictures
