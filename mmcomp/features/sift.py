"""SIFT descriptors at given points of an aligned face."""

import cv2
import numpy as np

#: Side of the enlarged crop: 4 times the 48 pixels of an aligned face.
SIDE = 192
#: Diameter of a keypoint, in pixels of the enlarged crop. A descriptor's 4 x 4 cells
#: cover 6 diameters (OpenCV), so they are as wide as the crop.
DIAMETER = 32


def sift_at(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Describe an image at points by SIFT.

    Zhang et al. 2011 describe the apex by SIFT at facial points. Scale, the angle of 0
    and the square root, after which Euclidean distances are Hellinger's, are our
    choice.

    Args:
        image (np.ndarray): ``(H, H)``, uint8.
        points (np.ndarray): ``(P, 2)``, pixels of the image, x before y.

    Returns:
        np.ndarray: ``(P, 128)``, float32: sqrt(d / 512) of descriptors d, each of
        which has a length of about 512.
    """
    zoom = SIDE / image.shape[0]
    large = cv2.resize(
        image,
        (SIDE, SIDE),
        interpolation=cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_AREA,
    )
    keypoints = [
        cv2.KeyPoint(x, y, DIAMETER, 0)
        for x, y in ((np.asarray(points, float) + 0.5) * zoom - 0.5).tolist()
    ]
    _, descriptors = cv2.SIFT.create().compute(large, keypoints)
    return np.sqrt(descriptors / 512)
