"""Motion of the parts of a face since a reference frame.

The motion is the optical flow from a reference face to another one, minus the motion
of a rigid head, averaged over regions where expressions show. The flow starts from the
motion of the landmarks: alone it loses a mouth that opens wide, and alone they miss
what is smaller than their own jitter. The eyes are left out, so blinks and gaze hardly
count. Regions and head are our choice, in eye distances.
"""

from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from ..alignment import apply, eye_matrix, warp
from ..landmarks import eyes_of

#: Side of the square that is compared, in pixels, and where the eyes lie in it: more
#: of the chin is seen than in a crop for a network.
SIZE = 112
PLACES = np.array([[0.32, 0.30], [0.68, 0.30]])

#: Left, right, top, bottom in eye distances from the point between the eyes.
REGIONS = {
    'brow_left': (-0.85, -0.35, -0.55, -0.22),
    'brow_middle': (-0.25, 0.25, -0.50, -0.15),
    'brow_right': (0.35, 0.85, -0.55, -0.22),
    'mouth_left': (-0.60, -0.22, 0.85, 1.40),
    'mouth_middle': (-0.18, 0.18, 0.90, 1.45),
    'mouth_right': (0.22, 0.60, 0.85, 1.40),
    'chin': (-0.30, 0.30, 1.45, 1.75),
    'cheek_left': (-0.75, -0.35, 0.30, 0.75),
    'cheek_right': (0.35, 0.75, 0.30, 0.75),
}
_EYES = ((-0.85, -0.17, -0.22, 0.22), (0.17, 0.85, -0.22, 0.22))
_FACE = ((0.0, 0.45), (1.0, 1.35))  # centre and half axes of an ellipse
_HEAD = ((0.0, 0.35), (1.2, 1.7), 1.3)  # of an ellipsoid, and its half depth

_STEP = 4  # between the points of the flow that are used, in pixels
_GRID = SIZE // _STEP
_NEAR = 0.08  # eye distances: how far a landmark's motion is carried


class Motion:
    """Motion against the first face that is given, in percent of the eye distance."""

    def __init__(self) -> None:
        # Any, as the stubs refuse None for the flow that ``calc`` allocates itself.
        self._flow: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._reference: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    def measure(
        self, gray: np.ndarray, points: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Compare a face with the first one.

        Args:
            gray: An image ``(H, W)``.
            points: Landmarks of the face in it ``(468, 2)`` or ``(468, 3)``, pixels.

        Returns:
            tuple: The motion (x, y) of each region that a rigid head does not explain
            ``(2 * len(REGIONS),)``, and how far the head has turned sideways and
            up or down, as motion of the face's points, ``(2,)``.
        """
        matrix = eye_matrix(eyes_of(points), SIZE, PLACES)
        view = cv2.GaussianBlur(warp(gray, matrix, SIZE), (0, 0), 1.0)
        places = apply(matrix, points[:, :2])
        if self._reference is None:
            self._reference = view, places, _spread(places)
        before, old_places, spread = self._reference
        guess = (spread @ (places - old_places)).astype(np.float32)
        guess = cv2.resize(guess.reshape(_GRID, _GRID, 2), (SIZE, SIZE))
        flow = self._flow.calc(before, view, guess)
        moved = cv2.blur(flow, (_STEP, _STEP))[_STEP // 2 :: _STEP, _STEP // 2 :: _STEP]
        regions, turn = _maps()
        scale = 100 / (SIZE * (PLACES[1, 0] - PLACES[0, 0]))
        moved = moved.ravel() * scale
        return regions @ moved, turn @ moved


def _spread(places: np.ndarray) -> np.ndarray:
    """Return weights ``(_GRID**2, 468)`` that carry motion of points to the face."""
    along = np.arange(_STEP // 2, SIZE, _STEP)
    grid = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 1, 2)
    far = ((grid - places) ** 2).sum(axis=-1)
    distance = SIZE * (PLACES[1, 0] - PLACES[0, 0])
    # Points nearby count alone; where there are none, the face as a whole does.
    weights = np.exp(-far / (2 * (_NEAR * distance) ** 2))
    weights += 1e-9 * np.exp(-far / (2 * distance**2))
    return weights / weights.sum(axis=1, keepdims=True)


@lru_cache(maxsize=1)
def _maps() -> tuple[np.ndarray, np.ndarray]:
    """Return two matrices: from the flow at all points to region motions and head turn.

    The head is an ellipsoid seen from afar. To first order its flow is a shift, a
    scaling, a roll, and depth times yaw and pitch: six fields, fitted to the face
    without the eyes by least squares and subtracted.
    """
    along = (np.arange(_STEP // 2, SIZE, _STEP) + 0.5) / SIZE
    distance = PLACES[1, 0] - PLACES[0, 0]
    x, y = np.meshgrid((along - 0.5) / distance, (along - PLACES[0, 1]) / distance)
    x, y = x.ravel(), y.ravel()

    def inside(left, right, top, bottom):
        return (x >= left) & (x <= right) & (y >= top) & (y <= bottom)

    (cx, cy), (a, b) = _FACE
    fitted = ((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 < 1
    for box in _EYES:
        fitted &= ~inside(*box)
    (cx, cy), (a, b), depth = _HEAD
    rest = 1 - ((x - cx) / a) ** 2 - ((y - cy) / b) ** 2
    depth = depth * np.sqrt(np.clip(rest, 0.02, None))

    one, zero = np.ones_like(x), np.zeros_like(x)
    fields = [(one, zero), (zero, one), (x, y), (-y, x), (depth, zero), (zero, depth)]
    rigid = np.stack([np.stack(field, axis=1) for field in fields], axis=2)  # (N, 2, 6)
    rigid /= np.sqrt((rigid**2).sum(axis=1).mean(axis=0))
    fit = np.zeros((6, len(x), 2))
    fit[:, fitted] = np.linalg.pinv(rigid[fitted].reshape(-1, 6)).reshape(6, -1, 2)
    rows = []
    for box in REGIONS.values():
        mean = inside(*box) / inside(*box).sum()
        rows += [np.kron(mean, (1, 0)), np.kron(mean, (0, 1))]
    means = np.stack(rows)
    fits = fit.reshape(6, -1)
    return means - means @ rigid.reshape(-1, 6) @ fits, fits[4:]
