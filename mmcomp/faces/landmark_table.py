"""Landmarks of the aligned pairs of a table, computed once and kept beside it."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmcomp.columns import APEX, ID, ONSET
from mmcomp.images import decode_image
from mmcomp.progress import track
from mmcomp.tables import read_table

from .image_cache import ImageCache, cache_path, image_key
from .landmarks import (
    POINTS,
    LandmarkFinder,
    Landmarks,
    aligned_eyes,
    landmarks_version,
)

#: How points are called in the name of the file that keeps them.
LANDMARKS = 'landmarks'

_TITLE = 'Finding landmarks'


@dataclass(frozen=True)
class PairLandmarks:
    """The points of a pair.

    Attributes:
        sample_id: The pair's.
        onset, apex: The points of its images.
    """

    sample_id: str
    onset: Landmarks
    apex: Landmarks

    @property
    def fault(self) -> str:
        """Why the pair's points are not to be trusted; empty where they are."""
        both = ((ONSET, self.onset), (APEX, self.apex))
        return '; '.join(f'{name}: {own.fault}' for name, own in both if own.fault)


def landmark_cache(table: str | Path) -> ImageCache:
    """Return the points that are kept beside a table, by image.

    The name ``<stem>.landmarks-<version>.npz`` holds the version of the network, so
    that another one's points are not taken for its own.
    """
    return ImageCache(cache_path(table, LANDMARKS, landmarks_version()))


def find_aligned(
    images: Sequence[np.ndarray],
    cache: ImageCache | None = None,
    title: str = _TITLE,
    finder: LandmarkFinder | None = None,
) -> list[Landmarks]:
    """Find the points of aligned faces on all cores.

    Args:
        images: Squares ``(S, S)``, or BGR ``(S, S, 3)``, uint8, with the eyes where
            alignment puts them.
        cache: Where points are kept; those that it has are not computed again.
        title: What a progress bar is headed with; without it there is none.
        finder: What finds them. Give one that is used again, as it is slow to load.

    Returns:
        list[Landmarks]: Of each image, in its pixels.

    Raises:
        ValueError: If an image is not square or otherwise not allowed.
        ImportError: If this OpenCV cannot read the network.
    """
    for image in images:
        if image.shape[0] != image.shape[1]:
            height, width = image.shape[:2]
            raise ValueError(
                f'images are {height}x{width} pixels; aligned faces must be square'
            )
    finder = finder or LandmarkFinder()
    keys = [image_key(image) for image in images]
    known = dict(cache or {})
    missing = {key: image for key, image in zip(keys, images) if key not in known}
    eyes = [aligned_eyes(len(image)) for image in missing.values()]
    found = finder.find_each(list(missing.values()), eyes)
    if missing and title:
        found = track(found, len(missing), title)
    new: dict[str, np.ndarray] = {}
    try:
        new.update((key, pack(own)) for key, own in zip(missing, found))
    finally:  # what was found before an interruption is kept
        if cache is not None:
            _keep(cache, new)
    known.update(new)
    return [
        finder.judge(unpack(known[key]), aligned_eyes(len(image)))
        for key, image in zip(keys, images)
    ]


def landmarks_of_table(
    table: str | Path, rows: Sequence[Mapping[str, str]] | None = None
) -> list[PairLandmarks]:
    """Find the points of all aligned pairs of a table, in gray.

    They are kept beside the table (:func:`landmark_cache`): a second call reads the
    images only, and computes those that have changed.

    Args:
        table: The pair table.
        rows: All its rows, where they are read already; by default those of the CSV
            file, with paths relative to its folder.

    Returns:
        list[PairLandmarks]: Of each row; those that are not to be trusted have a
        ``fault``.

    Raises:
        ValueError: If the table or an image cannot be used.
        ImportError: If this OpenCV cannot read the network.
    """
    table = Path(table)
    if rows is None:
        rows = [cells for _, cells in read_table(table, (ID, ONSET, APEX))]
    images = [_read(table.parent / row[name]) for row in rows for name in (ONSET, APEX)]
    cache = landmark_cache(table)
    found = find_aligned(images, cache)
    _keep(cache, {}, map(image_key, images))
    return [
        PairLandmarks(row[ID], *pair)
        for row, *pair in zip(rows, found[::2], found[1::2])
    ]


def _keep(
    cache: ImageCache,
    new: Mapping[str, np.ndarray],
    keys: Iterable[str] | None = None,
) -> None:
    """Add to a cache, and forget all but some keys; warn where that cannot be."""
    try:
        cache.update(new)
        if keys is not None:
            cache.keep(keys)
    except OSError as error:
        warnings.warn(
            f'{cache.path}: it cannot be written ({error}); landmarks are found again '
            'each time',
            stacklevel=3,
        )


def _read(path: Path) -> np.ndarray:
    try:
        return decode_image(path.read_bytes(), color=False)
    except FileNotFoundError:
        raise ValueError(f'{path}: no such file') from None
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None


def pack(found: Landmarks) -> np.ndarray:
    """Return points and presence as a vector ``(1405,)``, as caches keep them."""
    return np.append(found.points, np.float32(found.presence))


def unpack(vector: np.ndarray) -> Landmarks:
    """Return the points of a vector of :func:`pack`, yet to be judged."""
    return Landmarks(vector[:-1].reshape(POINTS, 3), float(vector[-1]))
