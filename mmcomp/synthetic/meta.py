"""The file in a dataset's folder that says what the dataset is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

META_FILE = 'meta.json'


def read_meta(dataset_dir: str | Path) -> dict[str, Any]:
    """Reads recipe version, preset, level, seed, counts, oracle and checksum.

    Raises:
        FileNotFoundError: If the folder holds no dataset.
        ValueError: If the file is not what was written there.
    """
    path = Path(dataset_dir) / META_FILE
    if not path.is_file():
        raise FileNotFoundError(f'{dataset_dir} is no synthetic dataset: no {path}.')
    meta = json.loads(path.read_text(encoding='utf-8'))
    if not isinstance(meta, dict):
        raise ValueError(f'{path} holds {type(meta).__name__}, not an object.')
    return meta


def write_meta(dataset_dir: str | Path, meta: dict[str, Any]) -> None:
    """Writes what ``read_meta`` reads."""
    text = json.dumps(meta, indent=2) + '\n'
    (Path(dataset_dir) / META_FILE).write_text(text, encoding='utf-8')
