"""Faces and eyes, in a real photo and on rendered heads."""

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import pytest

from mmcomp.faces.alignment import apply
from mmcomp.faces.detection import Face, FaceDetector, rivals
from mmcomp.synthetic import WideFrame, render_clip

EYES = np.array([[205, 102], [247, 105]])  # of the astronaut, by eye


def turned(image, degrees):
    """The picture turned clockwise about (220, 140), and the matrix."""
    matrix = cv2.getRotationMatrix2D((220, 140), -degrees, 1)
    return cv2.warpAffine(image, matrix, (512, 512), borderMode=1), matrix


def test_astronaut(detector, astronaut):
    (face,) = detector.detect(astronaut)
    np.testing.assert_allclose(face.eyes, EYES, atol=4)
    assert face.score > 0.9
    assert abs(face.roll) < 6
    left, top, width, height = face.box
    assert (face.landmarks > (left, top)).all()
    assert (face.landmarks < (left + width, top + height)).all()
    nose, mouth = face.landmarks[2], face.landmarks[3:]
    assert face.centre[1] < nose[1] < mouth[:, 1].min()


@pytest.mark.parametrize('degrees', [-30, -15, 15, 30, 60, 90, 135, 180, 270])
def test_any_roll(detector, astronaut, degrees):
    """The eyes turn with the picture: those of the network alone do not."""
    image, matrix = turned(astronaut, degrees)
    face = detector.detect(image)[0]
    expected = EYES @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(face.eyes, expected, atol=5)
    assert bool(face.notes) == (abs(degrees) > 45)


@pytest.mark.parametrize('scale', [0.2, 0.5, 2, 7.5])
def test_any_size(detector, astronaut, scale):
    """From 100 pixels to 4k."""
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = cv2.resize(astronaut, None, fx=scale, fy=scale, interpolation=method)
    (face,) = detector.detect(image)
    np.testing.assert_allclose((face.eyes + 0.5) / scale - 0.5, EYES, atol=5)


@dataclass(frozen=True)
class Recorder(WideFrame):
    """A frame that keeps where the eyes are."""

    eyes: list = field(default_factory=list)

    def matrix(self, eyes, view):
        matrix = super().matrix(eyes, view)
        self.eyes.append(apply(matrix, eyes) - 0.5)
        return matrix


def test_eyes_follow_the_head(detector):
    """Aligned by the eyes that were found, a head at rest stays where it is."""
    framing = Recorder((150, 180), 45, (90, 62))
    clip = render_clip('fear', 'posed', seed=8, fps=5, seconds=4, level='hard')
    clip = replace(clip, _scene=replace(clip._scene, framing=framing, activations={}))
    found = np.array([detector.detect(frame)[0].eyes for frame in clip])
    true = np.array(framing.eyes)
    distance = np.hypot(*(true[0, 1] - true[0, 0]))
    moved = np.linalg.norm(true - true.mean(axis=0), axis=2).mean()
    error = found - true
    error = np.linalg.norm(error - error.mean(axis=0), axis=2).mean()
    assert error < 0.05 * distance
    assert error < 0.5 * moved


def test_gray_and_colour_find_the_same(detector, astronaut):
    gray = cv2.cvtColor(astronaut, cv2.COLOR_BGR2GRAY)
    (face,) = detector.detect(gray)
    np.testing.assert_allclose(face.eyes, EYES, atol=4)


@pytest.mark.parametrize('kind', ['blank', 'noise', 'thin'])
def test_no_face(detector, blank, kind):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (200, 300), dtype=np.uint8)
    image = {'blank': blank, 'noise': noise, 'thin': blank[:1]}[kind]
    assert detector.detect(image) == []


def test_two_faces(astronaut):
    small = cv2.resize(astronaut, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    image = np.zeros((512, 900, 3), np.uint8)
    image[:358, :358] = small
    image[:, 388:] = astronaut
    largest, second = FaceDetector().detect(image)
    assert largest.centre[0] > 388 > second.centre[0]
    assert rivals([largest, second], largest) == [second]


def test_small_second_face_is_no_rival():
    def face(x, height):
        eyes = np.array([[x, 50.0], [x + 0.4 * height, 50.0]])
        points = np.vstack([eyes, np.zeros((3, 2))])
        return Face(np.array([x, 0, height, height]), points, 0.9)

    chosen = face(0, 100)
    assert rivals([chosen, face(300, 49)], chosen) == []
    assert len(rivals([chosen, face(300, 51)], chosen)) == 1


def test_track_follows_and_does_not_jump(detector, astronaut):
    """The face moves on, and later somebody else stands elsewhere."""
    (face,) = detector.detect(astronaut)
    moved = np.roll(astronaut, (15, 25), axis=(0, 1))
    found = detector.track(moved, face)
    np.testing.assert_allclose(found.eyes, face.eyes + (25, 15), atol=5)
    assert detector.track(np.roll(astronaut, 220, axis=1), face) is None
    assert detector.track(np.zeros_like(astronaut), face) is None


def test_each_thread_has_a_network(astronaut):
    """OpenCV's fails with an assertion if two threads use one."""
    detector = FaceDetector()
    images = [astronaut[:, 10 * i :] for i in range(8)]
    expected = [detector.detect(image)[0].eyes.tolist() for image in images]
    barrier = threading.Barrier(8)

    def work(image):
        barrier.wait()
        return [detector.detect(image)[0].eyes.tolist() for _ in range(3)]

    with ThreadPoolExecutor(8) as pool:
        for found, one in zip(pool.map(work, images), expected):
            assert found == [one] * 3


def test_pickles(detector, astronaut):
    copy = pickle.loads(pickle.dumps(detector))
    assert len(copy.detect(astronaut)) == 1


def test_wrong_arguments(detector):
    with pytest.raises(ValueError, match=r'min_score.*1\.5'):
        FaceDetector(min_score=1.5)
    with pytest.raises(ValueError, match='uint8'):
        detector.detect(np.zeros((50, 50)))
