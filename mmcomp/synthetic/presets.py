"""Which subjects show which emotions, posed and spontaneous."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .expressions import EMOTIONS, LABELS


@dataclass(frozen=True)
class Preset:
    """Size and composition of a dataset.

    Attributes:
        code: Part of every seed, so that two presets never share a subject.
        subjects: Number of subjects.
        counts: Number of pairs by label and emotion.
    """

    code: int
    subjects: int
    counts: Mapping[str, Mapping[str, int]]

    @property
    def pairs(self) -> int:
        """Number of pairs."""
        return sum(sum(by_emotion.values()) for by_emotion in self.counts.values())


@dataclass(frozen=True)
class Cell:
    """One pair to be made."""

    subject: int
    emotion: str
    label: str


def _even(total: int, emotions: tuple[str, ...] = EMOTIONS) -> dict[str, int]:
    share, rest = divmod(total, len(emotions))
    return {name: share + (i < rest) for i, name in enumerate(emotions)}


def _both(total: int) -> dict[str, dict[str, int]]:
    """Return balanced counts; of an odd total, the odd pair is spontaneous."""
    return {'posed': _even(total // 2), 'spontaneous': _even(total - total // 2)}


#: The sizes are those of the paper's data. SPOS has 14 posed pairs of each
#: emotion and 66 spontaneous smiles, as its published error rates imply.
PRESETS: Mapping[str, Preset] = {
    'nvie-subset': Preset(code=1, subjects=80, counts=_both(1028)),
    'nvie-full': Preset(code=2, subjects=148, counts=_both(4203)),
    'spos': Preset(
        code=3,
        subjects=7,
        counts={
            'posed': _even(84),
            'spontaneous': {'happiness': 66} | _even(84, EMOTIONS[1:]),
        },
    ),
    'tiny': Preset(code=4, subjects=6, counts=_both(72)),
}


def design(preset: Preset, rng: np.random.Generator) -> list[list[Cell]]:
    """Assign the pairs to the subjects.

    Every subject gets an equal share of each emotion and label; what does not
    divide goes to subjects drawn by ``rng``, the same for both labels, so that
    it comes in couples of one posed and one spontaneous pair.

    Returns:
        The pairs of each subject.
    """
    cells: list[list[Cell]] = [[] for _ in range(preset.subjects)]
    for emotion in EMOTIONS:
        order = rng.permutation(preset.subjects).tolist()
        for label in LABELS:
            for i in range(preset.counts[label][emotion]):
                subject = order[i % preset.subjects]
                cells[subject].append(Cell(subject, emotion, label))
    return cells
