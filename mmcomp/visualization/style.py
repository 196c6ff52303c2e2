"""The style of all pictures; drawn without pyplot and its global state."""

from collections.abc import Sequence
from typing import Any

import cv2
import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from mmcomp.figures import encode_figure

INK, SOFT, ACCENT, PALE, ALARM = '#1f2933', '#52606d', '#1f6f8b', '#9fb8c2', '#b3382c'
STYLE: Any = {
    'font.size': 9,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.edgecolor': SOFT,
    'axes.titlesize': 10,
    'figure.dpi': 110,
    'savefig.bbox': 'tight',
    'text.parse_math': False,  # a $ in a name is a $
}
MAGNITUDE, SIGNED = 'magma', 'RdBu_r'  # colours of maps without and with a sign


def styled():
    """Return a decorator for functions that draw or save figures."""
    return matplotlib.rc_context(STYLE)


def encode(figure: Figure, suffix: str = '.png') -> bytes:
    """Return a figure as a PNG, PDF or SVG file in this style."""
    return encode_figure(figure, suffix, **STYLE)


def array(figure: Figure) -> np.ndarray:
    """Return a figure as an RGB image ``(height, width, 3)``, uint8."""
    image: Any = cv2.imdecode(np.frombuffer(encode(figure), np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def axes_at(figure: Figure, left: float, top: float, width: float, height: float):
    """Add bare axes at a position in inches from the figure's left and top."""
    full_width, full_height = figure.get_size_inches()
    axes = figure.add_axes((
        left / full_width,
        1 - (top + height) / full_height,
        width / full_width,
        height / full_height,
    ))  # fmt: skip
    axes.axis('off')
    return axes


def write(figure: Figure, left: float, top: float, text: str, **style) -> None:
    """Write text at a position in inches from the figure's left and top."""
    full_width, full_height = figure.get_size_inches()
    style = {'color': INK, 'fontsize': 8, 'va': 'top', 'linespacing': 1.25, **style}
    figure.text(left / full_width, 1 - top / full_height, text, **style)


def draw_title(figure: Figure, text: str, note: str = '') -> None:
    """Write a heading and, below it, a note of one line; half an inch in all."""
    write(figure, 0, 0.02, text, fontsize=11, fontweight='bold')
    write(figure, 0, 0.25, note, color=SOFT)


def draw_legend(owner: Figure | Axes, handles: Any, names: Sequence[str], **style):
    """Draw the legend of a figure or axes, with each name as it is.

    Matplotlib leaves out names that begin with an underscore.
    """
    legend = owner.legend(handles, list(map(str, range(len(names)))), **style)
    for text, name in zip(legend.get_texts(), names):
        text.set_text(name)


def color_scale(values: np.ndarray, share: float = 99.7) -> tuple[str, float, float]:
    """Return colours and limits for maps: from 0, or around 0 if some are negative.

    Args:
        values (np.ndarray): All values that share the scale.
        share (float): Percentile at which the scale ends, so that outliers do not leave
            the rest dark.

    Returns:
        tuple: Name of the colours, lowest and highest value.
    """
    values = values[np.isfinite(values)]
    top = float(np.percentile(np.abs(values), share)) if values.size else 0.0
    top = top or 1.0
    if values.size and values.min() < 0:
        return SIGNED, -top, top
    return MAGNITUDE, 0.0, top


def color_bar(
    figure: Figure, left: float, top: float, width: float, scale, label: str
) -> None:
    """Draw a flat colour bar with its label above, half an inch high.

    Args:
        figure: The figure.
        left, top, width (float): Position, in inches.
        scale: As :func:`color_scale` returns it.
        label (str): Meaning of the numbers.
    """
    name, low, high = scale
    write(figure, left, top, label, fontsize=7.5, color=SOFT)
    axes = axes_at(figure, left, top + 0.18, width, 0.09)
    axes.axis('on')
    bar = figure.colorbar(
        ScalarMappable(Normalize(low, high), name), axes, orientation='horizontal'
    )
    ticks = [low, 0, high] if low < 0 else [low, high / 2, high]
    bar.set_ticks(ticks, labels=[f'{tick:.2g}' for tick in ticks])
    bar.ax.tick_params(labelsize=7, length=2, pad=1, color=SOFT, labelcolor=SOFT)
    bar.outline.set_visible(False)


def overlay(image: np.ndarray, values: np.ndarray, high: float) -> np.ndarray:
    """Lay a signed map over an image, which stays visible where the map is 0.

    Args:
        image (np.ndarray): ``(H, W)`` or ``(H, W, 3)``, between 0 and 1.
        values (np.ndarray): ``(H, W)``.
        high (float): Absolute value of the strongest colour.

    Returns:
        np.ndarray: ``(H, W, 3)``.
    """
    share = np.clip(values / high, -1, 1)
    colors = matplotlib.colormaps[SIGNED]((share + 1) / 2)[..., :3]
    gray = image if image.ndim == 2 else image.mean(-1)
    weight = np.sqrt(np.abs(share))[..., None] * 0.85
    return (1 - weight) * (0.25 + 0.7 * gray[..., None]) + weight * colors


def side_by_side(
    images: np.ndarray, gap: int = 1, fill: float | None = None
) -> np.ndarray:
    """Join images of one size in a row, with gaps between them.

    Args:
        images (np.ndarray): ``(N, H, W)`` or ``(N, H, W, 3)``, float.
        gap (int): Pixels between two.
        fill (float, optional): Value of the gaps. Defaults to NaN, which is not drawn.

    Returns:
        np.ndarray: ``(H, N * W + (N - 1) * gap[, 3])``.
    """
    fill = np.nan if fill is None else fill
    padding = [(0, 0), (0, 0), (0, gap)] + [(0, 0)] * (images.ndim - 3)
    padded = np.pad(images.astype(float), padding, constant_values=fill)
    return np.concatenate(list(padded), 1)[:, : -gap or None]
