import cv2
import numpy as np
import pytest

from mmcomp.features.clbp import clbp, patterns, uniform_bins
from mmcomp.features.difference import standardized
from mmcomp.features.sift import sift_at


@pytest.fixture
def image():
    return np.random.default_rng(1).integers(0, 256, (48, 48), dtype=np.uint8)


def ramp_descriptor():
    """Descriptor of a ramp to the right, at the centre of 192 pixels, by definition.

    Cells are 3/2 diameters = 48 pixels wide; a pixel counts by its distances from the
    centres of cells (linearly) and from the keypoint (a Gaussian of two cells); what is
    over 0.2 of the length is cut, and the length made 512. All gradients are alike.
    """
    where = (np.arange(1, 191) - 96) / 48
    share = np.clip(1 - abs(where[:, None] - (-1.5, -0.5, 0.5, 1.5)), 0, None)
    line = (np.exp(-(where**2) / 8)[:, None] * share).sum(0)
    cells = np.outer(line, line)
    cells = np.minimum(cells / np.linalg.norm(cells), 0.2)
    return cells / np.linalg.norm(cells)


@pytest.mark.parametrize(('turned', 'direction'), [(False, 0), (True, 2)])
def test_sift_of_a_ramp(turned, direction):
    """All of each cell is in the bin of its one direction: right, or down."""
    ramp = np.tile(np.arange(192, dtype=np.uint8), (192, 1))
    found = sift_at(ramp.T.copy() if turned else ramp, np.array([[96, 96]]))
    found = found.reshape(4, 4, 8)
    bins = np.flatnonzero(found.sum((0, 1)))
    assert bins.tolist() == [{0: 0, 2: 6}[direction]]
    np.testing.assert_allclose(
        found[..., bins[0]] ** 2, ramp_descriptor(), atol=3 / 512
    )


def test_sift_keeps_number_and_order_of_points(image):
    points = np.array([[3, 40], [-2, 10], [24.5, 24.5], [47, 60], [3, 40]])
    found = sift_at(image, points)
    assert found.shape == (5, 128)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[0], found[4])
    for point, descriptor in zip(points, found):
        np.testing.assert_array_equal(sift_at(image, point[None])[0], descriptor)


def test_sift_points_are_pixels_of_the_image(image):
    """A face enlarged beforehand is described alike at the same places."""
    large = cv2.resize(image, (192, 192), interpolation=cv2.INTER_CUBIC)
    points = np.array([[10, 20], [30.25, 17]])
    np.testing.assert_array_equal(
        sift_at(image, points), sift_at(large, (points + 0.5) * 4 - 0.5)
    )


def test_sift_of_a_mirrored_face_is_mirrored(image):
    """A pixel is counted from the centre of the first one: x becomes 47 - x.

    Columns of cells are exchanged, and so are right and left among the 8 directions.
    """
    points = np.array([[10.1, 20.2], [30.2, 17.1]])
    mirrored = (47, 0) + points * (-1, 1)
    found = sift_at(np.ascontiguousarray(image[:, ::-1]), mirrored)
    found = found.reshape(2, 4, 4, 8)[:, :, ::-1, (4 - np.arange(8)) % 8]
    expected = sift_at(image, points).reshape(found.shape)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_patterns_by_hand():
    """Axis-parallel neighbours are pixels; the others are interpolated."""
    image = np.array([[9, 8, 1], [2, 5, 7], [3, 4, 5]])
    # counter-clockwise from the right; diagonals at cos 45 degrees = c from the centre
    c = 0.70711
    near = [
        (1 - c) ** 2 * 5 + c * (1 - c) * (a + b) + c**2 * corner
        for a, b, corner in ((7, 8, 1), (8, 2, 9), (2, 4, 3), (4, 7, 5))
    ]
    around = np.array([7, near[0], 8, near[1], 2, near[2], 4, near[3]])
    signs, magnitudes, centers = patterns(image, 1)
    expected = sum(1 << i for i in range(8) if around[i] >= 5)
    assert signs.tolist() == [[expected]]
    assert expected & 1
    assert not expected & 16
    sizes = abs(around - 5)
    expected = sum(1 << i for i in range(8) if sizes[i] >= sizes.mean())
    assert magnitudes.tolist() == [[expected]]
    assert centers.tolist() == [[1]]


def test_equal_gray_levels_are_signs_of_one():
    for level in range(0, 256, 17):
        for radius in 1, 2:
            signs, *_ = patterns(np.full((9, 9), level), radius)
            assert (signs == 255).all()


def test_uniform_bins_by_their_definition():
    for code, place in enumerate(uniform_bins()):
        text = f'{code:08b}'
        changes = sum(a != b for a, b in zip(text, text[1:] + text[0]))
        assert (place == 58) == (changes > 2)
    assert np.unique(uniform_bins()).tolist() == list(range(59))


@pytest.mark.parametrize('radius', [1, 2])
def test_signs_are_those_of_scikit_image(image, radius):
    feature = pytest.importorskip('skimage.feature')
    inside = np.s_[radius:-radius, radius:-radius]
    signs, *_ = patterns(image, radius)
    codes = feature.local_binary_pattern(image, 8, radius)[inside]
    np.testing.assert_array_equal(signs, codes)
    theirs = feature.local_binary_pattern(image, 8, radius, 'nri_uniform')[inside]
    pairs = set(zip(theirs.ravel(), uniform_bins()[signs].ravel()))
    assert len(pairs) == len(np.unique(theirs)) == len({ours for _, ours in pairs})


def test_histograms_count_blocks(image):
    """36 blocks, each with shares that add up to 1 in each part."""
    squares = (clbp(image) ** 2).reshape(2, 36, 120)
    for part in np.s_[:59], np.s_[59:118], np.s_[118:]:
        np.testing.assert_allclose(squares[..., part].sum(-1), 1, rtol=1e-5)
    for radius, histograms in zip((1, 2), squares):
        side = 48 - 2 * radius
        edges = -(-np.arange(7) * side // 6)
        signs, _, centers = patterns(image, radius)
        block = np.s_[edges[1] : edges[2], edges[4] : edges[5]]
        where = histograms[1 * 6 + 4]
        bins = uniform_bins()[signs[block]]
        np.testing.assert_allclose(where[58], (bins == 58).mean(), rtol=1e-5)
        np.testing.assert_allclose(where[119], centers[block].mean(), rtol=1e-5)


def test_difference_of_descriptions_is_description_of_the_difference(image):
    other = image[::-1].copy()
    difference = (other - other.mean()) / other.std() - (
        image - image.mean()
    ) / image.std()
    blurred = cv2.GaussianBlur(difference, (0, 0), 1)
    expected = blurred.reshape(24, 2, 24, 2).mean((1, 3))
    found = standardized(other) - standardized(image)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    found = standardized(other, 48) - standardized(image, 48)
    np.testing.assert_allclose(found, blurred, atol=1e-5)


def test_standardized_ignores_light_and_contrast(image):
    half = (image // 2).astype(np.uint8)
    brighter = half + np.uint8(100)
    np.testing.assert_allclose(standardized(half), standardized(brighter), atol=1e-5)
    assert not standardized(np.full((48, 48), 7, np.uint8)).any()
    large = cv2.resize(image, (96, 96), interpolation=cv2.INTER_NEAREST)
    np.testing.assert_allclose(standardized(large), standardized(image), atol=1e-5)
