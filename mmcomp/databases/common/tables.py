"""Reading the tables that come with databases."""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from mmcomp.files import require_file
from mmcomp.tables import SEPARATORS, read_lines

EXCEL = {'.xlsx': 'openpyxl', '.xlsm': 'openpyxl', '.xls': 'xlrd'}


class TableRow(NamedTuple):
    """A row of a table: its position, as ``file:row``, and its cells by name."""

    position: str
    cells: dict[str, str]


def find_table(root: Path, pattern: str) -> Path:
    """Return the one table below a root, or one folder deeper, whose name matches.

    CSV is preferred to Excel if both have the same name.

    Raises:
        ValueError: If there is none, or more than one.
    """
    found: dict[str, Path] = {}
    for suffix in ('.csv', '.txt', *EXCEL):
        for path in sorted([*root.glob(pattern), *root.glob(f'*/{pattern}')]):
            if path.suffix.lower() == suffix and not path.name.startswith(('.', '~')):
                found.setdefault(path.stem, path)
    if len(found) != 1:
        names = ', '.join(p.relative_to(root).as_posix() for p in found.values())
        raise ValueError(
            f'{"several tables" if found else "no table"} {pattern!r} in {str(root)!r}'
            f'{": " * bool(found)}{names}; name it with --table FILE'
        )
    return next(iter(found.values()))


def read_table(
    path: Path,
    columns: Mapping[str, Sequence[str]],
    optional: Sequence[str] = (),
    hint: str = '',
) -> list[TableRow]:
    """Read a CSV, tab-separated or Excel table whose header need not come first.

    The header is the first row that has all these columns; there may be notes above it.

    Args:
        path (Path): The table.
        columns (Mapping): The name of each column that is looked for, and the names
            that it may have in the header. Case, blanks and punctuation do not count.
        optional (Sequence[str]): Which of these may be missing.
        hint (str): How a user names columns, for the message if there is no header.

    Returns:
        list[TableRow]: Cells of all columns, those of ``columns`` under the name given
        there, others under their own. Rows with none of ``columns`` filled are left
        out.

    Raises:
        ValueError: If the file cannot be read, no row is such a header, or a row has
            more cells than it. (One may have fewer: Excel leaves out the separators of
            empty cells at the end of a row.)
    """
    path = require_file(path, 'table')
    wanted = {ours: {bare(n) for n in names} for ours, names in columns.items()}
    needed = [name for name in columns if name not in optional]
    faults, candidates = [], []
    for sheet, fault in _sheets(path):
        faults.append(fault)
        for start, (_, header) in enumerate(sheet):
            names = _name_columns(header, wanted)
            known = columns.keys() & set(names)
            candidates.append((len(known), [cell for cell in header if cell]))
            if not set(needed) <= set(names) or not known:
                continue
            if fault:
                raise ValueError(f'{path}, {fault}')
            rows = []
            for number, cells in sheet[start + 1 :]:
                if any(cells[len(names) :]):
                    raise ValueError(
                        f'{path}, line {number}: {len(cells)} cells where the header '
                        f'has {len(names)}; a cell with a comma needs quotation marks'
                    )
                row = {k: c for k, c in zip(names, cells) if k}
                if any(row.get(name) for name in columns):
                    full = {**dict.fromkeys(filter(None, names), ''), **row}
                    rows.append(TableRow(f'{path.name}:{number}', full))
            return rows
    if faults and all(faults):  # whatever the separator
        raise ValueError(f'{path}, {faults[0]}')
    words = ', '.join(
        ' or '.join(map(repr, dict.fromkeys(columns[name]))) for name in needed
    )
    # The likeliest header: with the most columns that are known, or else cells.
    likely = max(candidates, key=lambda own: (own[0], len(own[1])), default=(0, []))[1]
    raise ValueError(
        f'table {str(path)!r}: no header row with the columns {words}; found are '
        f'{", ".join(repr(cell) for cell in likely) or "nothing"}'
        f'{"; " * bool(hint)}{hint}'
    )


def bare(name: str) -> str:
    """Return what counts of the name of a column."""
    return re.sub(r'[\W_]', '', name.lower())


def _name_columns(header: Sequence[str], wanted: Mapping[str, set]) -> list[str]:
    """Return our name for each cell of a header, or its own; each at most once."""
    names: list[str] = []
    for cell in header:
        ours = next((k for k, own in wanted.items() if bare(cell) in own), '')
        if not ours and cell not in wanted:  # where that has another name
            ours = cell
        names.append('' if ours in names else ours)
    return names


def _sheets(path: Path) -> Iterator[tuple[list[tuple[int, list[str]]], str]]:
    """Yield numbered rows of each sheet; of a text file, with each separator.

    With them comes what is wrong with the row that follows, if anything.
    """
    if path.suffix.lower() in EXCEL:
        yield from ((rows, '') for rows in _excel_sheets(path))
        return
    for mark in (',', *SEPARATORS):  # one of them gives the header
        rows: list[tuple[int, list[str]]] = []
        fault = ''
        try:
            rows.extend(read_lines(path, mark))
        except ValueError as error:
            fault = str(error)
        yield rows, fault


def _excel_sheets(path: Path) -> list[list[tuple[int, list[str]]]]:
    package = EXCEL[path.suffix.lower()]
    if find_spec(package) is None:
        raise ValueError(
            f'table {str(path)!r}: reading it needs {package}. Run: pip install '
            f'{package}, or save the table as CSV and name it with --table FILE.csv'
        )
    import pandas as pd  # slow to import, and needed for Excel alone

    try:
        sheets = pd.read_excel(
            path, sheet_name=None, header=None, dtype=str, na_filter=False
        )
    except Exception as error:  # whatever a reader throws at a damaged file
        raise ValueError(f'table {str(path)!r}: {error}') from None
    tables = (sheet.fillna('').values.tolist() for sheet in sheets.values())
    return [
        [(n, [str(cell).strip() for cell in cells]) for n, cells in enumerate(rows, 1)]
        for rows in tables
    ]
