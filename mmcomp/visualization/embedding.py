"""Embedding of a network's features by t-SNE: similar pairs lie near each other."""

from collections import Counter
from collections.abc import Sequence

import matplotlib
import numpy as np
import torch
from matplotlib.figure import Figure
from mmengine.model import BaseModel
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from mmcomp.models.inspect import evaluating, prepare_pairs

from .style import INK, SOFT, draw_legend, draw_title, styled

LEGEND = 10  # values in a legend; more have none
LETTERS = 56  # that fit below a panel
LEAST = 4  # pairs that t-SNE needs


@torch.no_grad()
def pre_logits(
    model: BaseModel, pairs: Sequence[Tensor], batch_size: int = 128
) -> np.ndarray:
    """Return the input of the last layer, ``(N, D)``.

    Args:
        model: The network. Of a stack, the members' features are joined.
        pairs: ``(2, C, H, W)`` each, gray levels.
        batch_size (int): Pairs that go through the network at once.
    """
    with evaluating(model):
        found = [
            model.extract_feat(
                prepare_pairs(model, pairs[i : i + batch_size]), 'pre_logits'
            )
            for i in range(0, len(pairs), batch_size)
        ]
    return torch.cat(found).float().cpu().numpy()


def lay_out(features: np.ndarray, seed: int = 0, perplexity: float = 30) -> np.ndarray:
    """Embed features ``(N, D)`` as points ``(N, 2)`` by t-SNE.

    See van der Maaten and Hinton (2008). Features are standardised. The perplexity is
    at most a third of N - 1.

    Raises:
        ValueError: If there are too few pairs.
    """
    if len(features) < LEAST:
        raise ValueError(
            f'number of pairs is {len(features)}; it must be at least {LEAST} for t-SNE'
        )
    spread = features.std(0)
    features = (features - features.mean(0)) / np.where(spread > 0, spread, 1)
    perplexity = min(perplexity, (len(features) - 1) / 3)
    return TSNE(
        perplexity=perplexity, init='pca', random_state=seed, n_jobs=1
    ).fit_transform(features)


def neighbour_share(features: np.ndarray, values: Sequence) -> tuple[float, float]:
    """Return how often the nearest pair, in all dimensions, has the same value.

    Returns:
        tuple: The observed fraction, and the one expected by chance.
    """
    own = np.asarray(values)
    near = NearestNeighbors(n_neighbors=1).fit(features)
    # Without an argument, a pair is not its own neighbour.
    nearest = near.kneighbors(return_distance=False)[:, 0]
    count = len(own)
    same = sum(n * (n - 1) for n in Counter(own.tolist()).values())
    return float((own == own[nearest]).mean()), same / (count * (count - 1))


@styled()
def embedding_figure(
    points: np.ndarray,
    values: dict[str, Sequence[str]],
    shares: dict[str, tuple[float, float]],
    marked: dict[str, int] = {},
    heading: str = '',
    note: str = '',
) -> Figure:
    """Draw the same points once for each column, coloured by its values.

    Args:
        points (np.ndarray): ``(M, 2)``.
        values (dict): Columns with N values each; points after the N-th are gray.
        shares (dict): Result of :func:`neighbour_share` for each column.
        marked (dict): Names of pairs to mark, and their indices.
        heading, note (str): Texts above the picture.
    """
    width = 3.5 * len(values)
    figure = Figure(figsize=(width, 4.5))
    draw_title(figure, heading, note)
    panels = figure.subplots(1, len(values), squeeze=False)[0]
    figure.subplots_adjust(0.01, 0.16, 0.99, 0.8, wspace=0.06)
    for axes, (column, own) in zip(panels, values.items()):
        names = sorted(set(own))
        colors = matplotlib.colormaps['tab10' if len(names) <= LEGEND else 'gist_ncar']
        rest = points[len(own) :]
        axes.scatter(*rest.T, s=20, color=SOFT)
        handles = []
        for index, name in enumerate(names):
            at = points[: len(own)][np.array(own) == name]
            color = colors(index if len(names) <= LEGEND else index / len(names))
            dots = axes.scatter(*at.T, s=20, color=color, linewidths=0, alpha=0.85)
            handles.append(dots)
        found, chance = shares[column]
        axes.set_title(
            f'{column}: {len(names)} values\nnearest pair has the same: '
            f'{100 * found:.0f} % (by chance {100 * chance:.0f} %)',
            fontsize=9,
            loc='left',
        )
        for name, index in marked.items():
            axes.scatter(*points[index], s=110, marker='o', fc='none', ec=INK, lw=1.4)
            axes.annotate(name, points[index], (6, 6), textcoords='offset points')
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        if len(names) <= LEGEND:
            columns = min(max(LETTERS // (max(map(len, names)) + 5), 1), 3)
            draw_legend(
                axes, handles, names, loc='upper center', bbox_to_anchor=(0.5, 0),
                ncols=columns, frameon=False,
                fontsize=8, handletextpad=0.1, columnspacing=1,
            )  # fmt: skip
    return figure
