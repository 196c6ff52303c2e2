"""The image store: every image of a pair table decoded once, and kept in memory."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from threading import Lock

import numpy as np

from mmcomp.columns import APEX, ONSET

from .pair_table import ROW_POSITION, PairTableError
from .transforms.loading import LoadPair

CHUNK = 32  # rows that one thread decodes at a time

ImagePair = tuple[np.ndarray, np.ndarray]


def decode_images(
    path,
    rows: Sequence[dict],
    load: Callable[[str], np.ndarray],
    keep: bool = True,
) -> list[ImagePair]:
    """Decode every onset and apex of a table in several threads.

    Args:
        path: The table's path, for messages.
        rows (Sequence[dict]): Rows as
            :func:`mmcomp.datasets.pair_table.read_pair_table` returns them.
        load (Callable): From a path to an image of shape ``(H, W)`` or ``(H, W, C)``.
        keep (bool): Whether to return the images, or only to look for errors.

    Returns:
        list[tuple]: The onset and the apex image of each row; empty if not kept.
        Images of one shape are views of one block.

    Raises:
        PairTableError: Listing all damaged images, each with its line.
    """
    block: np.ndarray | None = None
    lock = Lock()

    def store(image: np.ndarray, index: int, moment: int) -> np.ndarray:
        nonlocal block
        with lock:
            if block is None:
                block = np.empty((len(rows), 2, *image.shape), image.dtype)
        if image.shape != block.shape[2:]:
            return image
        block[index, moment] = image
        return block[index, moment]

    def pair(index: int) -> tuple[list[np.ndarray], list[str]]:
        images, faults = [], []
        for moment, column in enumerate((ONSET, APEX)):
            try:
                image = load(rows[index][column])
            except Exception as error:  # whatever a file backend or a decoder throws
                position, file = rows[index][ROW_POSITION], rows[index][column]
                reason = str(error).strip() or type(error).__name__
                faults.append(f'{position}: {column} {file!r}: {reason}')
                continue
            if keep:
                images.append(store(image, index, moment))
        return images, faults

    # In chunks: a future for each row would cost more than decoding small images.
    chunks = [range(i, min(i + CHUNK, len(rows))) for i in range(0, len(rows), CHUNK)]
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        parts = pool.map(lambda chunk: [pair(index) for index in chunk], chunks)
        done = [result for part in parts for result in part]
    faults = [fault for _, found in done for fault in found]
    if faults:
        raise PairTableError(path, faults)
    return [(images[0], images[1]) for images, _ in done] if keep else []


def decode_once(path: str, rows: Sequence[dict], loader: LoadPair) -> list[ImagePair]:
    """Return the decoded images of a table, shared by the datasets of this process.

    A table that was written again since, or another loader, is decoded again.

    Args:
        path (str): The table's path.
        rows (Sequence[dict]): Rows of the table.
        loader (LoadPair): What decodes an image.

    Returns:
        list[tuple]: The onset and the apex image of each row; not to be changed.

    Raises:
        PairTableError: Listing all damaged images, each with its line.
    """
    keys = tuple((row[ONSET], row[APEX], row[ROW_POSITION]) for row in rows)
    return _decode(path, os.stat(path).st_mtime_ns, keys, loader)


def clear() -> None:
    """Forget all images that :func:`decode_once` keeps."""
    _decode.cache_clear()


@lru_cache(maxsize=2)
def _decode(path: str, modified: int, keys: tuple, loader: LoadPair) -> list[ImagePair]:
    rows = [dict(zip((ONSET, APEX, ROW_POSITION), key)) for key in keys]
    return decode_images(path, rows, loader.load)
