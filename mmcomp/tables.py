"""Tables: each cell as the string that is written, with the line of its row.

No value is guessed: ``NA``, ``null``, ``01``, ``1.0`` and ``True`` are text. Blanks
around a cell do not count, and each line break within one is ``\\n``. Where a column
holds numbers, whoever needs them parses them.
"""

import csv
import io
import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .files import parse_json

#: What a cell may hold where a number is unknown, in any case.
ABSENT = ('', '/', '-', '-1', '?', 'na', 'n/a', 'nan', 'none')
SEPARATORS = {';': 'semicolons', '\t': 'tabs'}


class Row(NamedTuple):
    """A row of a table: its position in the file, as ``line 3``, and its cells."""

    position: str
    cells: dict[str, str]


def read_table(path: str | Path, required: Sequence[str] = ()) -> list[Row]:
    """Read a CSV table (UTF-8, commas) whose first row is the header.

    Args:
        path: The file.
        required: Columns that it must have.

    Raises:
        ValueError: Naming file and line of the first fault of :func:`scan_table`, or if
            there is no row.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), 'a.csv')
        >>> _ = path.write_text('subject,age\\n007,NA\\n')
        >>> read_table(path)
        [Row(position='line 2', cells={'subject': '007', 'age': 'NA'})]
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f'{path}: no such file')
    rows, faults = scan_table(path, required)
    if not rows and not faults:
        faults = ['line 1: there is no row below the header']
    if faults:
        more = f' (and {len(faults) - 1} more)' if len(faults) > 1 else ''
        raise ValueError(f'{path}, {faults[0]}{more}')
    return rows


def scan_table(
    path: str | Path, required: Sequence[str] = ()
) -> tuple[list[Row], list[str]]:
    """Read a table as :func:`read_table` does, with all its faults.

    Returns:
        tuple: The rows that have as many cells as the header, and a sentence for each
        fault, with its line: a file that is no UTF-8 text or has an open quotation
        mark, a header that names a column twice, lacks one or is separated otherwise,
        and rows with more or fewer cells than the header.
    """
    rows: list[Row] = []
    faults: list[str] = []
    header: list[str] = []
    try:
        for line, cells in read_lines(path):
            if not any(cells):
                continue
            if not header:
                header = cells
                faults += _check_header(header, line, required)
                if faults:
                    break
            elif len(cells) != len(header):
                faults.append(
                    f'line {line}: {len(cells)} cells where the header has '
                    f'{len(header)}; a cell with a comma needs quotation marks'
                )
            else:
                rows.append(Row(f'line {line}', dict(zip(header, cells))))
    except ValueError as error:
        faults.append(str(error))
    if not header and not faults:
        faults.append('line 1: the file is empty')
    return rows, faults


def read_lines(
    path: str | Path, separator: str = ','
) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each row's first line, and its cells without outer blanks.

    Raises:
        ValueError: Beginning with the line, if the file is no UTF-8 text or a quotation
            mark is left open.
    """
    text = _read_text(path)
    reader = csv.reader(io.StringIO(text, newline=''), delimiter=separator, strict=True)
    start = 1  # of the next row; one with quoted line breaks spans several
    try:
        for cells in reader:
            line, start = start, reader.line_num + 1
            yield line, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise ValueError(
            f'line {start}: {error}; is a quotation mark left open?'
        ) from None


def _read_text(path: str | Path) -> str:
    data = Path(path).read_bytes()
    try:
        text = data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b'\n') + 1
        utf_16 = data.startswith((b'\xff\xfe', b'\xfe\xff'))
        raise ValueError(
            f'line {line}: not UTF-8 but {"" if utf_16 else "perhaps "}'
            f'{"UTF-16" if utf_16 else "Windows-1252"}; save the table as UTF-8'
        ) from None
    if '\0' in text:
        line = text[: text.index('\0')].count('\n') + 1
        raise ValueError(f'line {line}: holds a NUL byte; this is not a text file')
    return _unix(text)


def _unix(text: str) -> str:
    """Return a text with one kind of line breaks: not all that write CSV quote both."""
    return text.replace('\r\n', '\n').replace('\r', '\n')


def _check_header(
    header: Sequence[str], line: int, required: Sequence[str]
) -> list[str]:
    for mark, word in SEPARATORS.items():
        if len(header) == 1 and mark in header[0]:
            return [
                f'line {line}: cells are separated by {word}; they must be separated '
                'by commas'
            ]
    faults = [
        f'line {line}: column {name!r} is in the header {header.count(name)} times'
        for name in dict.fromkeys(header)
        if header.count(name) > 1
    ]
    missing = [name for name in required if name not in header]
    if missing:
        faults.append(
            f'line {line}: no column {", ".join(map(repr, missing))} in the header '
            f'({", ".join(map(repr, header))})'
        )
    return faults


def read_json(path: str | Path) -> Any:
    """Read a JSON file whose fractions are strings, as they are written.

    Raises:
        ValueError: If it is no JSON, or a key is twice in an object.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f'key {twice[0]!r} is twice in one object')
        return dict(pairs)

    return parse_json(
        Path(path).read_bytes(),
        object_pairs_hook=unique,
        parse_float=str,
        parse_constant=str,
    )


def json_cell(value: Any, name: str) -> str:
    """Return a value of :func:`read_json` as a cell; '' of null.

    Raises:
        ValueError: If it is no single value, or no text that a CSV file can hold.
    """
    if isinstance(value, (list, dict)):
        kind = 'list' if isinstance(value, list) else 'object'
        raise ValueError(f'{name} is a {kind}; it must be a string or a number')
    if not isinstance(value, str):
        return '' if value is None else json.dumps(value)
    try:
        value.encode()
    except UnicodeEncodeError:
        value = '\0'
    if '\0' in value:
        raise ValueError(f'{name} holds a character that is no text')
    return _unix(value).strip()


def parse_frame(cell: str, name: str) -> int | None:
    """Read a frame number: digits, or digits with ``.0`` as spreadsheets write them.

    Args:
        cell: The cell.
        name: What it is, for the message: the position and the column.

    Returns:
        int | None: The number; None where the cell says that it is unknown: it is empty
        or one of :data:`ABSENT`, such as ``/``.

    Raises:
        ValueError: For anything else.

    Examples:
        >>> [parse_frame(cell, 'apex') for cell in ('046', '6.0', '/', '')]
        [46, 6, None, None]
    """
    cell = cell.strip()
    if cell.lower() in ABSENT:
        return None
    match = re.fullmatch(r'([0-9]{1,9})(\.0*)?', cell)
    if not match:
        raise ValueError(
            f"{name} is {cell!r}; it must be a frame number, or '/' or empty where "
            'unknown'
        )
    return int(match[1])


def finite(cell: str) -> float:
    """Return a number that is neither infinite nor NaN.

    Raises:
        ValueError: If the cell holds anything else.
    """
    value = float(cell)
    if not math.isfinite(value):
        raise ValueError(f'{cell!r} must be a finite number')
    return value


def plain(name: str) -> str:
    """Return a name without case, zero padding and ways of encoding it.

    Examples:
        >>> plain('S01_ne_01'), plain('s1_ne_1')
        ('s1_ne_1', 's1_ne_1')
    """
    name = unicodedata.normalize('NFKC', name.strip()).casefold()
    return re.sub(r'\d+', lambda digits: digits[0].lstrip('0') or '0', name)


def parse_numbers(
    rows: Sequence[Row], column: str, convert: Callable[[str], float]
) -> list[float]:
    """Return a column that holds numbers.

    Args:
        rows: Rows that have it.
        column: Its name.
        convert: What makes a number of a cell, such as ``float``.

    Raises:
        ValueError: Beginning with the line, for the first cell that it does not take.
    """
    values = []
    for position, cells in rows:
        try:
            values.append(convert(cells[column]))
        except ValueError:
            raise ValueError(
                f'{position}: {column} is {cells[column]!r}; it must be a number'
            ) from None
    return values
