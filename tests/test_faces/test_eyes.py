"""Open and closed eyes."""

import numpy as np
import pytest

from mmcomp.faces import eye_openness
from mmcomp.faces.eyes import CLOSED
from mmcomp.synthetic import make_plan
from mmcomp.synthetic.framing import EYES, EyeCrop
from mmcomp.synthetic.renderer import Renderer


@pytest.fixture(scope='module')
def lids():
    """Openness of ten people with open and with closed eyes."""
    from dataclasses import replace

    plan = make_plan('tiny', seed=3)
    values = {0.0: [], 1.0: []}
    for subject, identity in plan.identities.items():
        view = plan.samples[subject][0].view('onset')
        renderer = Renderer(identity, oversampling=2)
        for blink, found in values.items():
            still = replace(view, blink=blink, **dict.fromkeys(NO_ERROR, 0.0))
            image = renderer.render({}, still, EyeCrop(96))
            found.append(eye_openness(image, EYES * 96 - 0.5))
    return values


NO_ERROR = ['eye_right_x', 'eye_right_y', 'eye_left_x', 'eye_left_y']


def test_rendered_lids(lids):
    assert np.mean(np.array(lids[0.0]) > CLOSED) > 0.8
    assert np.mean(np.array(lids[1.0]) < CLOSED) > 0.8
    assert np.median(lids[0.0]) > 1.4 * np.median(lids[1.0])


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
