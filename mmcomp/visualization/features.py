"""A picture of feature maps: onset, apex and compared, as in the paper's Appendix B."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from .maps import StageMaps
from .style import (
    SIGNED,
    SOFT,
    axes_at,
    color_bar,
    color_scale,
    draw_title,
    side_by_side,
    styled,
    write,
)

CELL, GAP, LABELS = 0.56, 0.06, 0.78  # inches: a map, around it, names of rows


@styled()
def features_figure(
    maps: StageMaps,
    images: np.ndarray,
    captions: Sequence[str],
    columns: Sequence[Sequence[int]],
    channels: int = 8,
    heading: str = '',
) -> Figure:
    """Draw the maps with the most energy, for several pairs in columns.

    All pairs show the same channels in the same order. Maps of onset and apex share
    one scale, compared maps another.

    Args:
        maps (StageMaps): Of the pairs.
        images (np.ndarray): ``(B, 2, H, W[, 3])`` between 0 and 1; see
            :func:`mmcomp.visualization.pairs.displayable`.
        captions: One for each pair.
        columns: Indices of the pairs of each column, such as those of one class.
        channels (int): Number of channels to show.
        heading (str): Text above the picture.

    Raises:
        ValueError: If ``channels`` is below 1.
    """
    if channels < 1:
        raise ValueError(f'channels is {channels}; it must be at least 1')
    order = maps.order[:channels].cpu()
    share = (maps.energies.cpu()[order] / maps.energies.sum().cpu()).tolist()
    rows = [
        (name, _shown(own, order))
        for name, own in (
            ('onset', maps.onset),
            ('apex', maps.apex),
            (maps.what.replace(' - ', '\n- '), maps.compared),
        )
        if own is not None
    ]
    scales = _scales([own for _, own in rows])
    strip = len(order) * CELL
    column_width = max(CELL + GAP + strip + 0.3, 2.4)  # room for a caption
    block = 0.2 + len(rows) * (CELL + GAP) + 0.1
    lines = max(len(column) for column in columns)
    top = 0.82
    width = LABELS + len(columns) * column_width
    figure = Figure(figsize=(width, top + lines * block + 0.5))
    total = len(maps.energies)
    which = (
        f'{len(order)} of {total} channels' if len(order) < total else 'all channels'
    )
    note = (
        f'after {maps.stage}: {which}, strongest first, with their share of the energy '
        f'of the maps {maps.what!r} ({100 * sum(share):.0f} % together)'
    )
    draw_title(figure, heading, note)
    for at, column in enumerate(columns):
        left = LABELS + at * column_width
        for index, (channel, part) in enumerate(zip(order.tolist(), share)):
            x = left + CELL + GAP + (index + 0.5) * CELL
            text = f'#{channel}\n{100 * part:.0f} %'
            write(figure, x, 0.53, text, fontsize=6.5, color=SOFT, ha='center')
        for line, pair in enumerate(column):
            above = top + line * block
            write(figure, left, above, captions[pair])
            pictures = _pictures(images[pair], len(rows))
            for row, ((name, own), scale) in enumerate(zip(rows, scales)):
                y = above + 0.2 + row * (CELL + GAP)
                if at == 0:
                    style = dict(va='center', ha='right', color=SOFT)
                    write(figure, left - 0.08, y + CELL / 2, name, **style)
                image, style = pictures[row]
                axes_at(figure, left, y, CELL, CELL).imshow(image, **style)
                axes = axes_at(figure, left + CELL + GAP, y, strip, CELL)
                colors, low, high = scale
                axes.imshow(
                    _mosaic(own[pair]), cmap=colors, vmin=low, vmax=high, aspect='auto'
                )
    below = top + lines * block
    bars = [(scales[-1], f'{maps.what} maps')]
    if len(rows) > 1:
        bars.insert(0, (scales[0], 'maps of onset and apex'))
    for index, (scale, label) in enumerate(bars):
        color_bar(figure, LABELS + index * 2.6, below, 2.2, scale, label)
    return figure


def class_columns(labels: Sequence[str | None]) -> list[list[int]]:
    """Return indices by column: one for each of two classes, or two in turn."""
    classes = sorted({label for label in labels if label})
    if len(classes) == 2:
        return [[i for i, own in enumerate(labels) if own == c] for c in classes]
    indices = list(range(len(labels)))
    return [own for own in (indices[::2], indices[1::2]) if own]


def _shown(maps: Tensor, order: Tensor) -> np.ndarray:
    """Return the channels to show; concatenated maps have more than each image's."""
    return maps.cpu()[:, order % maps.shape[1]].float().numpy()


def _scales(rows: list[np.ndarray]) -> list[tuple]:
    compared = color_scale(rows[-1])
    if len(rows) == 1:
        return [compared]
    either = color_scale(np.concatenate([own.ravel() for own in rows[:-1]]))
    return [either, either, compared]


def _mosaic(maps: np.ndarray) -> np.ndarray:
    """Join maps in a row, enlarged so that the gaps between them are thin."""
    enlarged = maps.repeat(_ENLARGE, 1).repeat(_ENLARGE, 2)
    gap = max(round(enlarged.shape[2] * GAP / CELL), 1)
    return side_by_side(enlarged, gap)


_ENLARGE = 8


def _pictures(pair: np.ndarray, rows: int) -> list[tuple]:
    """Return the images left of the rows: onset, apex and their difference."""
    gray = dict(cmap='gray', vmin=0, vmax=1)
    change = pair[1] - pair[0]
    change = change.mean(-1) if change.ndim == 3 else change
    signed = dict(cmap=SIGNED, vmin=-0.7, vmax=0.7)
    return [(pair[0], gray), (pair[1], gray), (change, signed)][-rows:]
