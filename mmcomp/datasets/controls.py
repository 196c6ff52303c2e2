"""Controls: pairs changed on purpose, to see what a result depends on.

A network that sees one image twice, or that learns from shuffled labels, should do no
better than chance.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

CONTROLS = ('onset-only', 'apex-only', 'swapped', 'shuffled-labels')
SHUFFLED_LABELS = 'shuffled-labels'
_ORDER = {'onset-only': (0, 0), 'apex-only': (1, 1), 'swapped': (1, 0)}

T = TypeVar('T')


def control_pair(pair: tuple[T, T], control: str | None) -> tuple[T, T]:
    """Return the pair that a control shows instead of a pair.

    Args:
        pair (tuple): Onset and apex: images, paths or anything else.
        control (str, optional): One of :data:`CONTROLS`. 'shuffled-labels' and None
            leave the pair as it is.

    Examples:
        >>> control_pair(('onset', 'apex'), 'onset-only')
        ('onset', 'onset')
        >>> control_pair(('onset', 'apex'), 'swapped')
        ('apex', 'onset')
    """
    first, second = _ORDER.get(control or '', (0, 1))
    return pair[first], pair[second]


def shuffle_labels(
    labels: Sequence[int], subjects: Sequence[str], seed: int = 0
) -> list[int]:
    """Permute labels at random among the pairs of each subject.

    Each subject keeps its number of pairs of each class.

    Args:
        labels (Sequence[int]): Class index of each pair.
        subjects (Sequence[str]): Subject of each pair.
        seed (int): Seed of the permutation. Defaults to 0.

    Examples:
        >>> shuffle_labels([0, 0, 1, 1, 2], ['a', 'a', 'a', 'a', 'b'])
        [1, 0, 0, 1, 2]
    """
    rng = np.random.default_rng(seed)
    by_subject: dict[str, list[int]] = {}
    for index, subject in enumerate(subjects):
        by_subject.setdefault(subject, []).append(index)
    shuffled = list(labels)
    for _, indices in sorted(by_subject.items()):
        chosen = rng.permutation([labels[i] for i in indices]).tolist()
        for i, label in zip(indices, chosen):
            shuffled[i] = label
    return shuffled
