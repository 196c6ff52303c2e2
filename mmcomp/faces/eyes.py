"""Open or closed eyes: a check good enough to flag a picture.

An open eye has a round dark spot, whose edges all point to one centre; a closed one has
a line of lashes. The measure is the objective of Timm and Barth 2011, 'Accurate eye
centre localisation by means of gradients' (VISAPP), at its best centre; the threshold
is ours, see docs/faces.md.
"""

import cv2
import numpy as np

from .alignment import EYES, eye_matrix, to_color, warp
from .landmarks import EYE_CORNERS

#: Below it, eyes are called closed.
CLOSED = 0.30

# Landmarks in the middle of the upper and lower lid of the eye on the left, and right.
_LIDS = np.array([[159, 145], [386, 374]])

_SIZE = 128  # of the crop that is looked at, in pixels
_HALF = (14, 9)  # of the window around an eye, in pixels of the crop
_REACH = 10.0  # an edge farther from a centre says nothing on it, in pixels
_STRONG = 70  # percentile of the edges that count


def eye_openness(image: np.ndarray, eyes) -> float:
    """Measure how open the eyes of a face look.

    Args:
        image: ``(H, W)``, or BGR ``(H, W, 3)``, uint8.
        eyes: Eye positions ``(2, 2)`` in pixels.

    Returns:
        float: Mean of both eyes, 0 to 1; open eyes have .4 to .7, closed ones less
        than ``CLOSED``. It is no measure of how far they are open.
    """
    gray = to_color(image, 'grayscale')
    return openness_of_crop(warp(gray, eye_matrix(eyes, _SIZE), _SIZE), EYES)


def openness_of_crop(crop: np.ndarray, positions: np.ndarray) -> float:
    """Measure as :func:`eye_openness` does, in a gray square ``(128, 128)``.

    Args:
        crop: The square.
        positions: Eye positions as fractions of its side, ``(2, 2)``.
    """
    smooth = cv2.GaussianBlur(crop.astype(np.float32), (0, 0), 1.0)
    values = []
    for x, y in positions * _SIZE - 0.5:
        left, top = int(x) - _HALF[0], int(y) - _HALF[1]
        window = smooth[top : int(y) + _HALF[1] + 1, left : int(x) + _HALF[0] + 1]
        values.append(_roundness(window))
    return float(np.mean(values))


def lid_opening(points: np.ndarray) -> np.ndarray:
    """Measure how far the lids are apart, from landmarks.

    Within a clip it follows blinks. Between people it varies too much to tell closed
    eyes by; see docs/faces.md.

    Args:
        points: ``(..., 468, 2)`` or ``(..., 468, 3)``, as ``Landmarks.points``.

    Returns:
        np.ndarray: ``(..., 2)``: of the left and of the right eye of the picture, the
        distance of the lids as a fraction of that of the eye's corners.
    """
    lids, corners = (
        np.linalg.norm(np.diff(points[..., pair, :2], axis=-2)[..., 0, :], axis=-1)
        for pair in (_LIDS, EYE_CORNERS)
    )
    return lids / np.maximum(corners, 1e-9)


def _roundness(window: np.ndarray) -> float:
    """Measure how well the strong edges agree on one dark centre."""
    dx = cv2.Sobel(window, cv2.CV_32F, 1, 0)
    dy = cv2.Sobel(window, cv2.CV_32F, 0, 1)
    length = np.hypot(dx, dy)
    y, x = np.nonzero(length > np.percentile(length, _STRONG))
    if not len(x):
        return 0.0
    gradient = np.stack([dx[y, x], dy[y, x]], axis=1) / length[y, x][:, None]
    height, width = window.shape
    cx, cy = np.meshgrid(np.arange(6, width - 6, 2), np.arange(4, height - 4, 2))
    ray = np.stack([x, y], 1) - np.stack([cx.ravel(), cy.ravel()], 1)[:, None]
    reach = np.maximum(np.hypot(ray[..., 0], ray[..., 1]), 1e-6)
    along = np.einsum('cek,ek->ce', ray, gradient) / reach
    along = np.clip(along, 0, None) * (reach < _REACH)
    return float((along**2).mean(axis=1).max())
