"""Uploaded files, and the folder of the server that holds them."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

MAX_MB = 100  # of one file
MAX_FOLDER_MB = 2000  # of all files of all users

_PREFIX = 'mmcomp-demo-'


class Upload:
    """A file of one session, deleted when this object is garbage-collected.

    It is another name for the same bytes, so that it takes no space of its own.

    Args:
        source: The file, on the file system of temporary files; its name is kept.

    Attributes:
        source: As given.
        path (Path): The session's own.

    Raises:
        OSError: If there is none.
    """

    def __init__(self, source) -> None:
        self.source = source
        self._folder = TemporaryDirectory(prefix='mmcomp-upload-')
        self.path = Path(self._folder.name, Path(source).name)
        os.link(source, self.path)


@contextmanager
def server_folder() -> Iterator[Path]:
    """Make a folder that is deleted at the end, and delete those of killed servers.

    Yields:
        Path: A temporary folder.
    """
    for left in Path(gettempdir()).glob(f'{_PREFIX}*'):
        # An empty one may belong to a server that is just about to lock it.
        with suppress(OSError), _locked(left):
            if any(left.iterdir()):
                shutil.rmtree(left)
    with TemporaryDirectory(prefix=_PREFIX) as name, _locked(name):
        yield Path(name).resolve()


@contextmanager
def _locked(folder) -> Iterator[None]:
    """Lock a folder; the system unlocks it when this process ends, however it does.

    Raises:
        OSError: If another process has locked it, or it belongs to another user.
    """
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(number)


def delete_older(folder, seconds: float) -> None:
    """Delete what was last written to longer ago, and folders that became empty."""
    limit = time.time() - seconds
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in [*files, *folders]:
            path = Path(parent, name)
            with suppress(OSError):  # not empty, or gone already
                if path.lstat().st_mtime < limit:
                    path.rmdir() if name in folders else path.unlink()


def size_of(folder) -> int:
    """Return the bytes of all files below a folder; several names count once."""
    sizes: dict[int, int] = {}
    for parent, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):  # deleted meanwhile
                found = Path(parent, name).lstat()
                sizes[found.st_ino] = found.st_size
    return sum(sizes.values())
