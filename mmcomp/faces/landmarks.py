"""468 points of a face, by MediaPipe's network in OpenCV; see ``docs/faces.md``.

A face is looked at twice, as the network was trained on squares that its own points
give: first in a square about the eyes, then in one about the points found there.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from mmcomp.files import digest

from .alignment import EYES, apply, check_eyes, to_color, warp
from .opencv_log import quiet_opencv

MODEL = Path(__file__).with_name('face_landmark_mediapipe_0.10.21.tflite')

#: Number of points; each has x and y in pixels, and a depth of the same unit.
POINTS = 468

#: The corners of the eye on the left of the upright picture, and of the other.
EYE_CORNERS = np.array([[33, 133], [362, 263]])

# The middle of the upper and of the lower lids of both eyes.
_LIDS = np.array([[159, 386], [145, 374]])

#: A face whose presence is lower is not trusted.
MIN_PRESENCE = 0.9
#: Nor is one whose eyes are farther from those given, in eye distances.
MAX_EYE_ERROR = 0.2

_SIZE = 192  # side of the network's input in pixels
_OUTPUTS = ('conv2d_21', 'conv2d_31')  # points; presence, before the sigmoid
# The first square: its side and its centre below the line of the eyes, in eye
# distances. The second one's side, in sides of the points' box.
_FIRST_SIDE, _FIRST_CENTRE = 3.4, 0.45
_SECOND_SIDE = 1.5
_RECIPE = 1  # raise it when the same network would give other points


@dataclass(frozen=True)
class Landmarks:
    """The points of a face.

    Attributes:
        points: ``(468, 3)``, float32: x and y in pixels of the image, and depth.
        presence: How sure the network is that there is a face, 0 to 1.
        fault: Why the points are not to be trusted; empty where they are.
    """

    points: np.ndarray
    presence: float
    fault: str = ''


class LandmarkFinder:
    """Finds the points of faces whose eyes are known.

    An object may be used in several threads: a network is used by one at a time.

    Args:
        min_presence: Presence from which points are trusted, 0 to 1.
        max_eye_error: Largest distance of an eye found from the one given at which
            they are, in eye distances.

    Raises:
        ValueError: If an argument is not allowed.
        ImportError: If this OpenCV cannot read the network.
    """

    def __init__(
        self,
        min_presence: float = MIN_PRESENCE,
        max_eye_error: float = MAX_EYE_ERROR,
    ) -> None:
        if not 0 <= min_presence <= 1:
            raise ValueError(f'min_presence is {min_presence}; it must be 0 to 1')
        if not max_eye_error > 0:
            raise ValueError(f'max_eye_error is {max_eye_error}; it must be above 0')
        self.min_presence = min_presence
        self.max_eye_error = max_eye_error
        self._idle = [_load()]  # networks; to load one takes as long as 3 faces

    def __reduce__(self) -> tuple:
        return type(self), (self.min_presence, self.max_eye_error)

    def find(self, image: np.ndarray, eyes) -> Landmarks:
        """Find the points of one face.

        Args:
            image: ``(H, W)``, or BGR ``(H, W, 3)``, uint8.
            eyes: Eye positions ``(2, 2)`` in pixels, the left one of the upright
                picture first.

        Returns:
            Landmarks: With a ``fault`` where they are not to be trusted.

        Raises:
            ValueError: If an argument is not allowed.
        """
        image = to_color(image, 'color' if np.ndim(image) == 3 else 'grayscale')
        eyes = check_eyes(eyes)
        along = eyes[1] - eyes[0]
        centre = eyes.mean(axis=0) + _FIRST_CENTRE * along[::-1] * (-1, 1)
        first = _square(centre, _FIRST_SIDE * np.hypot(*along), along)
        points, _ = self._look(image, first)
        return self.judge(Landmarks(*self._look(image, _around(points))), eyes)

    def follow(self, image: np.ndarray, points: np.ndarray) -> Landmarks:
        """Find the points of a face in the next frame of a clip.

        It is looked at once, where it was in the frame before.

        Args:
            image: The next frame, as for :meth:`find`.
            points: Of the frame before, ``(468, 3)``.

        Returns:
            Landmarks: With a ``fault`` where they are not to be trusted, or an eye has
            moved by more than ``max_eye_error``.

        Raises:
            ValueError: If an argument is not allowed.
        """
        image = to_color(image, 'color' if np.ndim(image) == 3 else 'grayscale')
        found = Landmarks(*self._look(image, _around(points)))
        return self.judge(found, eyes_of(points))

    def find_many(self, images: Sequence[np.ndarray], eyes) -> list[Landmarks]:
        """Find the points of many faces on all cores.

        Args:
            images: N images, as for :meth:`find`.
            eyes: Eye positions ``(N, 2, 2)``, or ``(2, 2)`` of all images.

        Returns:
            list[Landmarks]: Of each image.

        Raises:
            ValueError: If an argument is not allowed.
        """
        return list(self.find_each(images, eyes))

    def find_each(self, images: Sequence[np.ndarray], eyes) -> Iterator[Landmarks]:
        """Yield what :meth:`find_many` returns, one by one."""
        if not len(images):
            return
        eyes = np.broadcast_to(np.asarray(eyes, float), (len(images), 2, 2))
        with ThreadPoolExecutor(min(os.cpu_count() or 1, len(images))) as pool:
            yield from pool.map(self.find, images, eyes)

    def judge(self, found: Landmarks, eyes) -> Landmarks:
        """Return points with their ``fault``, given where the eyes are.

        Args:
            found: The points.
            eyes: As for :meth:`find`.
        """
        eyes = check_eyes(eyes)
        distance = np.hypot(*(eyes[1] - eyes[0]))
        error = np.hypot(*(eyes_of(found.points) - eyes).T).max() / distance
        fault = ''
        if not found.presence >= self.min_presence:
            fault = (
                f'landmarks: the presence of a face is {found.presence:.2f}; it must '
                f'be at least {self.min_presence:g}'
            )
        elif not error <= self.max_eye_error:
            fault = (
                f'landmarks: an eye was found {error:.2f} eye distances from its '
                f'position; it must be at most {self.max_eye_error:g}'
            )
        return replace(found, fault=fault)

    def _look(self, image: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, float]:
        """Return points ``(468, 3)`` in the image, and presence, of one square."""
        try:
            net = self._idle.pop()
        except IndexError:  # all are used by other threads
            net = _load()
        view = to_color(warp(image, matrix, _SIZE), 'color')
        net.setInput(cv2.dnn.blobFromImage(view, 1 / 255, swapRB=True))
        points, presence = net.forward(_OUTPUTS)
        self._idle.append(net)
        points = points.reshape(POINTS, 3).astype(np.float64)
        back = cv2.invertAffineTransform(matrix)
        # The network counts from the corner of its input, not from pixel centres.
        points[:, :2] = apply(back, points[:, :2] - 0.5)
        points[:, 2] *= np.hypot(*back[:, 0])
        score = 1 / (1 + np.exp(-float(presence.item())))
        return points.astype(np.float32), score


def eyes_of(points: np.ndarray) -> np.ndarray:
    """Return the eyes ``(2, 2)`` of points: each the middle of its two corners."""
    return points[EYE_CORNERS, :2].mean(axis=1, dtype=np.float64)


def lid_distance(points: np.ndarray) -> float:
    """Return how far the lids are apart, in percent of the distance of the eyes."""
    upper, lower = points[_LIDS, :2].astype(np.float64)
    eyes = eyes_of(points)
    distance = max(np.hypot(*(eyes[1] - eyes[0])), 1e-9)
    return float(100 * np.hypot(*(upper - lower).T).mean() / distance)


def aligned_eyes(size: int) -> np.ndarray:
    """Return where the eyes lie in aligned faces of ``size`` pixels, ``(2, 2)``."""
    return EYES * size - 0.5


@lru_cache(maxsize=1)
def landmarks_version() -> str:
    """Return what names points in a file: a hash of the network and of the recipe."""
    return f'{digest([MODEL])[:8]}{_RECIPE}'


def _around(points: np.ndarray) -> np.ndarray:
    """Return the similarity from an image to the square about points in it."""
    along = np.subtract(*eyes_of(points)[::-1])
    upright = _square(np.zeros(2), _SIZE, along)
    box = apply(upright, points[:, :2])
    low, high = box.min(axis=0), box.max(axis=0)
    centre = apply(cv2.invertAffineTransform(upright), (low + high) / 2)
    return _square(centre, _SECOND_SIDE * (high - low).max(), along)


def _square(centre: np.ndarray, side: float, along: np.ndarray) -> np.ndarray:
    """Return the similarity from an image to a square of it.

    Args:
        centre: Of the square in the image, ``(2,)``.
        side: Of the square, in pixels of the image.
        along: Direction in the image that is horizontal in the square, ``(2,)``.
    """
    turn = 1 / complex(*along) if along.any() else 1
    turn *= _SIZE / max(side, 1) / abs(turn)
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([linear, (_SIZE - 1) / 2 - linear @ centre])


def _load() -> cv2.dnn.Net:
    """Load the network without OpenCV's remarks on it.

    The new engine of OpenCV 5 computes the points only, not their presence.
    """
    engine = getattr(cv2.dnn, 'ENGINE_CLASSIC', None)
    try:
        with quiet_opencv():
            if engine is None:
                return cv2.dnn.readNetFromTFLite(str(MODEL))
            return cv2.dnn.readNetFromTFLite(str(MODEL), engine=engine)
    except (AttributeError, TypeError, cv2.error):
        raise ImportError(
            f'OpenCV is {cv2.__version__}; for landmarks it must read TFLite '
            'networks, as 4.8 does: pip install --upgrade opencv-python'
        ) from None
