import numpy as np
import pytest

from mmcomp.features import shape
from mmcomp.features.shape import displacement, fap_distances, fit, geometric_features


@pytest.fixture
def points():
    """A face of 10 pixels between the eyes, (4, 7) and (14, 7), all else random."""
    points = np.random.default_rng(3).uniform(0, 20, (468, 2))
    points[[33, 133, 362, 263]] = (3, 7), (5, 7), (13, 6), (15, 8)
    return points


def moved(points, turn=1 + 0j, shift=(0, 0)):
    plane = (points[..., 0] + 1j * points[..., 1]) * turn
    return np.stack([plane.real, plane.imag], -1) + shift


def test_there_are_51_different_points():
    assert len(shape.POINTS) == len(set(shape.POINTS)) == 51
    assert shape.POINTS[:2] == (70, 63)
    assert shape.POINTS[-1] == 87


def test_normalized_eyes_are_level_and_one_apart(points):
    """By hand: middle (9, 7), distance 10."""
    normal = shape.normalize(points)
    np.testing.assert_allclose(normal, (points - (9, 7)) / 10)
    turned = moved(points, 2 * np.exp(0.3j), (5, -2))
    np.testing.assert_allclose(shape.normalize(turned), normal, atol=1e-12)


def test_fit_is_that_of_least_squares(points):
    """Worked out by a linear solver, of four unknowns."""
    apex = moved(points, 1.3 * np.exp(-0.4j), (3, 9))
    apex += np.random.default_rng(4).normal(0, 0.3, apex.shape)
    rows, target = [], []
    for index in shape.STABLE:
        (x, y), goal = apex[index], points[index]
        rows += [(x, -y, 1, 0), (y, x, 0, 1)]
        target += [*goal]
    a, b, right, down = np.linalg.lstsq(np.array(rows), np.array(target))[0]
    expected = moved(apex, a + 1j * b, (right, down))
    np.testing.assert_allclose(fit(apex, points), expected)


def test_displacement_is_apex_minus_onset_in_eye_distances(points):
    """The left corner of the mouth moves by 2 pixels to the left and 1 up."""
    apex = points.copy()
    apex[61] += (-2, -1)
    expected = np.zeros((51, 2))
    expected[shape.POINTS.index(61)] = (-0.2, -0.1)
    np.testing.assert_allclose(displacement(points, apex), expected, atol=1e-12)


def test_points_are_compared_after_the_fit(points):
    """Also where eyes move: in pixels, of which 10 are an eye distance."""
    apex = points.copy()
    apex[33] += (1, -4)
    apex[61] += (2, 3)
    moved = fit(apex, points)
    expected = (moved - points)[list(shape.POINTS)] / 10
    np.testing.assert_allclose(displacement(points, apex), expected, atol=1e-12)
    first, second = np.transpose(shape.LENGTHS)
    before, after = (np.hypot(*(p[first] - p[second]).T) for p in (points, moved))
    expected = (after - before) / 10
    np.testing.assert_allclose(geometric_features(points, apex)[4:], expected)


@pytest.mark.parametrize('features', [displacement, geometric_features])
def test_head_motion_changes_nothing(features, points):
    apex = points.copy()
    others = np.setdiff1d(np.arange(468), shape.STABLE)
    apex[others] += np.random.default_rng(5).normal(0, 1, (len(others), 2))
    expected = features(points, apex)
    assert abs(expected).max() > 0.05
    head = moved(apex, 1.7 * np.exp(0.5j), (-4, 11))
    np.testing.assert_allclose(features(points, head), expected, atol=1e-12)
    camera = moved(points, 0.6 * np.exp(-0.2j), (30, 1))
    np.testing.assert_allclose(features(camera, head), expected, atol=1e-12)
    np.testing.assert_allclose(features(points, moved(points, 2j)), 0, atol=1e-12)


def test_geometric_features(points):
    """Brows rise, the mouth opens, lips get wider: each has its place and sign."""
    onset = points.copy()
    onset[107], onset[63] = (8, 4), (2, 3)
    onset[[61, 291]] = (5, 17), (13, 17)
    onset[[13, 14]] = (9, 16), (9, 16.5)
    apex = onset.copy()
    apex[107] -= (0, 1)
    apex[63] += (0, 0.5)
    apex[[61, 291]] += (-1, 0), (1, 0)
    apex[14] += (0, 2)
    change = geometric_features(onset, apex)
    assert change.shape == (19,)
    np.testing.assert_allclose(change[[0, 1, 2, 3]], [0.1, 0, -0.05, 0], atol=1e-12)
    np.testing.assert_allclose(change[[5, 6]], 0, atol=1e-12)  # the lids
    np.testing.assert_allclose(change[[9, 10]], 0.2)  # width and opening of the mouth


def test_distances_after_fap(points):
    points[[159, 145]] = (4, 6), (4, 8)
    points[61] = (6, 11)
    distances = fap_distances(points)
    assert distances.shape == (27,)
    assert len(set(shape.FAP_DISTANCES)) == 27
    assert distances[7] == pytest.approx(0.2)  # from lid to lid: 2 of 10 pixels
    assert distances[25] == pytest.approx(0.5)  # from 61 to 33: (3, 4) pixels
    turned = moved(points, 0.5 * np.exp(1j), (7, 7))
    np.testing.assert_allclose(fap_distances(turned), distances)


def test_distances_are_the_same_on_both_sides():
    """Those of the left half of the face have their counterparts on the right."""
    mirror = {107: 336, 105: 334, 70: 300, 133: 362, 159: 386, 33: 263, 145: 374}
    mirror |= {98: 327, 82: 312, 87: 317, 78: 308, 39: 269, 181: 405, 61: 291}
    mirror |= {right: left for left, right in mirror.items()}
    pairs = {frozenset(pair) for pair in shape.FAP_DISTANCES}
    assert {frozenset(mirror.get(i, i) for i in pair) for pair in pairs} == pairs


def test_batches(points):
    onset, apex = np.stack([points, points + 1]), np.stack([points * 2, points[::-1]])
    for features in displacement, geometric_features:
        both = features(onset, apex)
        np.testing.assert_allclose(both[1], features(onset[1], apex[1]))
