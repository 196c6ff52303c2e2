"""Geometry of the detector: mirrored, turned and enlarged images and their rows."""

import cv2
import numpy as np

#: The turns of an image that are tried where no upright face is found.
TURNS = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)


def central(rows: np.ndarray, target: np.ndarray) -> np.ndarray | None:
    """Return the row whose eyes are nearest to the target, if they are near."""
    if not len(rows):
        return None
    errors = np.abs(rows[:, 4:8].reshape(-1, 2, 2) - target).max(axis=(1, 2))
    best = errors.argmin()
    return rows[best] if errors[best] < target[1, 0] - target[0, 0] else None


def mirror(row: np.ndarray, size: int) -> np.ndarray:
    """Convert a row of the mirrored patch to one of the patch itself."""
    row = row.copy()
    row[0] = size - 1 - row[0] - row[2]
    landmarks = row[4:14].reshape(5, 2)[[1, 0, 2, 4, 3]]
    landmarks[:, 0] = size - 1 - landmarks[:, 0]
    row[4:14] = landmarks.ravel()
    return row


def turn_back(points: np.ndarray, turn: int, shape: tuple) -> np.ndarray:
    """Convert points of a turned image to those of the image of this shape."""
    x, y = points[:, 0], points[:, 1]
    width, height = shape
    if turn == cv2.ROTATE_90_CLOCKWISE:
        x, y = y, height - 1 - x
    elif turn == cv2.ROTATE_180:
        x, y = width - 1 - x, height - 1 - y
    else:
        x, y = width - 1 - y, x
    return np.stack([x, y], axis=1)
