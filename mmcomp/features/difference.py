"""Gray levels whose difference from onset to apex is a feature."""

import cv2
import numpy as np

#: Side of an aligned face; the pixels that a blur of 1 is measured in.
SIDE = 48


def standardized(image: np.ndarray, size: int = 24) -> np.ndarray:
    """Standardise, blur and reduce an image.

    Blur and reduction are linear, so the difference of two such images is the
    blurred and reduced difference of the standardised ones. Gan et al. 2015 use the
    difference of pixels; standardisation, blur and size are our choice.

    Args:
        image (np.ndarray): ``(H, H)``, uint8; other sizes than 48 are resized to it.
        size (int): Side of the result, at most 48.

    Returns:
        np.ndarray: ``(size, size)``, float32. Before the blur, mean 0 and standard
        deviation 1; all 0 for an image of a single gray level.
    """
    small: np.ndarray = np.asarray(image, np.float32)
    if small.shape != (SIDE, SIDE):
        small = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    centered = small - small.mean()
    blurred = cv2.GaussianBlur(centered / max(small.std(), 1e-6), (0, 0), 1)
    return cv2.resize(blurred, (size, size), interpolation=cv2.INTER_AREA)
