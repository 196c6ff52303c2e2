"""The file in a dataset's folder that says what the dataset is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmcomp.files import write_text

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
    meta = json.loads(path.read_text(encoding='utf-8'))
    if not isinstance(meta, dict):
        raise ValueError(f'{path} holds {type(meta).__name__}; it must hold an object')
    return meta


def write_meta(dataset_dir: str | Path, meta: dict[str, Any]) -> None:
    """Write what ``read_meta`` reads."""
    text = json.dumps(meta, indent=2) + '\n'
    write_text(Path(dataset_dir) / META_FILE, text)
