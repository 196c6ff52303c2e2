"""Inputs of a user, as a stream of pairs and clips."""

import reprlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmcomp.columns import APEX, CLIP, ID, ONSET
from mmcomp.faces.video import IMAGE_SUFFIXES, VIDEO_SUFFIXES, list_files
from mmcomp.files import entries, name_key, walk
from mmcomp.tables import read_table


@dataclass(frozen=True)
class Item:
    """One pair of images, or one clip.

    Attributes:
        name (str): Its name in the output, which no other item has.
        row (dict): Its cells as in a table for ``tools/prepare.py``: ``clip``, or
            ``onset`` and ``apex``, and whatever else is known.
        root (Path): Folder that the paths in the row are relative to.
        images (tuple, optional): Onset and apex, if they are not both files.
        reason (str): Why there is nothing to predict; else empty.
    """

    name: str
    row: dict[str, str] = field(default_factory=dict)
    root: Path = Path()
    images: tuple[Any, ...] = ()
    reason: str = ''

    def path(self, column: str) -> str | None:
        """Return the path in a column, or None if there is none."""
        cell = self.row.get(column)
        return _printable(str(self.root / cell)) if cell else None


def items(inputs: Any) -> Iterator[Item]:
    """Yield the items of a user's inputs.

    What is missing or unreadable becomes an item with a reason, or fails when it is
    read, so that it does not end the others. Names that repeat are numbered.

    Args:
        inputs: A pair ``(onset, apex)`` of paths or arrays in a tuple; a pair or clip
            table (``.csv``); a video; a folder of videos and of folders of frames; or
            a list or generator of these.

    Raises:
        ValueError: If an input is none of these.
    """
    single = isinstance(inputs, (str, Path, tuple, np.ndarray))
    if single or not isinstance(inputs, Iterable):
        inputs = [inputs]
    taken: set[str] = set()
    for index, one in enumerate(inputs):
        for item in _items(one):
            name = _printable(item.name or f'pair{index}')
            count, unique = 1, name
            while name_key(unique) in taken:
                count += 1
                unique = f'{name} ({count})'
            taken.add(name_key(unique))
            yield replace(item, name=unique)


def _printable(text: str) -> str:
    """Return a path without bytes that are no UTF-8."""
    return text.encode(errors='replace').decode()


def _items(one: Any) -> Iterator[Item]:
    if isinstance(one, tuple):
        yield _pair(one)
        return
    if not isinstance(one, (str, Path)):
        raise ValueError(
            f'input is {reprlib.repr(one)}; it must be a path or a tuple of two images'
        )
    path = Path(one)
    try:
        if path.is_dir():
            yield from _folder(path)
        elif path.suffix.lower() == '.csv':
            yield from _table(path)
        else:
            yield _clip(path)
    except (ValueError, OSError) as error:
        yield Item(path.name, reason=str(error))


def _pair(pair: tuple) -> Item:
    if len(pair) != 2:
        raise ValueError(f'length of a pair is {len(pair)}; it must be 2')
    files = {
        column: str(image)
        for column, image in zip((ONSET, APEX), pair)
        if isinstance(image, (str, Path))
    }
    name = '+'.join(Path(file).stem for file in files.values())
    return Item(name, files, images=() if len(files) == 2 else pair)


def _clip(path: Path) -> Item:
    return Item(path.name, {CLIP: str(path)})


def _folder(root: Path) -> Iterator[Item]:
    """Yield the videos in a folder and below it, and the folders of frames."""
    for folder in walk(root):
        videos = list_files(folder, VIDEO_SUFFIXES)
        if videos:
            yield from map(_clip, videos)
        elif list_files(folder, IMAGE_SUFFIXES):
            yield _clip(folder)
        elif not any(path.is_dir() for path in entries(folder)):
            yield Item(
                folder.name, reason=f'{folder}: no video or frame in this folder'
            )


def _table(path: Path) -> Iterator[Item]:
    """Yield the rows of a pair or clip table."""
    rows = read_table(path)
    columns = rows[0].cells
    if not {ONSET, APEX} <= columns.keys() and CLIP not in columns:
        raise ValueError(
            f'{path}: columns are {", ".join(columns)}; they must include {ONSET!r} '
            f'and {APEX!r}, or {CLIP!r}'
        )
    for position, cells in rows:
        if cells.get(ONSET) and cells.get(APEX):
            cells = {column: cell for column, cell in cells.items() if column != CLIP}
        yield Item(cells.get(ID) or position, cells, path.parent)
