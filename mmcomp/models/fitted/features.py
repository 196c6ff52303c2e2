"""Features of pairs of aligned faces, as configs name them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmcomp.faces.landmark_table import LANDMARKS, find_aligned, pack, unpack
from mmcomp.faces.landmarks import (
    POINTS,
    LandmarkFinder,
    aligned_eyes,
    landmarks_version,
)
from mmcomp.features import clbp, shape, sift
from mmcomp.features.difference import SIDE, standardized
from mmcomp.registry import MODELS

from .base import PairFeatures
from .image_vectors import ImageVectors, on_all_cores, version_of

IMAGES = ('apex', 'pair')


def _check(images: np.ndarray) -> np.ndarray:
    """Return images; raise ValueError if they are not aligned gray images."""
    if images.ndim != 3 or images.dtype != np.uint8:
        raise ValueError(
            f'images are an array {images.shape} of {images.dtype}; they must be '
            '(N, H, W) of uint8'
        )
    height, width = images.shape[1:]
    if height != width or height < 16:
        raise ValueError(
            f'images are {height}x{width} pixels; they must be squares of at least 16'
        )
    return images


class _KeptFeatures(PairFeatures):
    """Features whose descriptions, or what these are made of, are kept."""

    #: What is kept, in the order in which it is computed.
    kept: Sequence[ImageVectors]

    def cache_beside(self, table: str | Path) -> None:
        for vectors in self.kept:
            vectors.open(table)

    def fill_cache(self, onset: np.ndarray, apex: np.ndarray) -> None:
        images = _check(np.concatenate([onset, apex]) if self.uses_onset else apex)
        for vectors in self.kept:
            vectors.fill(images)

    def describe(self, images: np.ndarray) -> np.ndarray:
        return self.kept[-1](_check(images))


class _LandmarkFeatures(_KeptFeatures):
    """Features of facial points (:mod:`mmcomp.faces.landmarks`).

    All of them share the file in which the points of a table are kept.
    """

    def __init__(self) -> None:
        self._finder = LandmarkFinder()
        self._landmarks = ImageVectors(LANDMARKS, landmarks_version(), self._find)
        self.kept = [self._landmarks]

    def describe(self, images: np.ndarray) -> np.ndarray:
        return self.points(images).reshape(len(images), -1)

    def points(self, images: np.ndarray) -> np.ndarray:
        """Return points ``(N, 468, 2)`` in pixels, NaN where they are not trusted."""
        eyes = aligned_eyes(_check(images).shape[1])
        vectors = self._landmarks(images)
        found = [self._finder.judge(unpack(own), eyes) for own in vectors]
        points = np.stack([own.points[:, :2] for own in found])
        points[[bool(own.fault) for own in found]] = np.nan
        return points

    def _find(self, images: Sequence[np.ndarray], title: str) -> np.ndarray:
        found = find_aligned(images, title=title, finder=self._finder)
        return np.stack([pack(own) for own in found])


@MODELS.register_module()
class DifferencePixels(PairFeatures):
    """Difference of standardised gray levels, blurred and reduced.

    The input of Gan et al. 2015 is the difference of pixels; see
    :func:`mmcomp.features.difference.standardized` for what is our choice. 0.1 ms an
    image, so nothing is kept.

    Args:
        size (int): Side of the difference in pixels, 8 to 48. 48 is not reduced.

    Raises:
        ValueError: If ``size`` is not allowed.
    """

    def __init__(self, size: int = 24) -> None:
        if not 8 <= size <= SIDE:
            raise ValueError(f'size is {size}; it must be 8 to {SIDE}')
        self.size = size

    def describe(self, images: np.ndarray) -> np.ndarray:
        return np.stack(
            [standardized(image, self.size).ravel() for image in _check(images)]
        )


@MODELS.register_module()
class Displacement(_LandmarkFeatures):
    """Displacement of 51 points from onset to apex, 102 features.

    x and y of each point in turn, in eye distances, freed from head motion; see
    :func:`mmcomp.features.shape.displacement`. An image is described by its points.
    """

    def compare(self, onset: np.ndarray, apex: np.ndarray) -> np.ndarray:
        moved = shape.displacement(*map(_as_points, (onset, apex)))
        return moved.reshape(len(onset), -1).astype(np.float32)


@MODELS.register_module()
class GeometricFeatures(_LandmarkFeatures):
    """Changes of 19 heights and lengths of the face from onset to apex.

    See :func:`mmcomp.features.shape.geometric_features`. An image is described by its
    points.
    """

    def compare(self, onset: np.ndarray, apex: np.ndarray) -> np.ndarray:
        change = shape.geometric_features(*map(_as_points, (onset, apex)))
        return change.astype(np.float32)


def _as_points(description: np.ndarray) -> np.ndarray:
    return description.reshape(-1, POINTS, 2)


@MODELS.register_module()
class SIFTAtLandmarks(_LandmarkFeatures):
    """SIFT descriptors at 51 points and 27 distances of points, 6555 features.

    Zhang et al. 2011 use such features of the apex only, on which they do without the
    onset. See :func:`mmcomp.features.sift.sift_at` and
    :func:`mmcomp.features.shape.fap_distances` for what is our choice. The distances
    are last.

    Args:
        images (str): 'apex', as theirs, or 'pair', which is our addition: apex - onset.

    Raises:
        ValueError: If ``images`` is not allowed.
    """

    def __init__(self, images: str = 'apex') -> None:
        if images not in IMAGES:
            raise ValueError(
                f'images is {images!r}; it must be one of '
                f'{", ".join(map(repr, IMAGES))}'
            )
        super().__init__()
        self.uses_onset = images == 'pair'
        sources = sift.__file__, shape.__file__
        version = version_of(sources, landmarks_version())
        self._sift = ImageVectors('sift', version, self._compute)
        self.kept = [self._landmarks, self._sift]

    def describe(self, images: np.ndarray) -> np.ndarray:
        return self._sift(_check(images))

    def compare(self, onset: np.ndarray, apex: np.ndarray) -> np.ndarray:
        return apex - onset if self.uses_onset else apex

    def _compute(self, images: Sequence[np.ndarray], title: str) -> np.ndarray:
        return on_all_cores(_sift, title, images, self.points(np.stack(images)))


def _sift(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    if np.isnan(points).any():
        size = 128 * len(shape.POINTS) + len(shape.FAP_DISTANCES)
        return np.full(size, np.nan, np.float32)
    descriptors = sift.sift_at(image, points[list(shape.POINTS)])
    distances = shape.fap_distances(points)
    return np.append(descriptors, distances).astype(np.float32)


@MODELS.register_module()
class CLBP(_KeptFeatures):
    """Histograms of completed local binary patterns, 8640 features.

    The plane XY of what Pfister et al. 2011 use of clips; see
    :func:`mmcomp.features.clbp.clbp`. Their difference from onset to apex is our
    choice.
    """

    def __init__(self) -> None:
        version = version_of([clbp.__file__])
        self.kept = [ImageVectors('clbp', version, _clbp)]


def _clbp(images: Sequence[np.ndarray], title: str) -> np.ndarray:
    return on_all_cores(clbp.clbp, title, images)
