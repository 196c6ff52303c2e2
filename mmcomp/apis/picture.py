"""A picture of one prediction: the pair, the compared map and the scores."""

import textwrap
from typing import Any

import cv2
import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

WARNING = (
    'A score reflects what a network learned from its training data; it is not a fact.'
)


@matplotlib.rc_context({'text.parse_math': False})  # a name may hold dollar signs
def prediction_picture(
    onset: np.ndarray,
    apex: np.ndarray,
    compared: np.ndarray | None,
    scores: dict[str, float],
    title: str,
) -> np.ndarray:
    """Return :func:`prediction_figure` as an image.

    Returns:
        np.ndarray: ``(height, width, 3)``, BGR, uint8.
    """
    canvas = FigureCanvasAgg(prediction_figure(onset, apex, compared, scores, title))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., 2::-1].copy()


def prediction_figure(
    onset: np.ndarray,
    apex: np.ndarray,
    compared: np.ndarray | None,
    scores: dict[str, float],
    title: str,
) -> Figure:
    """Draw onset, apex, their difference, the compared map and the scores in a row.

    Args:
        onset, apex (np.ndarray): ``(H, W)`` or ``(H, W, 3)`` BGR, uint8.
        compared (np.ndarray, optional): ``(h, w)``, the mean magnitude of the compared
            maps over their channels.
        scores (dict): Score of each class.
        title (str): Heading of the picture.
    """
    names = [textwrap.fill(name, 32) for name in scores]
    longest = max(len(line) for name in names for line in name.split('\n'))
    fig = Figure(figsize=(9.5 + 0.08 * longest, 2.5), dpi=110, layout='constrained')
    axes = fig.subplots(1, 5, width_ratios=[1, 1, 1, 1, 0.9])
    difference = apex.astype(np.int16) - onset.astype(np.int16)
    if difference.ndim == 3:
        difference = difference.mean(-1)
    panels: tuple[tuple[str, Any, dict[str, Any]], ...] = (
        ('onset', _rgb(onset), {}),
        ('apex', _rgb(apex), {}),
        ('apex - onset', difference, dict(cmap='RdBu_r', vmin=-128, vmax=128)),
        ('compared', compared, dict(cmap='magma', vmin=0)),
    )
    for ax, (name, image, kwargs) in zip(axes, panels):
        ax.axis('off')
        if image is None:
            continue
        gray = {'cmap': 'gray', 'vmin': 0, 'vmax': 255} if image.ndim == 2 else {}
        ax.imshow(image, **(kwargs or gray))
        ax.set_title(name, fontsize=9)
    values = list(scores.values())
    bars = axes[4].barh(names, values, color='#1f6f8b')
    axes[4].bar_label(bars, [f'{v:.2f}' for v in values], padding=3, fontsize=8)
    axes[4].tick_params(labelsize=8)
    axes[4].set_xlim(0, 1.2)
    axes[4].set_xticks([])
    axes[4].invert_yaxis()
    axes[4].set_title('score', fontsize=9)
    for side in ('top', 'right', 'bottom'):
        axes[4].spines[side].set_visible(False)
    fig.suptitle(title, fontsize=10, x=0.01, ha='left')
    fig.supxlabel(WARNING, x=0.99, ha='right', fontsize=7, color='#52606d')
    return fig


def _rgb(image: np.ndarray) -> np.ndarray:
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
