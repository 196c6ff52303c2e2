"""A contact sheet of aligned pairs, to check them by eye."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from mmcomp.columns import APEX, ID, ONSET

from .video import read_image

_SIDE, _CAPTION, _GAP, _COLUMNS = 160, 34, 8, 3


def pair_sheet(folder, pairs: pd.DataFrame, count: int = 24) -> np.ndarray:
    """Draw random pairs as onset, apex and difference, with their notes.

    Args:
        folder: Folder that the paths of the table are relative to.
        pairs: A pair table, perhaps with a column ``notes``.
        count: How many pairs to show at most; the same ones each time.

    Returns:
        BGR image ``(H, W, 3)``, uint8. Difference: apex minus onset, halved, with 128
        for no change.
    """
    shown = pairs.sample(min(count, len(pairs)), random_state=0).sort_index()
    entries = [_entry(Path(folder), row) for row in shown.to_dict('records')]
    if not entries:
        return _text(3 * _SIDE, ['no pair'])
    blank = np.full_like(entries[0], 255)
    entries += [blank] * (-len(entries) % _COLUMNS)
    lines = [
        np.hstack(entries[i : i + _COLUMNS]) for i in range(0, len(entries), _COLUMNS)
    ]
    return np.vstack(lines)


def _entry(folder: Path, row: dict) -> np.ndarray:
    onset, apex = (
        cv2.resize(
            read_image(folder / row[name]),
            (_SIDE, _SIDE),
            interpolation=cv2.INTER_LINEAR,
        )
        for name in (ONSET, APEX)
    )
    change = ((apex.astype(np.int16) - onset) // 2 + 128).astype(np.uint8)
    strip = np.hstack([onset, apex, change])
    caption = _text(strip.shape[1], [row[ID], str(row.get('notes') or '')])
    entry = np.vstack([caption, strip])
    return cv2.copyMakeBorder(entry, 0, _GAP, 0, _GAP, 0, value=(255, 255, 255))


def _text(width: int, lines: list[str]) -> np.ndarray:
    image = np.full((_CAPTION, width, 3), 255, np.uint8)
    for i, line in enumerate(lines):
        line = line.encode('ascii', 'replace').decode()
        cv2.putText(image, line, (2, 14 + 15 * i), 0, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return image
