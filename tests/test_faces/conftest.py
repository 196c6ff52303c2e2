"""Clips with known truth, a real photo, and real clips where they can be had."""

import cv2
import numpy as np
import pytest

from mmcomp.faces import FaceDetector
from mmcomp.synthetic import WideFrame, render_clip

FPS = 20
SHAPE = (150, 180)


@pytest.fixture(scope='session', autouse=True)
def _one_thread():
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(threads)


@pytest.fixture(scope='session')
def detector():
    return FaceDetector()


@pytest.fixture(scope='session')
def astronaut():
    """A real photo, BGR: one face, whose eyes are at about (205, 102), (247, 105)."""
    data = pytest.importorskip('skimage.data', reason='scikit-image is not installed')
    return cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)


@pytest.fixture(scope='session')
def make_clip():
    """``make_clip(emotion, label, subject, level)``: a clip and its frames.

    'none' as emotion gives a head that moves and blinks, and does nothing else.
    """
    made = {}

    def make(emotion='happiness', label='posed', subject=0, level='lab'):
        key = emotion, label, subject, level
        if key not in made:
            clip = render_clip(
                'fear' if emotion == 'none' else emotion,
                label,
                seed=5,
                subject=subject,
                level=level,
                fps=FPS,
                seconds=2.5,
                framing=WideFrame(SHAPE, 45, (90, 62)),
            )
            if emotion == 'none':
                clip = clip.at_rest()
            made[key] = clip, list(clip)
        return made[key]

    return make


@pytest.fixture(scope='session')
def smile(tmp_path_factory, make_clip, write_video):
    """Path of a video of a smile, and its clip."""
    clip, frames = make_clip()
    return write_video(tmp_path_factory.mktemp('smile') / 'smile.mp4', frames), clip


@pytest.fixture(scope='session')
def blank():
    return np.full((120, 160, 3), 128, np.uint8)
