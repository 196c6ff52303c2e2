"""Alignment by the eyes: pure functions from eye positions to a square crop.

The geometry is that of the synthetic data (``mmcomp.synthetic.EyeCrop``). Positions in
an image are pixels as OpenCV counts them: the centre of the first pixel is (0, 0).
"""

import math

import cv2
import numpy as np

#: Where the eyes lie in a crop, as fractions of its side, ``(2, 2)``: first the eye
#: that is on the left of the upright picture (the subject's right one), x before y.
EYES = np.array([[0.28, 0.32], [0.72, 0.32]])

COLORS = ('grayscale', 'color')
ALIGN_BY = ('own', 'onset')

_MAX_OVERSAMPLING = 16


def eye_matrix(eyes, size: int, target: np.ndarray = EYES) -> np.ndarray:
    """Return the similarity that moves two eyes to their positions in a square crop.

    Args:
        eyes: Eye positions ``(2, 2)`` in pixels, the left one of the upright picture
            first. If the picture is turned, so is the line from first to second eye.
        size: Side of the crop in pixels.
        target: Positions of the eyes in the crop as fractions of its side, ``(2, 2)``.

    Returns:
        Matrix ``(2, 3)``, float64, from image to crop: rotation, scale and
        translation, without mirroring or shear.

    Raises:
        ValueError: If the eyes are not two distinct finite points.
    """
    eyes = check_eyes(eyes)
    target = np.asarray(target, float) * size - 0.5
    turn = complex(*(target[1] - target[0])) / complex(*(eyes[1] - eyes[0]))
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    return np.column_stack([linear, target[0] - linear @ eyes[0]])


def check_eyes(eyes) -> np.ndarray:
    """Return eye positions as floats ``(2, 2)``; raise ValueError if they are not."""
    points = np.asarray(eyes, float)
    if points.shape != (2, 2) or not np.isfinite(points).all():
        raise ValueError(f'eyes are {eyes!r}; they must be two points (x, y)')
    if np.hypot(*(points[1] - points[0])) < 1:
        raise ValueError(f'eyes are {eyes!r}; they must be at least one pixel apart')
    return points


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Move points ``(..., 2)`` by a matrix ``(2, 3)``."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def warp(image: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """Cut out a square; pixels beyond the image repeat its edge.

    Where the crop is smaller than what it shows, it is drawn larger and averaged:
    a face of 400 pixels becomes 48 pixels without aliasing.

    Args:
        image: ``(H, W)`` or ``(H, W, 3)``, uint8.
        matrix: Similarity ``(2, 3)`` from image to crop.
        size: Side of the crop in pixels.
    """
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    over = min(max(math.ceil(1 / scale - 0.01), 1), _MAX_OVERSAMPLING)
    if over > 1:
        matrix = matrix * over
        matrix[:, 2] += (over - 1) / 2  # pixel centres, not corners, are counted
    large = cv2.warpAffine(
        image,
        matrix,
        (size * over, size * over),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if over == 1:
        return large
    return cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA)


def to_color(image: np.ndarray, color: str) -> np.ndarray:
    """Convert an image to gray ``(H, W)`` or BGR ``(H, W, 3)``.

    Args:
        image: ``(H, W)`` or ``(H, W, C)`` with 1, 3 or 4 channels, uint8.
        color: 'grayscale' or 'color'.

    Raises:
        ValueError: If an argument is not allowed.
    """
    if color not in COLORS:
        raise ValueError(
            f'color is {color!r}; it must be one of {", ".join(map(repr, COLORS))}'
        )
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.size == 0 or image.ndim not in (2, 3):
        raise ValueError(
            f'image is an array {image.shape} of {image.dtype}; it must be an array '
            '(H, W) or (H, W, 3) of uint8'
        )
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels == 1:
        image = image.reshape(image.shape[:2])
        return image if color == 'grayscale' else cv2.cvtColor(image, 8)
    if channels not in (3, 4):
        raise ValueError(f'image has {channels} channels; it must have 1, 3 or 4')
    if channels == 4:
        image = cv2.cvtColor(image, cv2.COLOR_BGRA2BGR)
    if color == 'grayscale':
        return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return image


def align_face(
    image: np.ndarray, eyes, size: int = 48, color: str = 'grayscale'
) -> np.ndarray:
    """Cut out a face so that its eyes lie at ``EYES``.

    Args:
        image: ``(H, W)``, or BGR ``(H, W, 3)``, uint8.
        eyes: Eye positions ``(2, 2)`` in pixels, the left one of the upright picture
            first.
        size: Side of the crop in pixels.
        color: 'grayscale' or 'color'.

    Returns:
        ``(size, size)`` or ``(size, size, 3)``, uint8.

    Raises:
        ValueError: If an argument is not allowed.
    """
    if size < 8:
        raise ValueError(f'size is {size}; it must be at least 8 pixels')
    return warp(to_color(image, color), eye_matrix(eyes, size), size)


def align_pair(
    onset: np.ndarray,
    apex: np.ndarray,
    onset_eyes,
    apex_eyes=None,
    by: str = 'own',
    size: int = 48,
    color: str = 'grayscale',
) -> tuple[np.ndarray, np.ndarray]:
    """Cut out the faces of a pair.

    Args:
        onset, apex: Images as for :func:`align_face`, of the same camera.
        onset_eyes, apex_eyes: Eye positions; the apex's may be left out where they
            are not used.
        by: 'own' aligns each image by its own eyes: this removes
            head motion between the two and adds the errors of both eye positions.
            'onset' aligns both by the onset's eyes, with the opposite effects. See
            docs/faces.md for the cost of either.
        size, color: As for :func:`align_face`.

    Returns:
        The aligned onset and apex.

    Raises:
        ValueError: If an argument is not allowed.
    """
    if by not in ALIGN_BY:
        raise ValueError(
            f'by is {by!r}; it must be one of {", ".join(map(repr, ALIGN_BY))}'
        )
    if by == 'own' and apex_eyes is None:
        raise ValueError("apex_eyes is None; it must be given where by is 'own'")
    chosen = apex_eyes if by == 'own' else onset_eyes
    return (
        align_face(onset, onset_eyes, size, color),
        align_face(apex, chosen, size, color),
    )


def parse_eyes(text: str) -> np.ndarray | None:
    """Read eye positions from a cell, 'x y x y' in pixels; return None if it is empty.

    Raises:
        ValueError: If the cell holds anything else, or the right eye comes first.
    """
    if not text.strip():
        return None
    try:
        eyes = check_eyes(np.array(text.split(), float).reshape(2, 2))
    except ValueError:
        raise ValueError(
            f'eyes is {text!r}; it must be four numbers "x y x y"'
        ) from None
    if eyes[0, 0] >= eyes[1, 0]:
        raise ValueError(
            f"eyes is {text!r}; it must start with the eye on the image's left"
        )
    return eyes
