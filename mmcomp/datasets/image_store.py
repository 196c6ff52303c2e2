"""The image store: every image of a pair table decoded once, and kept in memory."""

import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

import numpy as np

from mmcomp.columns import APEX, ONSET

from .memory import available_memory
from .pair_table import ROW_POSITION, PairTableError
from .transforms.loading import LoadPair

CHUNK = 32  # rows that one thread decodes at a time

ImagePair = tuple[np.ndarray, np.ndarray]


class Decoded(NamedTuple):
    """The images of a table.

    Attributes:
        pairs: The onset and the apex image of each row; empty if they are not kept.
        size: Height and width of all images; None where they may differ.
    """

    pairs: list[ImagePair]
    size: tuple[int, int] | None


class _Block:
    """Memory for the images of a table: one array for all that have one shape.

    Args:
        count: Number of pairs.
        limit: Bytes that all images may take.

    Attributes:
        too_large: The images that take more, in words; empty until that is seen.
    """

    def __init__(self, count: int, limit: int) -> None:
        self.count, self.limit = count, limit
        self.too_large = ''
        self._array: np.ndarray | None = None
        self._outside = 0  # bytes of the images of another shape
        self._lock = Lock()

    def store(self, image: np.ndarray, index: int, moment: int) -> np.ndarray:
        """Return the image, as a view of the array if it has the shape of the first."""
        with self._lock:
            array = self._array
            if array is None:
                shape = (self.count, 2, *image.shape)
                if math.prod(shape) * image.itemsize > self.limit:
                    size = _size(image.shape)
                    self.too_large = f'{2 * self.count} images of {size} pixels'
                    return image
                array = self._array = np.empty(shape, image.dtype)
            if image.shape != array.shape[2:]:
                self._outside += image.nbytes
                if array.nbytes + self._outside > self.limit:
                    self.too_large = f'{2 * self.count} images of several sizes'
                return image
        array[index, moment] = image
        return array[index, moment]


def decode_images(
    path,
    rows: Sequence[dict],
    load: Callable[[str], np.ndarray],
    keep: bool = True,
    one_size: bool = True,
) -> Decoded:
    """Decode every onset and apex of a table in several threads.

    Args:
        path: The table's path, for messages.
        rows (Sequence[dict]): Rows as
            :func:`mmcomp.datasets.pair_table.read_pair_table` returns them.
        load (Callable): From a path to an image of shape ``(H, W)`` or ``(H, W, C)``.
        keep (bool): Whether to return the images, or only to look for errors.
        one_size (bool): Whether images of different sizes are an error.

    Returns:
        Decoded: Images of one shape are views of one block.

    Raises:
        PairTableError: Listing all images that are damaged or, with ``one_size``, not
            of the size that most images have, each with its line.
        ValueError: If the images need more memory than there is.
    """
    block = _Block(len(rows), available_memory()) if keep else None

    def pair(index: int) -> tuple[list[np.ndarray], list[tuple], list[str]]:
        images, shapes, faults = [], [], []
        for moment, column in enumerate((ONSET, APEX)):
            if block and block.too_large:
                break
            try:
                image = load(rows[index][column])
            except Exception as error:  # whatever a file backend or a decoder throws
                reason = str(error).strip() or type(error).__name__
                faults.append(f'{_name(rows[index], column)}: {reason}')
                continue
            shapes.append((image.shape[:2], index, column))
            if block:
                images.append(block.store(image, index, moment))
        return images, shapes, faults

    # In chunks: a future for each row would cost more than decoding small images.
    chunks = [range(i, min(i + CHUNK, len(rows))) for i in range(0, len(rows), CHUNK)]
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        parts = pool.map(lambda chunk: [pair(index) for index in chunk], chunks)
        done = [result for part in parts for result in part]
    if block and block.too_large:
        raise ValueError(
            f'memory for {block.too_large} of {str(path)!r} is more than the '
            f'{block.limit / 2**30:.1f} GiB that are free; align the faces (mmcomp '
            "prepare), or set cache='none' in the dataset"
        )
    faults = [fault for _, _, found in done for fault in found]
    shapes = [shape for _, found, _ in done for shape in found]
    usual = Counter(shape for shape, *_ in shapes).most_common(1)
    size = usual[0][0] if usual and one_size else None
    if size:
        faults += [
            f'{_name(rows[index], column)}: the image has {_size(shape)} pixels; it '
            f'must have {_size(size)}, like most images: align the faces (mmcomp '
            'prepare)'
            for shape, index, column in shapes
            if shape != size
        ]
    if faults:
        raise PairTableError(path, faults)
    return Decoded([(i[0], i[1]) for i, *_ in done] if keep else [], size)


def _name(row: dict, column: str) -> str:
    return f'{row[ROW_POSITION]}: {column} {row[column]!r}'


def _size(shape: Sequence[int]) -> str:
    return f'{shape[0]}x{shape[1]}'


def decode_once(
    path: str, rows: Sequence[dict], loader: LoadPair, one_size: bool = True
) -> Decoded:
    """Return the decoded images of a table, shared by the datasets of this process.

    A table that was written again since, or another loader, is decoded again.

    Args:
        path (str): The table's path.
        rows (Sequence[dict]): Rows of the table.
        loader (LoadPair): What decodes an image.
        one_size (bool): As for :func:`decode_images`.

    Returns:
        Decoded: Not to be changed.

    Raises:
        ValueError: As :func:`decode_images` does.
    """
    keys = tuple((row[ONSET], row[APEX], row[ROW_POSITION]) for row in rows)
    return _decode(path, os.stat(path).st_mtime_ns, keys, loader, one_size)


def clear() -> None:
    """Forget all images that :func:`decode_once` keeps."""
    _decode.cache_clear()


@lru_cache(maxsize=2)
def _decode(
    path: str, modified: int, keys: tuple, loader: LoadPair, one_size: bool
) -> Decoded:
    rows = [dict(zip((ONSET, APEX, ROW_POSITION), key)) for key in keys]
    return decode_images(path, rows, loader.load, one_size=one_size)
