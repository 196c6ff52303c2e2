"""Files: written whole or not at all, and required with a clear message."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: How files of weights are named. What is named otherwise in their place is a config.
CHECKPOINTS = ('.pth', '.pt', '.ckpt', '.safetensors')


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Write a file whole or not at all.

    The block writes under the name that it is given, which is renamed to ``path`` when
    the block ends, and removed when it raises. A process that is killed leaves the
    file that was there before. Missing folders are made.

    Args:
        path: The file.

    Yields:
        Path: The name to write under, in the same folder.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), 'a.txt')
        >>> with replacing(path) as partial:
        ...     _ = partial.write_text('whole')
        >>> path.read_text()
        'whole'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file (UTF-8) whole or not at all."""
    write_bytes(path, text.encode('utf-8'))


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as partial:
        partial.write_bytes(content)


def require_file(path: str | Path, what: str = 'file') -> Path:
    """Return the path of a file that must exist.

    Args:
        path: The file.
        what: What it is, for the message.

    Raises:
        ValueError: If there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f'{what} {str(path)!r}: no such file')
    return path


def is_checkpoint(path: Any) -> bool:
    """Return whether something is the path of weights, by its suffix."""
    return isinstance(path, (str, Path)) and str(path).lower().endswith(CHECKPOINTS)


def read_json(path: str | Path) -> Any:
    """Read a JSON file (UTF-8).

    Raises:
        ValueError: In one line, without the name of the file, if it is no JSON.
        OSError: If it cannot be read.
    """
    try:
        return json.loads(Path(path).read_bytes())
    except UnicodeDecodeError as error:
        raise ValueError(f'not UTF-8 ({error.reason})') from None
    except json.JSONDecodeError as error:
        raise ValueError(f'line {error.lineno}: not JSON ({error.msg})') from None
    except RecursionError:
        raise ValueError('not usable JSON: nested too deeply') from None
