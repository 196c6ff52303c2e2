"""Facial points of both images of pairs, and how they move."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmcomp.faces.landmark_table import PairLandmarks
from mmcomp.faces.landmarks import eyes_of
from mmcomp.features.shape import POINTS, displacement

from .style import (
    ALARM,
    INK,
    PALE,
    SOFT,
    axes_at,
    draw_title,
    styled,
    write,
)

COLUMNS = 2  # pairs in a row
SIDE, GAP = 2.6, 0.1  # inches of an image, and between two
ENLARGED = 3  # factor on the length of arrows
MARK = '#ffd23f'  # of the 51 points; to be seen on dark and on bright skin


@styled()
def landmarks_figure(
    images: np.ndarray,
    found: Sequence[PairLandmarks],
    captions: Sequence[str],
    heading: str = '',
    note: str = '',
) -> Figure:
    """Draw pairs, onset left with arrows and apex right.

    Args:
        images (np.ndarray): ``(N, 2, H, W)``, or RGB ``(N, 2, H, W, 3)``, 0 to 1.
        found: Points of each pair.
        captions: A text for each pair; below it, what its points are not trusted for.
        heading, note (str): Texts above the picture.
    """
    columns = min(COLUMNS, len(found))
    wide, high = 2 * SIDE + 3 * GAP, SIDE + 0.45
    rows = -(-len(found) // columns)
    figure = Figure(figsize=(columns * wide, 0.5 + rows * high))
    for index, (pair, own, caption) in enumerate(zip(images, found, captions)):
        row, column = divmod(index, columns)
        left, top = column * wide, 0.5 + row * high
        for moment, points in enumerate((own.onset.points, own.apex.points)):
            axes = axes_at(figure, left + moment * (SIDE + GAP), top, SIDE, SIDE)
            axes.imshow(pair[moment], cmap='gray', vmin=0, vmax=1)
            _draw_points(axes, points)
            if moment == 0:
                _draw_motion(axes, own)
            height, width = pair[moment].shape[:2]
            axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
        below = top + SIDE + 0.04
        write(figure, left, below, caption, color=ALARM if own.fault else INK)
        fault = own.fault.replace('landmarks: ', '')
        write(figure, left, below + 0.14, fault, fontsize=6, color=SOFT)
    draw_title(figure, heading, note)
    return figure


def _draw_points(axes: Axes, points: np.ndarray) -> None:
    axes.plot(*points[:, :2].T, '.', color=PALE, markersize=0.6)
    axes.plot(*points[list(POINTS), :2].T, '.', color=MARK, markersize=3)


def _draw_motion(axes: Axes, pair: PairLandmarks) -> None:
    """Draw how the 51 points move in the face's own frame, as arrows from the onset."""
    onset, apex = (own.points[:, :2].astype(float) for own in (pair.onset, pair.apex))
    moved = displacement(onset, apex)
    # From eye distances along and across the line of the eyes to pixels.
    along = np.subtract(*eyes_of(onset)[::-1])
    frame = np.array([along, along[::-1] * (-1, 1)])
    start = onset[list(POINTS)]
    axes.quiver(
        *start.T,
        *(ENLARGED * moved @ frame).T,
        angles='xy',
        scale_units='xy',
        scale=1,
        color=ALARM,
        width=0.006,
    )
