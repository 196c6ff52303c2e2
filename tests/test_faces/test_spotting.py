"""Onset and apex: of made-up motion, of rendered heads, and of real clips."""

import dataclasses
import tracemalloc

import cv2
import numpy as np
import pytest

from mmcomp.faces import Clip, spot
from mmcomp.faces.spotting.curve import locate, steady
from mmcomp.faces.spotting.motion import REGIONS, SIZE, Motion
from mmcomp.synthetic import EMOTIONS, LABELS

pytestmark = pytest.mark.slow  # whole runs, files or clips

PARTS = 2 * len(REGIONS)


def smoothstep(t, low, high):
    x = np.clip((t - low) / (high - low), 0, 1)
    return x * x * (3 - 2 * x)


def made_up(fps, height=4.0, noise=0.1, seed=0):
    """Motion of the regions: rest to 1 s, risen at 1.6 s, falling from 2.4 to 3 s."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(4 * fps)) / fps
    shown = smoothstep(t, 1, 1.6) * (1 - smoothstep(t, 2.4, 3))
    direction = rng.normal(0, 1, PARTS)
    direction *= height * np.sqrt(len(REGIONS)) / np.linalg.norm(direction)
    return shown[:, None] * direction + rng.normal(0, noise, (len(t), PARTS))


@pytest.mark.parametrize('fps', [10, 25, 60, 200])
@pytest.mark.parametrize('seed', range(3))
def test_times_do_not_depend_on_the_frame_rate(fps, seed):
    onset, apex, curve, noise = locate(made_up(fps, seed=seed), fps)
    assert onset / fps == pytest.approx(1.05, abs=0.1 + 1 / fps)
    assert apex / fps == pytest.approx(1.6, abs=0.1 + 1 / fps)
    assert curve[apex] - curve[onset] == pytest.approx(4, rel=0.12)
    assert noise < 0.2


def test_drift_in_the_plateau_does_not_move_the_apex():
    motion = made_up(25)
    motion += np.linspace(0, 0.3, len(motion))[:, None] * motion.max(axis=0)
    _, apex, _, _ = locate(motion, 25)
    assert apex / 25 < 2.0


def test_known_onset_or_apex_is_kept():
    motion = made_up(25)
    assert locate(motion, 25, onset=20)[:2] == pytest.approx((20, 40), abs=4)
    assert locate(motion, 25, apex=50)[:2] == pytest.approx((26, 50), abs=3)
    assert locate(motion, 25, onset=20)[0] == 20
    assert locate(motion, 25, apex=50)[1] == 50


@pytest.mark.parametrize('frames', [2, 3, 5])
def test_few_frames(frames):
    motion = made_up(25)[22 : 22 + frames]
    onset, apex, curve, _ = locate(steady(motion, np.zeros((frames, 2)), 25), 25)
    assert 0 <= onset < apex < frames
    assert len(curve) == frames


def test_what_turns_leak_is_taken_off():
    """The leak goes, the expression stays, though both happen at once."""
    rng = np.random.default_rng(1)
    motion = made_up(25, height=3)
    t = np.arange(len(motion)) / 25
    turn = 8 * np.stack([np.sin(2.2 * t), np.sin(1.7 * t + 1)], axis=1)
    leak = turn @ rng.normal(0, 0.1, (2, PARTS))
    steadied = steady(motion + leak, turn, 25)
    before, after = (
        np.linalg.norm(x - x.mean(0) - motion + motion.mean(0))
        for x in (motion + leak, steadied)
    )
    assert after < 0.4 * before
    onset, apex, _, _ = locate(steadied, 25)
    assert (onset / 25, apex / 25) == pytest.approx((1.05, 1.6), abs=0.25)


def test_motion_is_measured_in_eye_distances():
    """A patch at the mouth that moves: that region moves, the brows do not."""
    rng = np.random.default_rng(0)
    face = rng.uniform(60, 200, (SIZE, SIZE)).astype(np.float32)
    face = cv2.GaussianBlur(face, (0, 0), 2)
    face = cv2.normalize(face, None, 30, 220, cv2.NORM_MINMAX)
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    distance = 0.36 * SIZE
    mouth = (
        (x - SIZE / 2) ** 2 + (y - 0.3 * SIZE - 1.15 * distance) ** 2
    ) / distance**2
    moved = cv2.remap(face, x, y - 3 * np.exp(-mouth / 0.18), cv2.INTER_LINEAR)
    motion = Motion()
    motion.measure(face.astype(np.uint8))
    parts, _ = motion.measure(moved.astype(np.uint8))
    down = dict(zip(REGIONS, parts.reshape(-1, 2)[:, 1]))
    # A patch is blurred by the flow, and shared with the rigid head.
    assert 0.3 < down['mouth_middle'] / (100 * 3 / distance) < 1
    for name in ('brow_left', 'brow_middle', 'brow_right', 'cheek_left', 'cheek_right'):
        assert abs(down[name]) < 0.4 * down['mouth_middle']


@pytest.mark.parametrize('kind', ['shift', 'roll', 'size'])
def test_a_moved_face_has_no_motion(kind):
    rng = np.random.default_rng(2)
    face = cv2.GaussianBlur(rng.uniform(0, 255, (SIZE, SIZE)), (0, 0), 3)
    face = cv2.normalize(face, None, 30, 220, cv2.NORM_MINMAX).astype(np.uint8)
    turn, scale = {'roll': (3, 1), 'size': (0, 1.04), 'shift': (0, 1)}[kind]
    matrix = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), turn, scale)
    matrix[:, 2] += 2 if kind == 'shift' else 0
    motion = Motion()
    motion.measure(face)
    moved = cv2.warpAffine(face, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT)
    parts, _ = motion.measure(moved)
    assert np.abs(parts).max() < 1.0


@pytest.fixture(scope='module')
def spotted(make_clip, detector):
    """A clip of each emotion, and what was found."""
    found = {}
    for i, emotion in enumerate(EMOTIONS):
        clip, frames = make_clip(emotion, LABELS[i % 2], i)
        found[emotion] = clip, frames, spot(enumerate(frames), detector, fps=clip.fps)
    return found


def test_expressions_are_found(spotted):
    """Nearer to the truth than the middle frame, by far."""
    errors, middles, onsets = [], [], []
    for clip, frames, found in spotted.values():
        assert len(found.curve) == len(frames)
        if not found.success:  # one may be too weak
            continue
        assert 0 < found.confidence < 1
        assert found.onset < found.apex
        assert clip.strength(found.apex) > 0.6
        errors.append(abs(found.apex - clip.apex))
        onsets.append(abs(found.onset - clip.onset))
        middles.append(abs(len(frames) // 2 - clip.apex))
    assert len(errors) >= len(EMOTIONS) - 1
    assert np.mean(errors) < 4
    assert np.mean(onsets) < 6
    assert np.mean(errors) < np.mean(middles) / 2


@pytest.mark.slow
@pytest.mark.parametrize('subject', [10, 11])
def test_head_motion_and_blinks_are_no_expression(make_clip, detector, subject):
    clip, frames = make_clip('none', 'posed', subject)
    found = spot(enumerate(frames), detector, fps=clip.fps)
    assert not found.success
    assert found.problem == 'no expression'
    assert found.reason.startswith('no expression was found: the face moved by')
    assert (found.onset, found.apex, found.confidence) == (None, None, 0)


def test_onset_and_apex_leave_blinks(spotted, detector):
    """Eyes that are painted over around the apex: another frame is taken."""
    clip, frames, found = spotted['happiness']
    shut = [frame.copy() for frame in frames]
    for i in range(found.apex - 2, found.apex + 3):
        for x, y in found.eyes[i].astype(int):
            shut[i][y - 5 : y + 5, x - 8 : x + 8] = shut[i][y + 8, x]
    again = spot(enumerate(shut), detector, fps=clip.fps)
    assert again.success
    assert abs(again.apex - clip.apex) <= 6
    median = np.median(again.openness)
    assert again.openness[again.apex] > 0.8 * median
    assert again.openness[found.apex] < 0.65 * median


@pytest.mark.slow
def test_memory_does_not_grow_with_the_clip(make_clip, detector):
    """What is kept of a frame is numbers: 200 bytes, not an image of 27000."""
    clip, frames = make_clip()
    peaks = []
    for times in (1, 4):
        frame_stream = ((i, frames[i % 30]) for i in range(30 * times))
        tracemalloc.start()
        spot(frame_stream, detector, fps=clip.fps)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 90 * frames[0].size / 4


def test_odd_clips(make_clip, detector, blank):
    _, frames = make_clip()
    for clip, problem, reason in (
        ([], 'unreadable', 'the clip has no frame'),
        (frames[:1], 'one frame', 'the clip has one frame'),
        ([blank] * 6, 'no face', 'no face was found in any of the 6 frames'),
        (frames[:2] + [blank] * 8, 'no face', 'the face was seen in only 2 of 10'),
    ):
        found = spot(enumerate(clip), detector, fps=20)
        assert not found.success
        assert found.problem == problem
        assert found.reason.startswith(reason)
    found = spot(enumerate(frames[:10]), detector, onset=50)
    assert found.reason == 'onset frame 50 is not in the clip, which has frames 0 to 9'
    found = spot(enumerate(frames[:10]), detector, apex=0)
    assert found.reason == 'apex frame 0 leaves no frame for the other one'


def test_frames_without_the_face_are_bridged(spotted, detector, blank):
    clip, frames, found = spotted['surprise']
    gap = list(enumerate(frames))
    at = clip.apex + 8
    for i in range(at, at + 4):
        gap[i] = (i, np.full_like(frames[0], 128))
    again = spot(gap, detector, fps=clip.fps)
    assert np.flatnonzero(~again.seen).tolist() == list(range(at, at + 4))
    assert np.isfinite(again.curve).all()
    assert abs(again.apex - found.apex) <= 3


def test_a_second_face_is_reported(make_clip, detector):
    clip, frames = make_clip()
    both = [np.hstack([frame, frame[:, ::-1]]) for frame in frames[:12]]
    found = spot(enumerate(both), detector, fps=clip.fps)
    assert any('a second face was seen in 1 of 1 frames' in n for n in found.notes)
    spread = np.ptp(found.eyes[found.seen].mean(axis=1)[:, 0])
    assert spread < frames[0].shape[1] / 4


def test_a_turned_clip_is_set_upright(spotted, detector):
    """Without a flag in the container: the four turns are tried."""
    clip, frames, found = spotted['fear']
    turned = [cv2.rotate(frame, cv2.ROTATE_90_CLOCKWISE) for frame in frames]
    again = spot(enumerate(turned), detector, fps=clip.fps)
    assert any('turned by' in note for note in again.notes)
    assert abs(again.apex - found.apex) <= 3


def test_real_smile(real_clips):
    """Neutral to frame 17, then a smile to the end; a blink at 26 to 28."""
    found = spot(Clip(real_clips / 'single_face.mp4'))
    assert found.success
    assert found.onset <= 18
    assert 20 <= found.apex <= 69
    assert found.confidence > 0.6
    assert found.apex not in (26, 27, 28)


def test_real_clip_without_a_face(real_clips):
    found = spot(Clip(real_clips / 'no_face.mp4'))
    assert not found.success
    assert found.problem == 'no face'
    assert found.reason.startswith('no face was found')


def test_wrong_arguments(detector):
    with pytest.raises(ValueError, match=r'limit is .*; it must be above 0'):
        spot([], detector, limit=0)
    with pytest.raises(ValueError, match='onset is 5; it must be less than apex, 5'):
        spot([], detector, onset=5, apex=5)


def test_result_is_plain(spotted):
    *_, found = spotted['happiness']
    kinds = {f.name: type(getattr(found, f.name)) for f in dataclasses.fields(found)}
    assert kinds['onset'] is int
    assert kinds['confidence'] is float
    assert kinds['success'] is bool
