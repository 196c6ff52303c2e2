"""The file in a dataset's folder that says what the dataset is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmcomp.files import read_object, write_text

META_FILE = 'meta.json'


def read_meta(dataset_dir: str | Path) -> dict[str, Any]:
    """Read recipe version, preset, level, seed, counts, oracle and checksum.

    Raises:
        FileNotFoundError: If the folder holds no dataset.
        ValueError: If the file is not what was written there.
    """
    path = Path(dataset_dir) / META_FILE
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such file')
    return read_object(path)


def write_meta(dataset_dir: str | Path, meta: dict[str, Any]) -> None:
    """Write what ``read_meta`` reads."""
    text = json.dumps(meta, indent=2) + '\n'
    write_text(Path(dataset_dir) / META_FILE, text)
