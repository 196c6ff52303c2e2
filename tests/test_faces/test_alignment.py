"""The geometry of aligned faces: by hand, and as properties."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcomp.faces.alignment import (
    EYES,
    align_face,
    align_pair,
    apply,
    eye_matrix,
    parse_eyes,
    to_color,
    warp,
)
from mmcomp.synthetic import framing

coordinate = st.floats(-500, 500)
angle = st.floats(-np.pi, np.pi)
factor = st.floats(0.2, 5)


def test_geometry_is_that_of_the_synthetic_data():
    np.testing.assert_array_equal(EYES, framing.EYES)


def test_matrix_by_hand():
    """Eyes 44 pixels apart in a crop of 100: nothing but a shift."""
    matrix = eye_matrix([[100, 200], [144, 200]], 100)
    np.testing.assert_allclose(matrix, [[1, 0, -72.5], [0, 1, -168.5]], atol=1e-9)


def test_matrix_of_a_turned_face_by_hand():
    """Lying on its right side, twice as large: turned back and halved."""
    matrix = eye_matrix([[0, 0], [0, 88]], 100)
    np.testing.assert_allclose(matrix, [[0, 0.5, 27.5], [-0.5, 0, 31.5]], atol=1e-9)


@given(coordinate, coordinate, angle, st.floats(2, 400), st.integers(16, 256))
def test_eyes_land_where_they_should(x, y, turn, distance, size):
    eyes = np.array([[x, y], [x, y]])
    eyes[1] += distance * np.array([np.cos(turn), np.sin(turn)])
    matrix = eye_matrix(eyes, size)
    np.testing.assert_allclose(apply(matrix, eyes), EYES * size - 0.5, atol=1e-6)
    linear = matrix[:, :2]
    scale = np.hypot(*linear[:, 0])
    np.testing.assert_allclose(linear @ linear.T, scale**2 * np.eye(2), atol=1e-6)
    assert np.linalg.det(linear) > 0


@given(angle, factor, coordinate, coordinate)
def test_similarity_of_the_input_changes_nothing(turn, scale, x, y):
    eyes = np.array([[100.0, 120.0], [160.0, 130.0]])
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    moved = np.array([[cos, -sin, x], [sin, cos, y]])
    points = np.array([[80.0, 200.0], [130.0, 90.0], [0.0, 0.0]])
    np.testing.assert_allclose(
        apply(eye_matrix(apply(moved, eyes), 48), apply(moved, points)),
        apply(eye_matrix(eyes, 48), points),
        atol=1e-6,
    )


@pytest.mark.parametrize('size', [24, 48, 96])
@pytest.mark.parametrize('turn', [0, 30, 90, 200])
@pytest.mark.parametrize('scale', [0.5, 1.0, 3.0])
def test_pixels_land_where_they_should(size, turn, scale):
    """Round spots at the eyes of a turned and scaled picture, found in the crop."""
    eyes = np.array([[350.0, 340.0], [350.0, 340.0]])
    step = 40 * scale * np.array([np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))])
    eyes += np.array([-step, step])
    y, x = np.mgrid[:700, :700]
    image = np.zeros((700, 700))
    for eye in eyes:
        image += 255 * np.exp(
            -((x - eye[0]) ** 2 + (y - eye[1]) ** 2) / (20 * scale**2)
        )
    crop = align_face(np.clip(image, 0, 255).astype(np.uint8), eyes, size).astype(float)
    for half, target in zip((np.s_[:, : size // 2], np.s_[:, size // 2 :]), EYES):
        part = crop[half]
        rows, columns = np.mgrid[: part.shape[0], : part.shape[1]]
        centre = np.array([(columns * part).sum(), (rows * part).sum()]) / part.sum()
        centre[0] += half[1].start or 0
        np.testing.assert_allclose(centre, target * size - 0.5, atol=0.15)


def test_reduction_does_not_alias():
    """A fine chequerboard becomes plain gray, not a moire."""
    y, x = np.mgrid[:800, :800]
    image = (255 * ((x + y) % 2)).astype(np.uint8)
    crop = align_face(image, [[300, 300], [500, 310]], 32)
    assert crop.std() < 5


def test_beyond_the_edge_the_edge_is_repeated():
    image = np.full((50, 50), 200, np.uint8)
    assert (warp(image, eye_matrix([[0, 0], [40, 0]], 48), 48) == 200).all()


def test_pair_by_own_or_onset_eyes():
    rng = np.random.default_rng(0)
    picture = cv2.GaussianBlur(rng.uniform(0, 255, (200, 200)), (0, 0), 3)
    picture = cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    eyes = np.array([[80.0, 90.0], [120.0, 90.0]])
    moved = np.roll(picture, (6, -9), axis=(0, 1))
    onset, apex = align_pair(picture, moved, eyes, eyes + (-9, 6), by='own')
    np.testing.assert_allclose(onset.astype(int), apex, atol=1)
    onset, apex = align_pair(picture, moved, eyes, by='onset')
    np.testing.assert_array_equal(apex, align_face(moved, eyes))
    assert (onset != apex).mean() > 0.5


@pytest.mark.parametrize('color', ['grayscale', 'color'])
@pytest.mark.parametrize('shape', [(60, 60), (60, 60, 1), (60, 60, 3), (60, 60, 4)])
def test_gray_and_colour(color, shape):
    image = np.full(shape, 77, np.uint8)
    crop = align_face(image, [[20, 20], [40, 20]], 32, color)
    assert crop.shape == ((32, 32) if color == 'grayscale' else (32, 32, 3))
    assert (crop == 77).all()


@pytest.mark.parametrize(
    ('pixel', 'gray'), [((255, 0, 0), 29), ((0, 255, 0), 150), ((0, 0, 255), 76)]
)
def test_gray_of_blue_green_and_red(pixel, gray):
    """Weights of ITU-R BT.601: 0.114, 0.587 and 0.299, in the order of OpenCV."""
    image = np.full((4, 4, 3), pixel, np.uint8)
    assert (to_color(image, 'grayscale') == gray).all()
    alpha = np.dstack([image, np.full((4, 4), 9, np.uint8)])
    assert (to_color(alpha, 'grayscale') == gray).all()


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('1 2 3', 'four numbers'),
        ('a b c d', 'four numbers'),
        ('5 5 5 5', 'four numbers'),
        ('nan 1 2 3', 'four numbers'),
        ('90 10 20 10', "image's left"),
    ],
)
def test_wrong_eye_cells(text, message):
    with pytest.raises(ValueError, match=message):
        parse_eyes(text)


def test_eye_cells():
    assert parse_eyes('  ') is None
    np.testing.assert_array_equal(parse_eyes('1 2 3.5 4'), [[1, 2], [3.5, 4]])


def test_wrong_arguments():
    image = np.zeros((50, 50), np.uint8)
    eyes = [[10, 10], [30, 10]]
    with pytest.raises(ValueError, match=r'by is .apex.; it must be.*own'):
        align_pair(image, image, eyes, eyes, by='apex')
    with pytest.raises(ValueError, match='apex_eyes is None'):
        align_pair(image, image, eyes)
    with pytest.raises(ValueError, match=r'color is .rgb.; it must be.*grayscale'):
        align_face(image, eyes, color='rgb')
    with pytest.raises(ValueError, match='at least 8'):
        align_face(image, eyes, 4)
    with pytest.raises(ValueError, match='two points'):
        eye_matrix([1, 2, 3, 4], 48)
    for wrong in (image.astype(float), image[:0], np.zeros((5, 5, 2), np.uint8)):
        with pytest.raises(ValueError, match=r'image (is|has) .*; it must'):
            to_color(wrong, 'color')
