"""Uploaded files: for each session one that is deleted with it."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

MAX_MB = 100


class Upload:
    """A file of one session, deleted when this object is garbage-collected.

    It is a link, which takes no time and no space, and outlives its source.

    Args:
        source: A file in the same file system; its name is kept.

    Raises:
        OSError: If there is none.
    """

    def __init__(self, source) -> None:
        self._folder = TemporaryDirectory(prefix='mmcomp-upload-')
        self.path = Path(self._folder.name, Path(source).name)
        os.link(source, self.path)
