"""Index: the samples found in a database, and the problems."""

import csv
import io
import os
from pathlib import Path
from typing import Any, NamedTuple

from mmcomp.columns import (
    APEX,
    APEX_FRAME,
    CLIP,
    DATABASE,
    EMOTION,
    ID,
    LABEL,
    OFFSET_FRAME,
    ONSET,
    ONSET_FRAME,
    SUBJECT,
)
from mmcomp.files import write_bytes

ORDER: tuple[str, ...] = (
    ID,
    SUBJECT,
    ONSET,
    APEX,
    CLIP,
    ONSET_FRAME,
    APEX_FRAME,
    OFFSET_FRAME,
    LABEL,
    EMOTION,
)

FILES = (ONSET, APEX, CLIP, ONSET_FRAME, APEX_FRAME)  # which pictures a sample is of

# Kinds of problems.
UNMATCHED = 'unmatched'
MISSING_CLIP = 'missing clip'
MISSING_IMAGE = 'missing image'
MISSING_APEX = 'missing apex'
MISSING_EYES = 'missing eyes'
INCONSISTENT = 'inconsistent frames'
CONTRADICTION = 'contradiction'
AMBIGUOUS = 'ambiguous'
DUPLICATE = 'duplicate'
UNREADABLE = 'unreadable'
LEFT_OUT = 'left out'


class Problem(NamedTuple):
    """Kind, position (a path below the root, or ``table:row``) and reason."""

    kind: str
    position: str
    reason: str


class Index:
    """Rows of a pair or clip table, problems, and notes.

    A row with ``onset`` and ``apex`` is a pair; one with ``clip`` alone is to be
    spotted. Paths are absolute here, and relative to the table where it is written.

    Args:
        database (str): Name of the database.
        root (Path): Its folder.
        credit (str): Whom it belongs to.

    Attributes:
        rows (list[dict]): A dict of columns for each sample.
        problems (list[Problem]): What a user should know or correct.
        notes (list[str]): Remarks on the whole database.
        table_rows (list[str]): Positions of all rows of the table of the samples.
        links (dict[Path, str]): Folders whose names are private, and the name of the
            link next to the table that replaces each.
    """

    def __init__(self, database: str, root: Path, credit: str = '') -> None:
        self.database = database
        self.root = root
        self.credit = credit
        self.rows: list[dict[str, Any]] = []
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.table_rows: list[str] = []
        self.links: dict[Path, str] = {}
        self._positions: dict[str, str] = {}
        self._of_files: dict[tuple, str] = {}

    def add(self, position: str | Path, /, **columns) -> None:
        """Add a sample.

        A second one with the same id or files is a problem instead, and so is one whose
        onset and apex are the same.

        Args:
            position: Its path, or ``table:row``; for messages.
            **columns: Values; None and '' leave a cell empty.
        """
        sample_id, position = columns[ID], self.where(position)
        if sample_id in self._positions:
            first = self._positions[sample_id]
            self.problem(DUPLICATE, position, f'{sample_id} is already in {first}')
            return
        onset = columns.get(ONSET)
        if onset and onset == columns.get(APEX):
            shown = self.where(onset)
            self.problem(INCONSISTENT, position, f'onset and apex are both {shown}')
            return
        # One folder may be reached by two names, which would make two people of one.
        files = tuple(
            os.path.realpath(value) if isinstance(value, Path) else value
            for value in (columns.get(name) for name in FILES)
        )
        first = self._of_files.setdefault(files, position)
        if first != position and any(files):
            self.problem(DUPLICATE, position, f'its files are already in {first}')
            return
        self._positions[sample_id] = position
        kept = {k: v for k, v in columns.items() if v is not None and v != ''}
        self.rows.append({**kept, DATABASE: self.database})

    def problem(self, kind: str, position: str | Path, reason: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(kind, self.where(position), reason))

    def where(self, position: str | Path) -> str:
        """Return a path for messages: below the root, without private names."""
        if not isinstance(position, Path):
            return position
        for folder, alias in self.links.items():
            if position.is_relative_to(folder):
                return (alias / position.relative_to(folder)).as_posix()
        return os.path.relpath(position, self.root).replace(os.sep, '/')

    @property
    def lost_rows(self) -> list[str]:
        """Positions of the rows of the table that gave no sample."""
        return [p for p in self.table_rows if p not in set(self._positions.values())]

    @property
    def columns(self) -> list[str]:
        """Columns that have values, in the order of the table."""
        found = {name for row in self.rows for name in row}
        known = [name for name in ORDER if name in found]
        return [*known, *sorted(found - {*known, DATABASE}), DATABASE]

    def write(self, out: str | Path, force: bool = False) -> Path | None:
        """Write the table, and its problems to ``<out without suffix>.problems.csv``.

        Args:
            out: The table's path. Its folder is made.
            force: Overwrite a table that differs.

        Returns:
            The path of the problems, or None if there are none.

        Raises:
            ValueError: If there is another table, and not ``force``.
        """
        out = Path(out)
        if out.is_dir():
            raise ValueError(f'{str(out)!r} is a folder; give the path of a .csv file')
        folder = Path(os.path.abspath(out)).parent
        links = folder / f'{out.stem}.links'
        rows = [
            [self._cell(row.get(name), folder, links) for name in self.columns]
            for row in self.rows
        ]
        text = _csv([self.columns, *rows])
        if out.exists() and out.read_bytes() != text and not force:
            raise ValueError(f'{str(out)!r} exists and differs; --force replaces it')
        folder.mkdir(parents=True, exist_ok=True)
        for target, name in self.links.items():
            _link(links / name, target)
        write_bytes(out, text)
        problems = out.with_suffix('.problems.csv')
        if self.problems:
            write_bytes(problems, _csv([Problem._fields, *self.problems]))
            return problems
        problems.unlink(missing_ok=True)
        return None

    def _cell(self, value: Any, folder: Path, links: Path) -> str:
        if not isinstance(value, Path):
            return '' if value is None else str(value)
        for target, name in self.links.items():
            if value.is_relative_to(target):
                value = links / name / value.relative_to(target)
                break
        return os.path.relpath(value, folder).replace(os.sep, '/')


def _csv(rows) -> bytes:
    stream = io.StringIO(newline='')
    csv.writer(stream, lineterminator='\n').writerows(rows)
    return stream.getvalue().encode()


def _link(link: Path, target: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.is_symlink():
        link.unlink()
    link.symlink_to(os.path.abspath(target), target_is_directory=True)
