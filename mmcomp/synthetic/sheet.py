"""A contact sheet of the pairs of a dataset, to check them by eye."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from mmcomp.tables import read_table

from .expressions import LABELS
from .generate import PAIRS_FILE
from .plan import FRAMES

_ENLARGE = 4
_CAPTION = 20
_GAP = 24


def dataset_sheet(dataset_dir: str | Path, pairs: int = 24) -> np.ndarray:
    """Draw pairs as onset, apex and difference, one half for each label.

    Both halves show the same subjects and emotions, as far as the dataset has
    them; emotions and subjects alternate.

    Args:
        dataset_dir: Folder of a dataset.
        pairs: How many pairs to show, half of them posed.

    Returns:
        Gray image ``(H, W)``, uint8. Difference: apex minus onset, halved, with
        128 for no change.

    Raises:
        ValueError: If ``pairs`` is less than 2.
    """
    if pairs < 2:
        raise ValueError(f'pairs is {pairs}; it must be at least 2')
    folder = Path(dataset_dir)
    table = pd.DataFrame([cells for _, cells in read_table(folder / PAIRS_FILE)])
    # The n-th emotion of the n-th subject first, then the next emotion of each.
    subject = table['subject'].astype('category').cat.codes
    emotion = table['emotion'].astype('category').cat.codes
    table['turn'] = (emotion - subject) % (emotion.max() + 1)
    table = table.sort_values(['turn', 'subject', 'sample_id'])
    halves = []
    for label in LABELS:
        own = table[table['label'] == label]
        own = own.drop_duplicates(['subject', 'emotion']).head(pairs // 2)
        entries = [_entry(folder, row) for row in own.to_dict('records')]
        halves.append(np.vstack([_caption(label, entries[0].shape[1]), *entries]))
    height = max(len(half) for half in halves)
    halves = [
        np.pad(half, ((0, height - len(half)), (0, 0)), constant_values=255)
        for half in halves
    ]
    gap = np.full((height, _GAP), 255, np.uint8)
    return np.hstack([halves[0], gap, halves[1]])


def _entry(folder: Path, row: dict) -> np.ndarray:
    onset, apex = (_read(folder / row[frame]) for frame in FRAMES)
    change = (apex.astype(np.int16) - onset) // 2 + 128
    strip = np.hstack([onset, apex, change.astype(np.uint8)])
    strip = cv2.resize(
        strip, None, fx=_ENLARGE, fy=_ENLARGE, interpolation=cv2.INTER_CUBIC
    )
    caption = '{emotion}  {subject}  {sample_id}  light {light}'.format(**row)
    return np.vstack([_caption(caption, strip.shape[1]), strip])


def _read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise FileNotFoundError(f'{path}: no such image')
    return image


def _caption(text: str, width: int) -> np.ndarray:
    line = np.full((_CAPTION, width), 255, np.uint8)
    position = (4, _CAPTION - 6)
    return cv2.putText(line, text, position, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 0, 1, 16)
