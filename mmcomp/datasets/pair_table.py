"""The pair table: reading and checking it, all faults at once.

A pair table is a CSV file (UTF-8, comma) or a JSON file in the OpenMMLab 2.0 layout
(``{"metainfo": {...}, "data_list": [...]}``) with a row for each pair. It is the only
thing that mmcomp knows about how images lie on disk.
"""

import os
import unicodedata
import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmcomp.columns import APEX, CLASSES, DATABASE, ID, LABEL, ONSET, SUBJECT
from mmcomp.tables import json_cell, plain, read_json, scan_table

ROW_POSITION = '_position'  # key of a row's position in its file; not a column
REQUIRED_COLUMNS = (ID, SUBJECT, ONSET, APEX, LABEL)
MAX_FAULTS = 20


class PairTableError(ValueError):
    """A pair table that cannot be used; its message lists the faults with lines.

    Args:
        path: The table's path.
        faults (list[str]): One sentence for each fault, each with its position.
    """

    def __init__(self, path, faults: Sequence[str]) -> None:
        self.faults = list(faults)
        shown = self.faults[:MAX_FAULTS]
        if len(self.faults) > len(shown):
            shown.append(f'... and {len(self.faults) - len(shown)} more')
        count = f'{len(self.faults)} fault{"s" * (len(self.faults) > 1)}'
        super().__init__(
            f'pair table {str(path)!r} has {count}:\n'
            + '\n'.join(f'  {s}' for s in shown)
        )


def read_pair_table(
    path, classes: Sequence[str] = CLASSES, image_root: str | None = None
) -> list[dict[str, str]]:
    """Read a pair table and check every row of it.

    Images must exist, but are not decoded:
    :func:`mmcomp.datasets.image_store.decode_images` does that.

    Equal subjects of two databases are two people: if the column ``database`` has
    several values, ``subject`` becomes ``database/subject``. Subjects that may be one
    person in several spellings (``Anna`` and ``anna``, ``1`` and ``01``) are named in a
    warning.

    Args:
        path: A ``.csv`` or ``.json`` file.
        classes (Sequence[str]): The labels that are allowed, in index order.
        image_root (str, optional): The folder that relative image paths start from.
            Defaults to the folder of the table.

    Returns:
        list[dict]: A row for each pair, with all columns of the table as strings,
        absolute ``onset`` and ``apex`` paths, and ``_position``, the row's position in
        the file.

    Raises:
        PairTableError: Listing all faults, each with its line.

    Examples:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ('neutral.png', 'smile.png'):
        ...     (folder / name).touch()
        >>> table = folder / 'pairs.csv'
        >>> header = 'sample_id,subject,onset,apex,label'
        >>> _ = table.write_text(f'{header}\\n1,ann,neutral.png,smile.png,posed\\n')
        >>> (row,) = read_pair_table(table)
        >>> row['subject'], row['label'], row['_position']
        ('ann', 'posed', 'line 2')
    """
    path = Path(path)
    if not path.is_file():
        raise PairTableError(path, ['no such file'])
    reader = _read_json if path.suffix.lower() == '.json' else _read_csv
    rows, faults = reader(path, classes)
    root = Path(image_root) if image_root else path.parent
    faults += _check_classes(classes) + _check_rows(rows, classes, root)
    faults += _tell_databases_apart(rows)
    if not rows and not faults:
        faults.append('there is no row below the header')
    if faults:
        raise PairTableError(path, faults)
    _warn_of_spellings(path, rows)
    return rows


def person_of(row: Mapping[str, Any]) -> str:
    """Return the name of a row's subject among the people of all tables.

    Examples:
        >>> person_of({'subject': '01', 'database': 'casme2'})
        'casme2/01'
    """
    database, subject = row.get(DATABASE), row[SUBJECT]
    if not database or subject.startswith(f'{database}/'):
        return subject
    return f'{database}/{subject}'


def _read_csv(path: Path, classes: Sequence[str]) -> tuple[list[dict], list[str]]:
    """Return rows and faults of the file's form; :func:`_check_rows` does the rest."""
    rows, faults = scan_table(path, REQUIRED_COLUMNS)
    return [{**cells, ROW_POSITION: position} for position, cells in rows], faults


def _read_json(path: Path, classes: Sequence[str]) -> tuple[list[dict], list[str]]:
    """Return rows and faults of an OpenMMLab 2.0 annotation file."""
    try:
        content = read_json(path)
    except ValueError as error:
        return [], [str(error)]
    data_list = content.get('data_list') if isinstance(content, dict) else None
    if not isinstance(data_list, list):
        return [], ["not in the OpenMMLab 2.0 layout: no list 'data_list'"]
    faults = []
    metainfo = content.get('metainfo') or {}
    names = list(classes)
    known = metainfo.get('classes', names) if isinstance(metainfo, dict) else metainfo
    if known != names:
        faults.append(
            f"metainfo: classes {known!r} differ from the dataset's {names!r}"
        )
    rows = []
    for index, entry in enumerate(data_list):
        position = f'data_list[{index}]'
        if not isinstance(entry, dict):
            faults.append(
                f'{position} is a {type(entry).__name__}; it must be an object'
            )
            continue
        number = entry.pop('gt_label', None)
        try:
            row = {name: json_cell(value, name) for name, value in entry.items()}
        except ValueError as error:
            faults.append(f'{position}: {error}')
            continue
        if number is not None:
            if type(number) is not int or not 0 <= number < len(names):
                faults.append(
                    f'{position}: gt_label is {number!r}; it must be an index of '
                    f'{names!r}'
                )
                continue
            if row.setdefault(LABEL, names[number]) != names[number]:
                faults.append(
                    f'{position}: gt_label {number} means {names[number]!r}, but '
                    f'{LABEL} is {row[LABEL]!r}'
                )
        missing = [name for name in REQUIRED_COLUMNS if name not in row]
        if missing:
            faults.append(f'{position}: no {", ".join(map(repr, missing))}')
            continue
        rows.append({**row, ROW_POSITION: position})
    if not data_list:
        faults.append("'data_list' is empty")
    return rows, faults


def _check_classes(classes: Sequence[str]) -> list[str]:
    names = list(classes)
    return [
        f'class {name!r} must be a string that is there once, without outer blanks'
        for name in dict.fromkeys(names)
        if not isinstance(name, str)
        or not name
        or name != name.strip()
        or names.count(name) > 1
    ]


def _tell_databases_apart(rows: list[dict]) -> list[str]:
    """Add its database to each subject if there are several; return faults."""
    if len({row.get(DATABASE, '') for row in rows}) < 2:
        return []
    faults = [
        f'{row[ROW_POSITION]}: {DATABASE} is empty; it must be given in each row, or '
        'in none'
        for row in rows
        if not row.get(DATABASE)
    ]
    for row in rows:
        row[SUBJECT] = person_of(row)
    return faults


def _warn_of_spellings(path: Path, rows: Sequence[dict]) -> None:
    """Warn of subjects whose names differ in case, zero padding or encoding only."""
    spellings = defaultdict(set)
    for row in rows:
        spellings[plain(row[SUBJECT])].add(row[SUBJECT])
    several = [sorted(names) for names in spellings.values() if len(names) > 1]
    if several:
        shown = [' and '.join(map(_legible, names)) for names in several[:5]]
        more = f' and {len(several) - 5} more' if len(several) > 5 else ''
        warnings.warn(
            f'{path}: the subjects {"; ".join(shown)}{more} may be one person in '
            'several spellings; they count as different people, and may be on both '
            'sides of a split',
            stacklevel=2,
        )


def _legible(name: str) -> str:
    """Return a name between quotation marks, decomposed letters as their codes."""
    return repr(name) if unicodedata.is_normalized('NFC', name) else ascii(name)


def _check_rows(rows: list[dict], classes: Sequence[str], root: Path) -> list[str]:
    """Return faults of the rows' content; make image paths absolute."""
    faults = []
    first: dict[str, str] = {}
    folders: dict[str, frozenset] = {}
    for row in rows:
        position = row[ROW_POSITION]
        for name in REQUIRED_COLUMNS:
            if not row[name]:
                faults.append(f'{position}: {name} is empty')
        sample_id = row[ID]
        if sample_id and sample_id in first:
            faults.append(
                f'{position}: {ID} {sample_id!r} is already in {first[sample_id]}'
            )
        first.setdefault(sample_id, position)
        if row[LABEL] and row[LABEL] not in classes:
            faults.append(
                f'{position}: {LABEL} is {row[LABEL]!r}; it must be one of '
                f'{", ".join(map(repr, classes))}'
            )
        for name in (ONSET, APEX):
            if not row[name]:
                continue
            image = os.path.abspath(os.path.join(root, row[name]))
            fault = _image_fault(image, folders)
            if fault:
                faults.append(f'{position}: {name} {row[name]!r}: {fault}')
            row[name] = image
        if row[ONSET] and row[ONSET] == row[APEX]:
            faults.append(
                f'{position}: {ONSET} and {APEX} are the same image, '
                f'{os.path.basename(row[ONSET])!r}'
            )
    return faults


def _image_fault(image: str, folders: dict[str, frozenset]) -> str | None:
    """Return why an image cannot be opened, or None; list each folder only once."""
    folder, name = os.path.split(image)
    if folder not in folders:
        try:
            with os.scandir(folder) as entries:
                folders[folder] = frozenset(e.name for e in entries if not e.is_dir())
        except OSError:
            folders[folder] = frozenset()
    if name in folders[folder]:
        return None
    if os.path.isdir(image):
        return 'is a folder'
    return None if os.path.isfile(image) else 'no such file'
