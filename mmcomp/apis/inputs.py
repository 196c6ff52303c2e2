"""Inputs of a user, as a stream of pairs and clips."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mmcomp.columns import APEX, APEX_FRAME, CLIP, ID, ONSET, ONSET_FRAME
from mmcomp.faces.video import IMAGE_SUFFIXES, VIDEO_SUFFIXES


@dataclass(frozen=True)
class Item:
    """One pair of images, or one clip.

    Attributes:
        name (str): Its name in the output.
        pair (tuple, optional): Onset and apex, paths or arrays.
        clip (Path, optional): A video file or a folder of frames.
        onset_frame, apex_frame (int, optional): Frame numbers of a clip, if known.
    """

    name: str
    pair: tuple[Any, ...] = ()
    clip: Path | None = None
    onset_frame: int | None = None
    apex_frame: int | None = None


def items(inputs: Any) -> Iterator[Item]:
    """Yield the items of a user's inputs.

    Args:
        inputs: A pair ``(onset, apex)`` of paths or arrays in a tuple; a pair or clip
            table (``.csv``); a video; a folder of videos, or of frames; or a list of
            these.

    Raises:
        ValueError: If an input is none of these, or missing.
    """
    if isinstance(inputs, list):
        for index, one in enumerate(inputs):
            for item in items(one):
                yield item if item.name else Item(f'pair{index}', item.pair)
        return
    if isinstance(inputs, tuple):
        if len(inputs) != 2:
            raise ValueError(f'length of a pair is {len(inputs)}; it must be 2')
        yield Item(_pair_name(inputs), inputs)
        return
    if not isinstance(inputs, (str, Path)):
        raise ValueError(
            f'input is {inputs!r}; it must be a path or a tuple of two images'
        )
    path = Path(inputs)
    if not path.exists():
        raise ValueError(f'{path}: no such file or folder')
    if path.is_dir():
        yield from _folder(path)
    elif path.suffix.lower() == '.csv':
        yield from _table(path)
    else:
        yield Item(path.name, clip=path)


def _pair_name(pair: tuple) -> str:
    names = [Path(p).stem for p in pair if isinstance(p, (str, Path))]
    return '+'.join(names)


def _folder(path: Path) -> Iterator[Item]:
    """Yield the videos of a folder, or the folder itself if it holds frames."""
    entries = sorted(path.iterdir())
    videos = [p for p in entries if p.suffix.lower() in VIDEO_SUFFIXES]
    if videos:
        yield from (Item(p.name, clip=p) for p in videos)
        return
    if any(p.suffix.lower() in IMAGE_SUFFIXES for p in entries):
        yield Item(path.name, clip=path)
        return
    folders = [p for p in entries if p.is_dir()]
    if not folders:
        raise ValueError(f'{path}: no videos or frames in this folder')
    for folder in folders:
        yield from _folder(folder)


def _table(path: Path) -> Iterator[Item]:
    """Yield the rows of a pair or clip table."""
    try:
        table = pd.read_csv(path, dtype={ID: str})
    except (ValueError, OSError) as error:
        raise ValueError(f'{path}: {error}') from None
    pairs = {ONSET, APEX} <= set(table)
    if not pairs and CLIP not in table:
        raise ValueError(
            f'{path}: columns are {", ".join(map(str, table))}; they must include '
            f'{ONSET!r} and {APEX!r}, or {CLIP!r}'
        )
    for index, row in enumerate(table.to_dict('records')):
        name = str(row.get(ID, f'row {index + 2}'))
        if pairs and isinstance(row[ONSET], str) and isinstance(row[APEX], str):
            yield Item(name, (path.parent / row[ONSET], path.parent / row[APEX]))
        else:
            yield Item(
                name,
                clip=path.parent / str(row.get(CLIP)),
                onset_frame=_number(row.get(ONSET_FRAME)),
                apex_frame=_number(row.get(APEX_FRAME)),
            )


def _number(value: float | None) -> int | None:
    return None if value is None or np.isnan(value) else int(value)
