"""What was computed of images, kept in a file from run to run."""

import hashlib
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from mmcomp.files import replacing


class ImageCache(Mapping[str, np.ndarray]):
    """Vectors of images, by the digest of their pixels.

    A picture that has changed has another key, so nothing is out of date. The file is
    ``.npz`` without pickles, written whole or not at all. One that is damaged or of
    another kind is replaced, with a warning: all in it can be computed again.

    Args:
        path: The file; it need not exist.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), 'means.npz')
        >>> image = np.zeros((2, 2), np.uint8)
        >>> ImageCache(path).update({image_key(image): image.mean(axis=0)})
        >>> ImageCache(path)[image_key(image)]
        array([0., 0.], dtype=float32)
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._vectors = _read(self.path) if self.path.exists() else {}

    def __getitem__(self, key: str) -> np.ndarray:
        return self._vectors[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._vectors)

    def __len__(self) -> int:
        return len(self._vectors)

    def update(self, vectors: Mapping[str, np.ndarray]) -> None:
        """Add vectors, and write the file if that changes it.

        Args:
            vectors: By :func:`image_key`; each ``(D,)``, finite or not, as float32.

        Raises:
            ValueError: If they are not of the length of those that are there.
            OSError: If the file cannot be written.
        """
        added = {
            key: np.asarray(vector, np.float32).copy()
            for key, vector in vectors.items()
        }
        changed = {**self._vectors, **added}
        shapes = {vector.shape for vector in changed.values()}
        if len(shapes) > 1 or any(len(shape) != 1 for shape in shapes):
            raise ValueError(
                f'shapes of vectors in {self.path} are {sorted(shapes)}; they must be '
                'one (D,)'
            )
        if added:
            self._write(changed)

    def keep(self, keys: Iterable[str]) -> None:
        """Forget all other images, and write the file if that changes it."""
        kept = set(keys)
        left = {key: self._vectors[key] for key in self._vectors if key in kept}
        if len(left) < len(self._vectors):
            self._write(left)

    def _write(self, vectors: dict[str, np.ndarray]) -> None:
        keys = np.array(list(vectors), 'S')
        rows = np.stack(list(vectors.values())) if vectors else np.zeros((0, 0), 'f4')
        with replacing(self.path) as partial, partial.open('wb') as file:
            np.savez(file, keys=keys, vectors=rows)
        self._vectors = vectors


def cache_path(table: str | Path, name: str, version: str) -> Path:
    """Return the file next to a table that keeps what a function gives of its images.

    Args:
        table: The table.
        name: Of the function.
        version: Functions with other values have other versions.
    """
    table = Path(table)
    return table.with_name(f'{table.stem}.{name}-{version}.npz')


def image_key(image: np.ndarray) -> str:
    """Return the digest of an image's pixels, type and shape."""
    image = np.ascontiguousarray(image)
    digest = hashlib.blake2b(
        f'{image.dtype.str} {image.shape}'.encode(), digest_size=16
    )
    digest.update(image.data)
    return digest.hexdigest()


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            keys, vectors = file['keys'], file['vectors']
        if (
            keys.dtype.kind != 'S'
            or vectors.dtype != np.float32
            or vectors.ndim != 2
            or keys.shape != vectors.shape[:1]
        ):
            raise ValueError('not a cache of images')
        return dict(zip(np.char.decode(keys, 'ascii').tolist(), vectors))
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        EOFError,
        zipfile.BadZipFile,
    ) as error:
        warnings.warn(
            f'{path}: it cannot be read ({error}); it is computed again', stacklevel=3
        )
        return {}
