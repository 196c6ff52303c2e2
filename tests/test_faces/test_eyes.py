"""Open and closed eyes."""

import numpy as np
import pytest

from mmcomp.faces import LandmarkFinder, eye_openness
from mmcomp.faces.eyes import CLOSED, lid_opening
from mmcomp.synthetic import make_plan
from mmcomp.synthetic.framing import EYES, EyeCrop
from mmcomp.synthetic.renderer import Renderer


@pytest.fixture(scope='module')
def lids():
    """Openness and lid opening of ten people with open and with closed eyes."""
    from dataclasses import replace

    plan = make_plan('tiny', seed=3)
    values = {0.0: [], 1.0: []}
    finder = LandmarkFinder()
    for subject, identity in plan.identities.items():
        view = plan.samples[subject][0].view('onset')
        renderer = Renderer(identity, oversampling=2)
        for blink, found in values.items():
            still = replace(view, blink=blink, **dict.fromkeys(NO_ERROR, 0.0))
            image = renderer.render({}, still, EyeCrop(96))
            eyes = EYES * 96 - 0.5
            points = finder.find(image, eyes).points
            found.append((eye_openness(image, eyes), lid_opening(points).mean()))
    return {blink: np.array(found).T for blink, found in values.items()}


NO_ERROR = ['eye_right_x', 'eye_right_y', 'eye_left_x', 'eye_left_y']


def test_rendered_lids(lids):
    opened, closed = lids[0.0][0], lids[1.0][0]
    assert np.mean(opened > CLOSED) > 0.8
    assert np.mean(closed < CLOSED) > 0.8
    assert np.median(opened) > 1.4 * np.median(closed)


def test_lids_come_closer_in_a_blink(lids):
    opened, closed = lids[0.0][1], lids[1.0][1]
    assert (closed < 0.95 * opened).all()
    assert np.median(closed) < 0.8 * np.median(opened)


def test_lid_opening_by_hand():
    points = np.zeros((2, 468, 3))
    points[0, [33, 133]] = [[10, 5, 0], [13, 9, 0]]  # 5 apart
    points[0, [159, 145]] = [[11, 6, 9], [11, 8, 0]]  # 2 apart; depth does not count
    points[0, [362, 263]] = [[20, 5, 0], [30, 5, 0]]
    points[0, [386, 374]] = [[25, 3, 0], [25, 6, 0]]
    np.testing.assert_allclose(lid_opening(points), [[0.4, 0.3], [0, 0]])


def test_astronaut_has_open_eyes(astronaut, detector):
    (face,) = detector.detect(astronaut)
    assert eye_openness(astronaut, face.eyes) > 1.2 * CLOSED


def test_a_blank_face_is_no_open_eye(blank):
    assert eye_openness(blank, [[50, 50], [90, 50]]) == 0


def test_real_blink(real_clips, detector):
    """Frames 26 to 28 of the clip are a blink."""
    from mmcomp.faces import Clip

    images = Clip(real_clips / 'single_face.mp4').read([5, 27, 50])
    values = {
        number: eye_openness(image, detector.detect(image)[0].eyes)
        for number, image in images.items()
    }
    assert values[27] < 0.65 * min(values[5], values[50])
    finder = LandmarkFinder()
    apart = {
        number: lid_opening(
            finder.find(image, detector.detect(image)[0].eyes).points
        ).mean()
        for number, image in images.items()
    }
    assert apart[27] < 0.65 * min(apart[5], apart[50])
