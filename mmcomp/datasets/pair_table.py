"""The pair table: reading and checking it, all faults at once.

A pair table is a CSV file (UTF-8, comma) or a JSON file in the OpenMMLab 2.0 layout
(``{"metainfo": {...}, "data_list": [...]}``) with a row for each pair. It is the only
thing that mmcomp knows about how images lie on disk.
"""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from mmcomp.columns import APEX, CLASSES, ID, LABEL, ONSET, SUBJECT
from mmcomp.files import read_json

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

    Args:
        path: A ``.csv`` or ``.json`` file.
        classes (Sequence[str]): The labels that are allowed, in index order.
        image_root (str, optional): The folder that relative image paths start from.
            Defaults to the folder of the table.

    Returns:
        list[dict]: A row for each pair, with all columns of the table as strings
        (values of a JSON file as they are), absolute ``onset`` and ``apex`` paths, and
        ``_position``, the row's position in the file.

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
    faults += _check_rows(rows, classes, root)
    if not rows and not faults:
        faults.append('there is no row below the header')
    if faults:
        raise PairTableError(path, faults)
    return rows


def _read_csv(path: Path, classes: Sequence[str]) -> tuple[list[dict], list[str]]:
    """Return rows and faults of the file's form; :func:`_check_rows` does the rest."""
    try:
        text = path.read_bytes().decode('utf-8-sig')
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b'\n') + 1
        return [], [f'line {line}: not UTF-8 ({error.reason}); save the table as UTF-8']
    if '\0' in text:
        line = text[: text.index('\0')].count('\n') + 1
        return [], [f'line {line}: holds a NUL byte; this is not a text file']
    reader = csv.reader(io.StringIO(text, newline=''), strict=True)
    rows: list[dict] = []
    faults: list[str] = []
    header: list[str] = []
    start = 1  # of the next row; one with quoted line breaks spans several
    try:
        for cells in reader:
            line, start = start, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = [cell.strip() for cell in cells]
                faults += _check_header(header, line)
                if faults:
                    break
            elif len(cells) != len(header):
                faults.append(
                    f'line {line}: {len(cells)} fields where the header has '
                    f'{len(header)}'
                )
            else:
                values = (cell.strip() for cell in cells)
                rows.append({**dict(zip(header, values)), ROW_POSITION: f'line {line}'})
    except csv.Error as error:
        faults.append(f'line {start}: {error}; is a quotation mark left open?')
    if not header:
        faults.append('the file is empty')
    return rows, faults


def _check_header(header: Sequence[str], line: int) -> list[str]:
    faults = [
        f'line {line}: column {name!r} is in the header {header.count(name)} times'
        for name in dict.fromkeys(header)
        if header.count(name) > 1
    ]
    missing = [name for name in REQUIRED_COLUMNS if name not in header]
    if missing:
        hint = ''
        for mark, word in ((';', 'semicolons'), ('\t', 'tabs')):
            if len(header) == 1 and mark in header[0]:
                hint = f'; it is separated by {word}, and commas are needed'
        faults.append(
            f'line {line}: no column {", ".join(map(repr, missing))} in the header '
            f'({", ".join(map(repr, header))}){hint}'
        )
    return faults


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
        row = {**entry, ROW_POSITION: position}
        number = row.pop('gt_label', None)
        if number is not None:
            if not isinstance(number, int) or not 0 <= number < len(names):
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
        missing = [name for name in REQUIRED_COLUMNS if row.get(name) is None]
        if missing:
            faults.append(f'{position}: no {", ".join(map(repr, missing))}')
            continue
        row.update({name: str(row[name]).strip() for name in REQUIRED_COLUMNS})
        rows.append(row)
    if not data_list:
        faults.append("'data_list' is empty")
    return rows, faults


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
