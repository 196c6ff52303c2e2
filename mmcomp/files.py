"""Files: written whole or not at all, found, compared, required with a message."""

import hashlib
import json
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: It makes a folder that of an experiment.
EXPERIMENT_FILE = 'experiment.json'

#: What systems leave among a user's files, next to names that begin with a dot.
_CLUTTER = frozenset(['__macosx', '@eadir', 'desktop.ini', 'thumbs.db'])

#: Bytes of the longest :func:`safe_name`. File systems allow 255, with all suffixes.
_LONGEST = 160


_WEIGHTS = '.pth', '.pt', '.ckpt', '.safetensors'


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
    partial = path.with_name(f'.{safe_name(path.name)}.{os.getpid()}.tmp')
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


def parse_json(data: bytes, **options: Any) -> Any:
    """Parse JSON from anyone, which may be no JSON at all.

    Args:
        data: The content of a file.
        **options: As for :func:`json.loads`.

    Raises:
        ValueError: Saying what is wrong, in a line without the name of the file.
    """
    try:
        return json.loads(data, **options)
    except UnicodeDecodeError as error:
        raise ValueError(f'not UTF-8 ({error.reason})') from None
    except json.JSONDecodeError as error:
        raise ValueError(f'line {error.lineno}: not JSON ({error.msg})') from None
    except RecursionError:
        raise ValueError('nested too deep') from None


def read_object(path: str | Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        ValueError: Naming the file, if it is missing or holds something else.
    """
    try:
        content = parse_json(Path(path).read_bytes())
    except FileNotFoundError:
        raise ValueError(f'{path}: no such file') from None
    except (OSError, ValueError) as error:
        raise ValueError(f'{path}: {error}') from None
    if not isinstance(content, dict):
        raise ValueError(f'{path}: it must be an object of JSON')
    return content


def is_weights(path: object) -> bool:
    """Return whether something is the path of a file of weights, by its suffix."""
    return isinstance(path, (str, Path)) and str(path).lower().endswith(_WEIGHTS)


def digest(paths: Iterable[str | Path]) -> str:
    """Return one SHA-256 of the contents of files, in the order given.

    It shows whether a file has changed since; names and times do not count.

    Raises:
        OSError: If a file is missing or cannot be read.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), 'a.txt')
        >>> _ = path.write_text('one')
        >>> before = digest([path])
        >>> _ = path.write_text('two')
        >>> digest([path]) == before
        False
    """
    total = hashlib.sha256()
    for path in paths:
        with open(path, 'rb') as file:
            total.update(hashlib.file_digest(file, 'sha256').digest())
    return total.hexdigest()


def safe_name(text: str, unique: bool = False) -> str:
    """Return a file name for a text: the text itself where possible, else a unique one.

    Args:
        text: The text.
        unique: Whether to return a unique one anyway.

    Examples:
        >>> safe_name('p001'), safe_name('a/b')
        ('p001', 'a_b-c14cddc0')
    """
    name = re.sub(r'[^\w .+()-]', '_', text).strip(' .')
    if name == text and len(name.encode()) <= _LONGEST and not unique:
        return name
    name = name.encode()[: _LONGEST - 9].decode(errors='ignore')
    return f'{name}-{hashlib.sha256(text.encode(errors="replace")).hexdigest()[:8]}'


def name_key(text: str) -> str:
    """Return what the name of a file shares with those that may be the same file.

    Some file systems ignore case, and some how a letter is encoded.

    Examples:
        >>> name_key('P1') == name_key('p1'), name_key('p1') == name_key('p2')
        (True, False)
    """
    return safe_name(unicodedata.normalize('NFC', text)).casefold()


def file_names(texts: Sequence[str]) -> dict[str, str]:
    """Return a file name for each of some texts, which differ on any file system.

    It is that of :func:`safe_name` unless another text has it, too.

    Examples:
        >>> file_names(['p001', 'P001', 'p002'])
        {'p001': 'p001-476add61', 'P001': 'P001-df1e4005', 'p002': 'p002'}
    """
    counts = Counter(map(name_key, set(texts)))
    return {text: safe_name(text, unique=counts[name_key(text)] > 1) for text in texts}


def is_clutter(path: str | Path) -> bool:
    """Return whether a file or folder is of the system or an editor, not of the user.

    Examples:
        >>> is_clutter('clips/._00003.png'), is_clutter('clips/00003.png')
        (True, False)
    """
    name = Path(path).name
    return name.startswith('.') or name.lower() in _CLUTTER


def entries(folder: str | Path) -> list[Path]:
    """Return what a folder holds, sorted, without clutter (:func:`is_clutter`)."""
    return sorted(path for path in Path(folder).iterdir() if not is_clutter(path))


def walk(root: str | Path) -> Iterator[Path]:
    """Yield a folder and all folders below it, sorted, without clutter.

    Symbolic links are followed, but not into a folder that contains them.
    """
    pending = [(Path(root), frozenset([os.path.realpath(root)]))]
    while pending:
        folder, above = pending.pop()
        yield folder
        for path in reversed(entries(folder)):
            if path.is_dir() and (real := os.path.realpath(path)) not in above:
                pending.append((path, above | {real}))
