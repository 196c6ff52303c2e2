"""Uploaded files: a copy for each session, deleted with it."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

MAX_MB = 100


class Upload:
    """A file of one session, deleted when this object is garbage-collected.

    Args:
        source: The file to copy; its name is kept.

    Raises:
        OSError: If there is none.
    """

    def __init__(self, source) -> None:
        self._folder = TemporaryDirectory(prefix='mmcomp-upload-')
        self.path = Path(shutil.copy(source, self._folder.name))
