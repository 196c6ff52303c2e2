"""The table of pairs or clips to prepare: its rows, and the new rows."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmcomp.columns import (
    APEX,
    APEX_EYES,
    APEX_FRAME,
    CLIP,
    CLIP_END,
    CLIP_START,
    ID,
    ONSET,
    ONSET_EYES,
    ONSET_FRAME,
)
from mmcomp.tables import parse_frame, read_table

from .alignment import parse_eyes
from .detection import FaceDetector
from .pairs import FacePair, FaceSettings, pair_from_clip, pair_from_images
from .video import check_part

#: What a folder of photos should have been.
FOLDER_NOTE = (
    'the images of this folder were taken as the frames of one clip; photos are given '
    'in pairs, onset and apex'
)

#: Columns that are added. The eyes are 'x y x y' in the original images.
QUALITY = (
    'onset_face_score',
    'apex_face_score',
    'onset_open',
    'apex_open',
    'spotting_confidence',
    'onset_source',
    'apex_source',
    'onset_source_eyes',
    'apex_source_eyes',
    'notes',
)


def read_input(inputs: Sequence) -> tuple[list[dict[str, str]], Path]:
    """Read the rows of a table, or make a row for each clip.

    Args:
        inputs: One ``.csv`` file, or clips: video files and folders of frames.

    Returns:
        tuple: The rows, all cells as strings, and the folder that their paths
        are relative to.

    Raises:
        ValueError: If the table is missing or invalid.
    """
    paths = [Path(path) for path in inputs]
    if len(paths) == 1 and paths[0].suffix.lower() == '.csv':
        table, root = paths[0], paths[0].parent
        rows = [cells for _, cells in read_table(table)]
    else:
        root = Path('.')
        rows = [{ID: path.stem, CLIP: str(path)} for path in paths]
        table = Path('the clips given')
    _check(rows, table)
    return rows, root


def _check(rows: list[dict[str, str]], table: Path) -> None:
    columns = list(rows[0])
    if ID not in columns:
        raise ValueError(f'columns of {table} are {columns}; they must include {ID!r}')
    if CLIP not in columns and not {ONSET, APEX} <= set(columns):
        raise ValueError(
            f'columns of {table} are {columns}; they must include {CLIP!r}, or '
            f'{ONSET!r} and {APEX!r}'
        )
    counts = Counter(row[ID] for row in rows)
    twice = [name for name, count in counts.items() if count > 1][:5]
    if '' in counts or twice:
        fault = 'empty in a row' if '' in counts else f'not unique: {twice}'
        raise ValueError(f'{ID} in {table} is {fault}; it must be unique in each row')


def pair_of_row(
    row: dict[str, str],
    root: Path,
    settings: FaceSettings,
    fps: float | None = None,
    detector: FaceDetector | None = None,
    watch: Callable[[float], None] | None = None,
) -> FacePair:
    """Make the pair that a row describes.

    Whatever is wrong with the row or its files is a failure with a reason, so that one
    row does not end the others.

    Args:
        row (dict): Its cells, as :func:`read_input` returns them.
        root (Path): The folder that its paths are relative to.
        settings, fps, detector, watch: As for :func:`pair_from_clip`.
    """
    try:
        return _pair_of_row(row, root, settings, fps, detector, watch)
    except Exception as error:
        return FacePair(False, 'error', f'unexpected: {type(error).__name__}: {error}')


def _pair_of_row(
    row: dict[str, str],
    root: Path,
    settings: FaceSettings,
    fps: float | None,
    detector: FaceDetector | None,
    watch: Callable[[float], None] | None,
) -> FacePair:
    frames: list[int | None] = []
    eyes: list[np.ndarray | None] = []
    for name in (ONSET_FRAME, APEX_FRAME):
        try:
            frames.append(parse_frame(row.get(name, ''), name))
        except ValueError as error:
            return FacePair(False, 'invalid cell', str(error))
    for name in (ONSET_EYES, APEX_EYES):
        try:
            eyes.append(parse_eyes(row.get(name, '')))
        except ValueError as error:
            return FacePair(False, 'invalid cell', f'{name}: {error}')
    if row.get(CLIP):
        part = tuple(row.get(name, '') for name in (CLIP_START, CLIP_END))
        try:
            start, end = (float(text) if text else None for text in part)
            check_part(start, end)
        except ValueError:
            text = (
                f'{CLIP_START} and {CLIP_END} are {part}; they must be seconds in order'
            )
            return FacePair(False, 'invalid cell', text)
        path = root / row[CLIP]
        pair = pair_from_clip(
            path,
            settings,
            frames[0],
            frames[1],
            eyes[0],
            eyes[1],
            fps,
            detector,
            (start, end),
            watch,
        )
        if not pair.success and path.is_dir():
            pair = replace(pair, notes=(*pair.notes, FOLDER_NOTE))
        return pair
    for name in (ONSET, APEX) if ONSET in row else (CLIP,):
        if not row.get(name):
            return FacePair(False, 'invalid cell', f'{name} is empty')
    onset, apex = root / row[ONSET], root / row[APEX]
    return pair_from_images(onset, apex, settings, eyes[0], eyes[1], detector)


def new_row(
    row: dict[str, str], pair: FacePair, names: tuple[str, str]
) -> dict[str, object]:
    """Return the row of the new table: the old one, the new images, their quality."""

    def number(value: float | None) -> str:
        return '' if value is None else f'{value:.3f}'

    columns = {k: v for k, v in row.items() if k not in (ONSET_EYES, APEX_EYES)}
    columns[ONSET], columns[APEX] = names
    for name, frame in ((ONSET_FRAME, pair.onset_frame), (APEX_FRAME, pair.apex_frame)):
        if frame is not None:
            columns[name] = str(frame)
    spotted = pair.spotting.confidence if pair.spotting else None
    values = (
        *(
            number(None if face is None else face.score)
            for face in (pair.onset_face, pair.apex_face)
        ),
        number(pair.onset_open),
        number(pair.apex_open),
        number(spotted),
        *(row.get(CLIP) or row[name] for name in (ONSET, APEX)),
        *(
            '' if eyes is None else ' '.join(f'{value:.2f}' for value in eyes.ravel())
            for eyes in (pair.onset_eyes, pair.apex_eyes)
        ),
        '; '.join(pair.notes),
    )
    return {**columns, **dict(zip(QUALITY, values))}
