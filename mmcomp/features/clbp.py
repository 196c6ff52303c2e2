"""Completed local binary patterns (CLBP) of an aligned face."""

from functools import cache

import numpy as np

#: Neighbours of a pixel, and the radii of the circles that they lie on.
NEIGHBORS = 8
RADII = (1, 2)
#: Bins of uniform patterns: 58 with at most two changes around the circle, and one
#: for all others.
BINS = 59
#: Blocks along a side.
BLOCKS = 6


def clbp(image: np.ndarray) -> np.ndarray:
    """Describe an image by histograms of completed local binary patterns.

    Pfister et al. 2011 use them in three planes of a clip (CLBP-TOP); of an image there
    is the plane XY only. Radii, blocks and the square root are our choice.

    Args:
        image (np.ndarray): ``(H, H)``, uint8; H at least 10.

    Returns:
        np.ndarray: ``(8640,)``, float32: for radius 1 and 2, for each of 6 x 6 blocks
        by rows, the square roots of the shares of 59 signs, 59 magnitudes and 2
        centres.
    """
    return np.concatenate([_histograms(image, radius) for radius in RADII])


def patterns(image: np.ndarray, radius: int) -> tuple[np.ndarray, ...]:
    """Compute the three parts of the patterns.

    Neighbours between pixels are interpolated linearly. The first neighbour is on the
    right, the next ones follow counter-clockwise; each is a bit, the first the lowest.

    Args:
        image (np.ndarray): ``(H, W)``.
        radius (int): In pixels. So many pixels along the edges have no pattern.

    Returns:
        tuple: Codes of signs (neighbour >= centre), codes of magnitudes (absolute
        difference >= its mean over image and neighbours) and centres (1 where the gray
        level >= its mean); each ``(H - 2 radius, W - 2 radius)``, integer.
    """
    image = np.asarray(image, float)
    height, width = np.subtract(image.shape, 2 * radius)
    center = image[radius : radius + height, radius : radius + width]
    angles = 2 * np.pi * np.arange(NEIGHBORS) / NEIGHBORS
    offsets = np.round(radius * np.stack([-np.sin(angles), np.cos(angles)], 1), 5)
    differences = np.empty((NEIGHBORS, height, width))
    for index, (down, right) in enumerate(offsets + radius):
        top, left = int(down), int(right)
        down, right = down - top, right - left
        patch = image[top : top + height + 1, left : left + width + 1]
        # In this form the interpolation of equal gray levels is exact.
        if right:
            patch = patch[:, :-1] + right * (patch[:, 1:] - patch[:, :-1])
        if down:
            patch = patch[:-1] + down * (patch[1:] - patch[:-1])
        differences[index] = patch[:height, :width] - center
    bits = 1 << np.arange(NEIGHBORS)
    sizes = abs(differences)
    return (
        np.tensordot(bits, differences >= 0, 1),
        np.tensordot(bits, sizes >= sizes.mean(), 1),
        (center >= center.mean()).astype(int),
    )


@cache
def uniform_bins() -> np.ndarray:
    """Return the bin of each code, ``(256,)``: uniform ones in order, then the rest."""
    codes = np.arange(2**NEIGHBORS)
    bits = codes[:, None] >> np.arange(NEIGHBORS) & 1
    uniform = (bits != np.roll(bits, 1, 1)).sum(1) <= 2
    return np.where(uniform, uniform.cumsum() - 1, BINS - 1)


def _histograms(image: np.ndarray, radius: int) -> np.ndarray:
    signs, magnitudes, centers = patterns(image, radius)
    rows, columns = (np.arange(n) * BLOCKS // n for n in signs.shape)
    block = rows[:, None] * BLOCKS + columns
    shares = []
    for values, bins in (
        (uniform_bins()[signs], BINS),
        (uniform_bins()[magnitudes], BINS),
        (centers, 2),
    ):
        counts = np.bincount(
            (block * bins + values).ravel(), minlength=BLOCKS**2 * bins
        )
        counts = counts.reshape(-1, bins)
        shares.append(counts / counts.sum(1, keepdims=True))
    return np.sqrt(np.concatenate(shares, 1)).ravel().astype(np.float32)
