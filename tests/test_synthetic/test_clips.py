"""Clips: the true onset and apex are where the pictures say."""

import json
import resource

import cv2
import numpy as np
import pytest

from mmcomp.synthetic import LABELS, EyeCrop, render_clip, write_clip


@pytest.fixture(scope='module')
def clip():
    return render_clip('surprise', 'posed', fps=10, seconds=2, shape=(96, 120))


@pytest.fixture(scope='module')
def frames(clip):
    return list(clip)


def test_frames_are_streamed_and_repeatable(clip, frames):
    assert len(clip) == len(frames) == 20
    assert {frame.shape for frame in frames} == {(96, 120)}
    again = iter(clip)
    assert iter(again) is again
    np.testing.assert_array_equal(next(again), frames[0])


@pytest.mark.parametrize('take', range(5))
def test_strength_tells_onset_apex_and_offset(take):
    clip = render_clip('fear', 'spontaneous', take=take, fps=25, seconds=3)
    strength = np.array([clip.strength(i) for i in range(len(clip))])
    assert 0 < clip.onset < clip.apex < clip.offset < len(clip)
    assert np.flatnonzero(strength)[0] == clip.onset + 1
    assert np.flatnonzero(strength)[-1] == clip.offset - 1
    assert strength.argmax() == clip.apex
    assert (strength == 1).sum() == 1
    assert (np.diff(strength[clip.onset : clip.apex + 1]) > 0).all()


def test_the_mouth_opens_from_onset_to_apex():
    clip = render_clip('surprise', 'posed', fps=10, seconds=2, framing=EyeCrop(64))
    frames = [frame.astype(float) for frame in clip]
    mouth = np.s_[44:62, 20:44]
    change = [np.abs(frame - frames[clip.onset])[mouth].mean() for frame in frames]
    assert change[clip.apex] > 2 * max(change[: clip.onset])
    assert change[clip.apex] > 2 * max(change[clip.offset :])


def test_timing_does_not_know_the_label():
    clips = [render_clip('anger', label, take=2) for label in LABELS]
    assert len({(c.onset, c.apex, c.offset, c.frames) for c in clips}) == 1


def test_no_blink_at_onset_or_apex():
    for take in range(20):
        clip = render_clip('sadness', 'posed', take=take)
        for blink in clip._scene.blinks:
            for frame in (clip.onset, clip.apex):
                assert abs(blink - frame / clip.fps) > 0.15


def test_level_scales_the_motion():
    def jump(level):
        clip = render_clip(
            'disgust', 'posed', level=level, fps=10, seconds=2, shape=(96, 120)
        )
        first, second = (frame.astype(float) for frame in list(clip)[:2])
        blurred = cv2.GaussianBlur(second - first, (0, 0), 2)
        return np.abs(blurred).mean()

    assert jump('hard') > jump('lab')


@pytest.mark.parametrize('name', ['clip.avi', 'clip.mp4', 'folder'])
def test_written_clips_can_be_read(clip, tmp_path, name):
    note = write_clip(clip, tmp_path / name)
    truth = json.loads(note.read_text())
    assert truth['onset'] == clip.onset
    assert truth['apex'] == clip.apex
    if name == 'folder':
        assert len(list((tmp_path / name).glob('*.png'))) == 20
        return
    video = cv2.VideoCapture(str(tmp_path / name))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(10)
    count = 0
    while video.read()[0]:
        count += 1
    assert count == 20


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'emotion': 'boredom'}, r'boredom.*happiness'),
        ({'label': 'faked'}, r'faked.*spontaneous'),
        ({'level': 'easy'}, r'easy.*hard'),
        ({'fps': 1}, 'at least 5'),
        ({'seconds': 1}, 'at least 2'),
        ({'seed': -3}, '-3'),
    ],
)
def test_errors_say_what_is_allowed(options, message):
    arguments = {'emotion': 'fear', 'label': 'posed', **options}
    with pytest.raises(ValueError, match=message):
        render_clip(**arguments)


def test_other_suffix(clip, tmp_path):
    with pytest.raises(ValueError, match=r'\.gif.*mp4'):
        write_clip(clip, tmp_path / 'clip.gif')


@pytest.mark.parametrize('suffix', ['.mp4', '.avi'])
def test_video_is_whole_or_not_there(tmp_path, suffix):
    class Broken:
        fps = 10.0

        def __iter__(self):
            yield np.zeros((48, 64), np.uint8)
            raise RuntimeError('boom')

    with pytest.raises(RuntimeError, match='boom'):
        write_clip(Broken(), tmp_path / f'clip{suffix}')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('suffix', ['.mp4', '.avi'])
def test_a_video_on_a_full_disk_is_an_error(clip, tmp_path, suffix):
    """No file may exceed 3000 bytes, which OpenCV's writer does not report."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
    try:
        with pytest.raises(OSError, match='of 20 frames could be written; is'):
            write_clip(clip, tmp_path / f'clip{suffix}')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
