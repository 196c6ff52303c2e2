"""Shape: positions of facial points, freed from head motion, and distances of them.

Points are those of :mod:`mmcomp.faces.landmarks`: ``(..., 468, 2)``, x to the right and
y down. Left and right are those of the picture. The systems that these features come
from do not publish their points and distances: which ones are used is our choice.
"""

import numpy as np

BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
NOSE = (168, 197, 5, 4, 98, 97, 2, 326, 327)
EYES = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380)
OUTER_LIPS = (61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181)
INNER_LIPS = (78, 82, 13, 312, 308, 317, 14, 87)

#: The 51 points, in the order of all descriptions.
POINTS = BROWS + NOSE + EYES + OUTER_LIPS + INNER_LIPS
#: Points that expressions hardly move: the corners of the eyes, and the nose.
STABLE = (33, 133, 362, 263, 168, 6, 197, 195)
#: The two corners of the left and of the right eye.
CORNERS = ((33, 133), (362, 263))

#: Brows above eyes: y of the second point minus y of the first.
HEIGHTS = ((107, 133), (336, 362), (63, 33), (293, 263))
#: The other geometric features: distances of two points.
LENGTHS = (
    (107, 336),
    (159, 145),
    (386, 374),
    (61, 33),
    (291, 263),
    (61, 291),
    (13, 14),
    (0, 2),
    (17, 152),
    (61, 4),
    (291, 4),
    (152, 2),
    (98, 133),
    (327, 362),
    (0, 17),
)

#: Distances of two points that change with the facial animation parameters of MPEG-4.
FAP_DISTANCES = (
    *((107, 133), (336, 362), (105, 159), (334, 386), (70, 33), (300, 263)),  # brows
    *((107, 336), (159, 145), (386, 374)),  # squeezed brows, open eyes
    *((98, 327), (152, 2)),  # nose, jaw
    *((13, 2), (14, 152), (82, 98), (312, 327), (87, 152), (317, 152), (78, 308)),
    *((0, 2), (17, 152), (39, 98), (269, 327), (181, 152), (405, 152), (61, 291)),
    *((61, 33), (291, 263)),  # raised corners of the mouth
)


def normalize(points: np.ndarray) -> np.ndarray:
    """Move points so that the eyes are level, 1 apart, and centred at the origin.

    An eye is the mean of its two corners. Our choice.

    Args:
        points (np.ndarray): ``(..., 468, 2)``.

    Returns:
        np.ndarray: The same shape, float64, in eye distances.
    """
    plane = _to_plane(points)
    left, right = (plane[..., corners].mean(-1, keepdims=True) for corners in CORNERS)
    return _from_plane((plane - (left + right) / 2) / (right - left))


def fit(apex: np.ndarray, onset: np.ndarray) -> np.ndarray:
    """Move the apex's points onto the onset's by a similarity.

    Rotation, scale and translation are those of least squares on the stable points.
    Our choice.

    Args:
        apex, onset (np.ndarray): ``(..., 468, 2)``.

    Returns:
        np.ndarray: The apex's points, moved, float64.
    """
    moved, target = _to_plane(apex), _to_plane(onset)
    here = moved[..., STABLE].mean(-1, keepdims=True)
    there = target[..., STABLE].mean(-1, keepdims=True)
    a, b = moved[..., STABLE] - here, target[..., STABLE] - there
    with np.errstate(invalid='ignore'):  # points of a face that is not trusted are NaN
        turn = (a.conj() * b).sum(-1, keepdims=True)
        turn /= (a.conj() * a).sum(-1, keepdims=True).real
    return _from_plane((moved - here) * turn + there)


def displacement(onset: np.ndarray, apex: np.ndarray) -> np.ndarray:
    """Return how the 51 points move from onset to apex.

    Args:
        onset, apex (np.ndarray): ``(..., 468, 2)``.

    Returns:
        np.ndarray: ``(..., 51, 2)``, in the onset's eye distances.
    """
    onset = normalize(onset)
    return (fit(apex, onset) - onset)[..., POINTS, :]


def geometric_features(onset: np.ndarray, apex: np.ndarray) -> np.ndarray:
    """Return how the 19 heights and lengths change from onset to apex.

    Wang et al. 2015 use 19 geometric features related to action units. Which these are
    is our choice.

    Args:
        onset, apex (np.ndarray): ``(..., 468, 2)``.

    Returns:
        np.ndarray: ``(..., 19)``, in the onset's eye distances: first 4 heights of
        brows above the eyes, then 15 lengths.
    """
    onset = normalize(onset)
    return _measure(fit(apex, onset)) - _measure(onset)


def fap_distances(points: np.ndarray) -> np.ndarray:
    """Return 27 distances after the facial animation parameters.

    Zhang et al. 2011 use such distances. Which these are is our choice.

    Args:
        points (np.ndarray): ``(..., 468, 2)``.

    Returns:
        np.ndarray: ``(..., 27)``, in eye distances.
    """
    return _distances(normalize(points), FAP_DISTANCES)


def _measure(points: np.ndarray) -> np.ndarray:
    upper, lower = (points[..., list(ends), 1] for ends in zip(*HEIGHTS))
    return np.concatenate([lower - upper, _distances(points, LENGTHS)], -1)


def _distances(points: np.ndarray, pairs: tuple) -> np.ndarray:
    first, second = (points[..., list(ends), :] for ends in zip(*pairs))
    return np.linalg.norm(first - second, axis=-1)


def _to_plane(points: np.ndarray) -> np.ndarray:
    """Return points as complex numbers: a similarity is then a product and a sum."""
    points = np.asarray(points, float)
    return points[..., 0] + 1j * points[..., 1]


def _from_plane(plane: np.ndarray) -> np.ndarray:
    return np.stack([plane.real, plane.imag], -1)
