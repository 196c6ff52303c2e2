"""Decoding of image files; their size is known before memory is taken for it."""

import io

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

#: Pixels of the largest image that is decoded: 0.3 GB in colour.
MAX_PIXELS = 100_000_000


def decode_image(data: bytes, color: bool = True) -> np.ndarray:
    """Decode an image, turned as its EXIF data ask.

    Args:
        data: Content of the file.
        color: Whether to return BGR ``(H, W, 3)``, or gray ``(H, W)``.

    Returns:
        np.ndarray: uint8.

    Raises:
        ValueError: If it is not an image, is damaged, or has too many pixels.
    """
    if not data:
        raise ValueError('the file is empty')
    try:
        with Image.open(io.BytesIO(data)) as header:  # decodes no pixel
            width, height = header.size
    except Image.DecompressionBombError:
        width = height = MAX_PIXELS
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise ValueError('not an image, or damaged') from None
    if width * height > MAX_PIXELS:
        raise ValueError(
            f'the image has more than {MAX_PIXELS // 1_000_000} million pixels; '
            'make it smaller'
        )
    flag = cv2.IMREAD_COLOR if color else cv2.IMREAD_GRAYSCALE
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error:
        image = None
    if image is None or _is_cut_jpeg(data):
        raise ValueError('not an image, or damaged')
    return image


def _is_cut_jpeg(data: bytes) -> bool:
    """Return whether a JPEG lacks its end, which OpenCV 4 silently fills with gray."""
    if not data.startswith(b'\xff\xd8'):
        return False
    at = 2  # Past the headers, as a preview among them has an end marker of its own.
    while data[at : at + 1] == b'\xff' and data[at + 1 : at + 2] != b'\xda':
        filler = data[at + 1 : at + 2] == b'\xff'
        at += 1 if filler else 2 + int.from_bytes(data[at + 2 : at + 4], 'big')
    return b'\xff\xd9' not in data[at:]
