"""Inputs of a user, as a stream of pairs and clips."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmcomp.columns import APEX, APEX_FRAME, CLIP, ID, ONSET, ONSET_FRAME
from mmcomp.faces.video import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from mmcomp.tables import parse_frame, read_table


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
    rows = read_table(path)
    columns = rows[0].cells
    pairs = {ONSET, APEX} <= columns.keys()
    if not pairs and CLIP not in columns:
        raise ValueError(
            f'{path}: columns are {", ".join(columns)}; they must include {ONSET!r} '
            f'and {APEX!r}, or {CLIP!r}'
        )
    for position, cells in rows:
        where = f'{path}, {position}'
        name = cells.get(ID) or position
        if pairs and cells[ONSET] and cells[APEX]:
            yield Item(name, (path.parent / cells[ONSET], path.parent / cells[APEX]))
            continue
        if not cells.get(CLIP):
            wanted = [c for c in (ONSET, APEX, CLIP) if c in columns and not cells[c]]
            raise ValueError(f'{where}: {wanted[0]} is empty')
        onset, apex = (
            parse_frame(cells.get(column, ''), f'{where}: {column}')
            for column in (ONSET_FRAME, APEX_FRAME)
        )
        yield Item(
            name, clip=path.parent / cells[CLIP], onset_frame=onset, apex_frame=apex
        )
