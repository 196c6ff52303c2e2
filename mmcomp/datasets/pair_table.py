"""The pair table: reading and validating it, all faults at once.

A pair table is a CSV file (UTF-8, comma) or a JSON file in the OpenMMLab 2.0 layout
(``{"metainfo": {...}, "data_list": [...]}``) with a row for each pair. It is the only
thing that the project knows about how a database lies on disk.
"""

import csv
import io
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np

from mmcomp.columns import APEX, CLASSES, ID, LABEL, ONSET, SUBJECT

PLACE = '_place'  # the key of a row's place in its file; no column
REQUIRED_COLUMNS = (ID, SUBJECT, ONSET, APEX, LABEL)
MAX_FAULTS = 20
CHUNK = 32  # rows that one thread decodes at a time


class PairTableError(ValueError):
    """A pair table that cannot be used; its message lists the faults with lines.

    Args:
        path: The table's path.
        faults (list[str]): One sentence for each fault, each with its place.
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

    Images are only looked for, not decoded: see :func:`decode_images`.

    Args:
        path: A ``.csv`` or ``.json`` file.
        classes (Sequence[str]): The labels that are allowed, in index order.
        image_root (str, optional): The folder that relative image paths start from.
            Defaults to the folder of the table.

    Returns:
        list[dict]: A row for each pair, with all columns of the table as strings
        (values as they stand in a JSON file), absolute ``onset`` and ``apex`` paths,
        and ``_place``, where the row stands in the file.

    Raises:
        PairTableError: Listing all faults, each with its line.
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


def decode_images(
    path,
    rows: Sequence[dict],
    load: Callable[[str], np.ndarray],
    keep: bool = True,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Decode every onset and apex of a table, on a few threads.

    Args:
        path: The table's path, for messages.
        rows (Sequence[dict]): Rows as :func:`read_pair_table` gives them.
        load (Callable): From a path to an image of shape ``(H, W)`` or ``(H, W, C)``.
        keep (bool): Whether the images are wanted, or only their faults.

    Returns:
        list[tuple]: For each row the onset and the apex image; empty if not kept.
        Images of one shape are views of one block.

    Raises:
        PairTableError: Listing all images that are broken, each with its line.
    """
    block, lock = None, Lock()

    def store(image, index, place):
        nonlocal block
        with lock:
            if block is None:
                block = np.empty((len(rows), 2, *image.shape), image.dtype)
        if image.shape != block.shape[2:]:
            return image
        block[index, place] = image
        return block[index, place]

    def pair(index):
        images, faults = [], []
        for place, column in enumerate((ONSET, APEX)):
            try:
                image = load(rows[index][column])
            except Exception as error:  # whatever a file backend or a decoder throws
                row, reason = rows[index], str(error).strip() or type(error).__name__
                faults.append(f'{row[PLACE]}: {column} {row[column]!r}: {reason}')
                continue
            if keep:
                images.append(store(image, index, place))
        return tuple(images), faults

    # In chunks: a future for each row would cost more than decoding small images.
    chunks = [range(i, min(i + CHUNK, len(rows))) for i in range(0, len(rows), CHUNK)]
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        parts = pool.map(lambda chunk: [pair(index) for index in chunk], chunks)
        done = [result for part in parts for result in part]
    faults = [fault for _, found in done for fault in found]
    if faults:
        raise PairTableError(path, faults)
    return [images for images, _ in done] if keep else []


def _read_csv(path: Path, classes: Sequence[str]) -> tuple[list[dict], list[str]]:
    """Rows and faults of the file's form; see :func:`_check_rows` for the rest."""
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
                rows.append({**dict(zip(header, values)), PLACE: f'line {line}'})
    except csv.Error as error:
        faults.append(f'line {start}: {error}; is a quotation mark left open?')
    if not header:
        faults.append('the file is empty')
    return rows, faults


def _check_header(header: Sequence[str], line: int) -> list[str]:
    faults = [
        f'line {line}: column {name!r} stands {header.count(name)} times in the header'
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
    """Rows and faults of an OpenMMLab 2.0 annotation file."""
    try:
        content = json.loads(path.read_bytes())
    except UnicodeDecodeError as error:
        return [], [f'not UTF-8 ({error.reason})']
    except json.JSONDecodeError as error:
        return [], [f'line {error.lineno}: not JSON ({error.msg})']
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
        place = f'data_list[{index}]'
        if not isinstance(entry, dict):
            faults.append(f'{place}: {type(entry).__name__} where an object is needed')
            continue
        row = {**entry, PLACE: place}
        number = row.pop('gt_label', None)
        if number is not None:
            if not isinstance(number, int) or not 0 <= number < len(names):
                faults.append(f'{place}: gt_label {number!r} is no index of {names!r}')
                continue
            if row.setdefault(LABEL, names[number]) != names[number]:
                faults.append(
                    f'{place}: gt_label {number} is {names[number]!r}, but {LABEL} is '
                    f'{row[LABEL]!r}'
                )
        missing = [name for name in REQUIRED_COLUMNS if row.get(name) is None]
        if missing:
            faults.append(f'{place}: no {", ".join(map(repr, missing))}')
            continue
        row.update({name: str(row[name]).strip() for name in REQUIRED_COLUMNS})
        rows.append(row)
    if not data_list:
        faults.append("'data_list' is empty")
    return rows, faults


def _check_rows(rows: list[dict], classes: Sequence[str], root: Path) -> list[str]:
    """Faults of the rows' content; makes image paths absolute."""
    faults = []
    first: dict[str, str] = {}
    folders: dict[str, frozenset] = {}
    for row in rows:
        place = row[PLACE]
        for name in REQUIRED_COLUMNS:
            if not row[name]:
                faults.append(f'{place}: {name} is empty')
        sample_id = row[ID]
        if sample_id and sample_id in first:
            faults.append(
                f'{place}: {ID} {sample_id!r} stands already in {first[sample_id]}'
            )
        first.setdefault(sample_id, place)
        if row[LABEL] and row[LABEL] not in classes:
            faults.append(
                f'{place}: unknown {LABEL} {row[LABEL]!r}; allowed are '
                f'{", ".join(map(repr, classes))}'
            )
        for name in (ONSET, APEX):
            if not row[name]:
                continue
            image = os.path.abspath(os.path.join(root, row[name]))
            fault = _image_fault(image, folders)
            if fault:
                faults.append(f'{place}: {name} {row[name]!r}: {fault}')
            row[name] = image
    return faults


def _image_fault(image: str, folders: dict[str, frozenset]) -> str | None:
    """Why an image cannot be opened, or None; lists each folder only once."""
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
