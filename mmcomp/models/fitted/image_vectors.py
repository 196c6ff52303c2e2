"""Vectors of images, computed on all cores and kept beside the images' table."""

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from filelock import FileLock

from mmcomp.faces.image_cache import ImageCache, cache_path, image_key
from mmcomp.files import digest
from mmcomp.progress import track

#: Computes ``(N, D)`` of images ``(N, H, W)`` and the title of a progress bar, '' for
#: none.
Compute = Callable[[Sequence[np.ndarray], str], np.ndarray]


class ImageVectors:
    """A function of images whose values can be kept in a file next to their table.

    The file is ``<stem of the table>.<name>-<version>.npz``. It may be deleted at any
    time.

    Args:
        name (str): Of the function.
        version (str): Functions with other values have other versions.
        compute (callable): The function.
    """

    def __init__(self, name: str, version: str, compute: Compute) -> None:
        self.name, self.version, self.compute = name, version, compute
        self._path: Path | None = None
        self._known: Mapping[str, np.ndarray] = {}

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return vectors ``(N, D)`` of images, computed where they are not kept."""
        keys = [image_key(image) for image in images]
        vectors = {key: self._known[key] for key in keys if key in self._known}
        vectors |= self._missing(keys, images)
        return np.stack([vectors[key] for key in keys])

    def open(self, table: str | Path) -> None:
        """Use what is kept next to a table, besides what is known of others."""
        self._path = cache_path(table, self.name, self.version)
        self._known = {**self._known, **ImageCache(self._path)}

    def fill(self, images: np.ndarray) -> None:
        """Compute the vectors of a table's images that are missing, and keep them.

        A second process waits for the first. Where the file cannot be written, a
        warning says so, and they are kept in memory.
        """
        if self._path is None:
            raise ValueError('table is None; open must be called before fill')
        keys = [image_key(image) for image in images]
        if all(key in self._known for key in keys):
            return
        title = f'Describing images ({self.name})'
        new: dict[str, np.ndarray] = {}
        try:
            with FileLock(self._path.with_name(f'.{self._path.name}.lock')):
                cache = ImageCache(self._path)
                self._known = {**self._known, **cache}
                new = self._missing(keys, images, title)
                self._known = {**self._known, **new}
                cache.update({k: self._known[k] for k in keys if k not in cache})
        except OSError as error:
            warnings.warn(
                f'{self._path}: it cannot be written ({error}); every run computes '
                f'{self.name} again',
                stacklevel=2,
            )
            new = new or self._missing(keys, images, title)
            self._known = {**self._known, **new}

    def _missing(
        self, keys: list[str], images: np.ndarray, title: str = ''
    ) -> dict[str, np.ndarray]:
        """Compute what is not known, of equal images once."""
        new = {key: own for key, own in zip(keys, images) if key not in self._known}
        return dict(zip(new, self.compute(list(new.values()), title))) if new else {}


def on_all_cores(
    function: Callable[..., np.ndarray], title: str, *columns: Sequence | np.ndarray
) -> np.ndarray:
    """Return the results of a function of the rows of columns, stacked.

    Args:
        function (callable): Of one element of each column. Threads call it.
        title (str): What a progress bar is headed with; '' for none.
        *columns (Sequence | np.ndarray): Of one length.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results: Iterable[np.ndarray] = pool.map(function, *columns)
        if title:
            results = track(results, len(columns[0]), title)
        return np.stack(list(results))


def version_of(sources: Iterable[str], *settings: object) -> str:
    """Return a short hash of what values depend on: source files, OpenCV, settings."""
    text = json.dumps([digest(sources), cv2.__version__, *settings])
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
