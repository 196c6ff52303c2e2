"""A contact sheet of aligned pairs, to check them by eye."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mmcomp.columns import APEX, ID, LABEL, ONSET, SUBJECT

from .video import read_image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEADS = ('onset', 'apex', 'apex - onset')
#: Inches: side of an image, height of a pair's words and of the heads, gap.
_SIDE, _WORDS, _HEAD, _GAP = 1.6, 0.5, 0.2, 0.1
_COLUMNS, _LETTERS = 3, 78  # of the sheet; in a line of a pair's words


def pair_sheet(folder, pairs: pd.DataFrame, count: int = 24) -> 'Figure':
    """Draw random pairs as onset, apex and difference, each below its words.

    Args:
        folder: Folder that the paths of the table are relative to.
        pairs: A pair table; id, label, subject and notes are written if it has them.
        count: How many pairs to show at most; the same ones each time.

    Returns:
        Figure: Difference: apex minus onset, halved, with 128 for no change.
    """
    from matplotlib.figure import Figure

    shown = pairs.sample(min(count, len(pairs)), random_state=0).sort_index()
    rows = shown.to_dict('records')
    lines = max(-(-len(rows) // _COLUMNS), 1)
    wide, high = len(HEADS) * _SIDE + _GAP, _WORDS + _SIDE + _GAP
    width, height = _COLUMNS * wide + _GAP, _HEAD + lines * high
    figure = Figure((width, height), dpi=100)

    def write(left: float, top: float, text: str, **style) -> None:
        # A dollar sign in a name does not begin a formula.
        style = {'va': 'top', 'fontsize': 8, 'parse_math': False, **style}
        figure.text(left / width, 1 - top / height, text, **style)

    if not rows:
        write(_GAP, _HEAD, 'no pair')
    for column in range(min(len(rows), _COLUMNS)):
        for i, name in enumerate(HEADS):
            write(_GAP + column * wide + i * _SIDE, 0.04, name, fontweight='bold')
    for index, row in enumerate(rows):
        left = _GAP + index % _COLUMNS * wide
        top = _HEAD + index // _COLUMNS * high
        for i, text in enumerate(_words(row)):
            write(left, top + 0.04 + 0.15 * i, textwrap.shorten(text, _LETTERS))
        axes = figure.add_axes((
            left / width,
            1 - (top + _WORDS + _SIDE) / height,
            len(HEADS) * _SIDE / width,
            _SIDE / height,
        ))  # fmt: skip
        axes.axis('off')
        axes.imshow(_strip(Path(folder), row)[..., ::-1], aspect='auto')
    return figure


def _words(row: dict) -> list[str]:
    """Return id, label and subject, and notes."""
    who = [str(row[name]) for name in (LABEL, SUBJECT) if row.get(name)]
    return [str(row[ID]), ' · '.join(who), str(row.get('notes') or '')]


def _strip(folder: Path, row: dict) -> np.ndarray:
    """Return onset, apex and difference side by side, BGR."""
    onset, apex = (read_image(folder / row[name]) for name in (ONSET, APEX))
    change = ((apex.astype(np.int16) - onset) // 2 + 128).astype(np.uint8)
    return np.hstack([onset, apex, change])
