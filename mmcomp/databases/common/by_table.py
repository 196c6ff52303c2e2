"""Samples from a table that a user gives, and the files that it refers to."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmcomp.columns import (
    APEX,
    APEX_FRAME,
    CLIP,
    EMOTION,
    ID,
    LABEL,
    OFFSET_FRAME,
    ONSET,
    ONSET_FRAME,
    SUBJECT,
)
from mmcomp.faces.video import VIDEO_SUFFIXES
from mmcomp.tables import parse_frame, plain

from .by_pattern import agree, columns_of, readable_id
from .coded import add_coded_clip
from .index import (
    AMBIGUOUS,
    INCONSISTENT,
    MISSING_APEX,
    MISSING_CLIP,
    MISSING_IMAGE,
    UNMATCHED,
    Index,
)
from .pattern import Match
from .tables import bare, read_table

CODES = {ONSET_FRAME: 'onset', APEX_FRAME: 'apex', OFFSET_FRAME: 'offset'}
OURS = (SUBJECT, LABEL, EMOTION, ID, ONSET, APEX, CLIP, *CODES)


class Found(NamedTuple):
    """The files of a sample by column, and the values in their paths."""

    files: dict[str, Path]
    values: dict[str, str]


def add_table(
    index: Index,
    table: Path,
    matches: Sequence[Match],
    columns: Mapping[str, str],
    translate: Callable[[Mapping[str, str]], dict[str, str]],
    missing_apex: str,
) -> None:
    """Add a sample for each row, and report rows and files without a partner.

    Args:
        index (Index): The index to add to.
        table (Path): The table; see :class:`mmcomp.databases.Generic`.
        matches (Sequence[Match]): The files that exist.
        columns (Mapping): The names of our columns in the table.
        translate (Callable): Translates the values of a row into our words.
        missing_apex (str): See :func:`.coded.missing_apex_option`.

    Raises:
        ValueError: If the table cannot be read or lacks a column that is mapped.
    """
    # A name that the user gives to one column is no longer the name of another.
    taken = {bare(name) for name in columns.values()}
    names = {
        name: () if name not in columns and bare(name) in taken
        else (columns.get(name, name),)
        for name in (*OURS, *columns)
    }  # fmt: skip
    optional = [name for name in OURS if name not in columns]
    if not any(match.groups for match in matches):  # no pattern gives them
        optional = [name for name in optional if name not in (SUBJECT, LABEL)]
    files = Files(index, matches)
    used: set[Path] = set()
    hint = 'name them with --columns OURS=THEIRS'
    for position, cells in read_table(table, names, optional, hint):
        index.table_rows.append(position)
        row = translate({k: v for k, v in cells.items() if v})
        images = ONSET in row or APEX in row
        found = (files.images if images else files.clip)(position, row)
        if found is None:
            continue
        used.update(found.files.values())
        row.pop(CLIP, None)
        columns_found: dict[str, Any] = {**found.values, **row, **found.files}
        _add_row(index, position, cells, columns_found, missing_apex)
    used |= {path.parent for path in used}
    for clip in files.clips:
        if clip not in used:
            index.problem(UNMATCHED, clip, f'no row in {table.name}')


def _add_row(
    index: Index, position: str, cells: Mapping, row: dict, missing_apex: str
) -> None:
    lacking = [name for name in (SUBJECT, LABEL) if not row.get(name)]
    if lacking:
        index.problem(UNMATCHED, position, f'{", ".join(lacking)} unknown')
        return
    path = row.get(APEX) or row[CLIP]
    name = path if path.is_dir() else path.with_suffix('')
    row.setdefault(ID, readable_id(index, name))
    if path.is_dir():
        coded = {CODES[name]: row.pop(name, '') for name in CODES if name in cells}
        del row[CLIP]
        add_coded_clip(index, position, path, coded, row, missing_apex)
        return
    for name in CODES:
        try:
            row[name] = parse_frame(row.get(name, ''), name)
        except ValueError as error:
            index.problem(INCONSISTENT, position, str(error))
            row[name] = None
    if None not in (row[ONSET_FRAME], row[APEX_FRAME]) and (
        row[APEX_FRAME] <= row[ONSET_FRAME]
    ):
        text = f'apex {row[APEX_FRAME]} does not come after onset {row[ONSET_FRAME]}'
        index.problem(INCONSISTENT, position, text)
        row[APEX_FRAME] = None
    if APEX not in row and APEX_FRAME in cells and row[APEX_FRAME] is None:
        index.problem(MISSING_APEX, position, f'no {APEX_FRAME}')
    index.add(position, **row)


class Files:
    """The files that exist, to be looked up by rows.

    Args:
        index (Index): Where problems go.
        matches (Sequence[Match]): Files and the values in their paths.

    Attributes:
        clips (dict[Path, dict]): The values of each video and folder of images.
    """

    def __init__(self, index: Index, matches: Sequence[Match]) -> None:
        self.index = index
        self.by_path = {match.path: match for match in matches}
        self.by_name: dict[str, list[Match]] = defaultdict(list)
        self.clips: dict[Path, dict[str, str]] = {}
        self.of_subject: dict[str | None, list[Path]] = defaultdict(list)
        for match in matches:
            path, values = match.path, columns_of(match.groups)
            for name in {path.name, path.stem}:
                self.by_name[name].append(match)
            clip = path if path.suffix.lower() in VIDEO_SUFFIXES else path.parent
            if clip not in self.clips:
                self.clips[clip] = values
                self.of_subject[_subject(values)].append(clip)

    def images(self, position: str, row: Mapping[str, str]) -> Found | None:
        """Return the onset and apex that a row gives by path or by name."""
        found = Found({}, {})
        for moment, kind in ((ONSET, MISSING_IMAGE), (APEX, MISSING_APEX)):
            cell = row.get(moment, '').replace('\\', '/')
            match = self.by_path.get(self.index.root / cell)
            fitting = [match] if match else self.by_name.get(Path(cell).name, [])
            fitting = [m for m in fitting if m is match or agree(m.groups, row)]
            if len(fitting) != 1:
                text = f'{len(fitting)} images fit {moment} {cell!r}'
                self.index.problem(AMBIGUOUS if fitting else kind, position, text)
                return None
            found.files[moment] = fitting[0].path
            found.values.update(columns_of(fitting[0].groups))
        clip = self._named_clip(row)
        if clip in self.clips:
            found.files[CLIP] = clip
        return found

    def clip(self, position: str, row: Mapping[str, str]) -> Found | None:
        """Return the clip that a row gives, or else the one that agrees with it."""
        if row.get(CLIP):
            path = self._named_clip(row)
            fitting = [path] if path in self.clips else []
        else:
            subject = _subject(row)
            candidates = self.of_subject[subject] if subject else list(self.clips)
            fitting = [clip for clip in candidates if agree(self.clips[clip], row)]
        if len(fitting) == 1:
            return Found({CLIP: fitting[0]}, self.clips[fitting[0]])
        names = (CLIP,) if row.get(CLIP) else (SUBJECT, LABEL, EMOTION)
        values = ', '.join(f'{name} {row[name]}' for name in names if row.get(name))
        text = f'{len(fitting)} clips fit {values or "this row"}'
        self.index.problem(AMBIGUOUS if fitting else MISSING_CLIP, position, text)
        return None

    def _named_clip(self, row: Mapping[str, str]) -> Path | None:
        cell = row.get(CLIP, '').replace('\\', '/')
        return self.index.root / cell if cell else None


def _subject(values: Mapping[str, str]) -> str | None:
    return plain(values[SUBJECT]) if values.get(SUBJECT) else None
