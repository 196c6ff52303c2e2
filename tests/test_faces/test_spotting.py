"""Onset and apex: of made-up motion, of rendered heads, and of real clips."""

import dataclasses
import tracemalloc

import cv2
import numpy as np
import pytest

from mmcomp.faces import Clip, Spotting, spot
from mmcomp.faces.spotting import LIMIT
from mmcomp.faces.spotting.curve import locate
from mmcomp.faces.spotting.motion import PLACES, REGIONS, SIZE, Motion
from mmcomp.faces.spotting.spotter import _leave_blinks
from mmcomp.synthetic import EMOTIONS, LABELS

pytestmark = pytest.mark.slow  # whole runs, files or clips

PARTS = 2 * len(REGIONS)


def smoothstep(t, low, high):
    x = np.clip((t - low) / (high - low), 0, 1)
    return x * x * (3 - 2 * x)


def made_up(fps, height=4.0, noise=0.1, seed=0, seconds=4, start=1.0):
    """Motion of the regions: a rest, risen after 0.6 s, falling from 1.4 to 2 s."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * fps)) / fps - start
    shown = smoothstep(t, 0, 0.6) * (1 - smoothstep(t, 1.4, 2))
    direction = rng.normal(0, 1, PARTS)
    direction *= height * np.sqrt(len(REGIONS)) / np.linalg.norm(direction)
    return shown[:, None] * direction + rng.normal(0, noise, (len(t), PARTS))


def found_in(motion, fps, turn=None, openness=None, **known):
    """Locate in motion of a head that is still and does not blink, unless given."""
    turn = np.zeros((len(motion), 2)) if turn is None else turn
    openness = np.full(len(motion), 12.0) if openness is None else openness
    return locate(motion, turn, openness, fps, **known)


@pytest.mark.parametrize('fps', [10, 25, 60, 200])
@pytest.mark.parametrize('seed', range(3))
def test_times_do_not_depend_on_the_frame_rate(fps, seed):
    rise = found_in(made_up(fps, seed=seed), fps)
    assert rise.first / fps == pytest.approx(1.0, abs=0.05 + 1 / fps)
    assert rise.last / fps == pytest.approx(1.6, abs=0.05 + 1 / fps)
    assert rise.height == pytest.approx(4, rel=0.12)
    assert rise.curve[rise.last] - rise.curve[rise.first] == pytest.approx(4, rel=0.15)
    assert rise.sure == pytest.approx(rise.height, rel=0.1)
    assert rise.noise < 0.2


def test_drift_in_the_plateau_does_not_move_the_apex():
    motion = made_up(25)
    motion += np.linspace(0, 0.3, len(motion))[:, None] * motion.max(axis=0)
    assert found_in(motion, 25).last / 25 < 2.0


def test_known_onset_or_apex_is_kept():
    motion = made_up(25)
    rise = found_in(motion, 25, onset=20)
    assert (rise.first, rise.last) == (20, pytest.approx(40, abs=2))
    rise = found_in(motion, 25, onset=3)  # long before the rise
    assert (rise.first, rise.last) == (3, pytest.approx(40, abs=2))
    rise = found_in(motion, 25, apex=50)
    assert (rise.first, rise.last) == (pytest.approx(25, abs=2), 50)
    rise = found_in(motion, 25, onset=24, apex=44)
    assert (rise.first, rise.last) == (24, 44)


@pytest.mark.parametrize('frames', [2, 3, 5])
@pytest.mark.parametrize('known', [{}, {'onset': 0}, {'apex': 1}, {'onset': 1}])
def test_few_frames(frames, known):
    if known.get('onset', 0) == frames - 1:
        return
    rise = found_in(made_up(25)[22 : 22 + frames], 25, **known)
    assert 0 <= rise.first < rise.last < frames
    assert len(rise.curve) == frames
    for name, at in known.items():
        assert at == {'onset': rise.first, 'apex': rise.last}[name]


def test_a_short_clip_starts_at_rest():
    """It is as well explained by an expression that is there first, and then ends."""
    shown = np.array([0] * 5 + [0.65] + [1] * 6)
    rng = np.random.default_rng(0)
    motion = np.outer(shown, rng.normal(0, 9, PARTS)) + rng.normal(0, 0.1, (12, PARTS))
    rise = found_in(motion, 10)
    assert (rise.first, rise.last) == (4, 6)


def test_the_largest_of_a_long_clip_is_found():
    """Where parts of a clip overlap, at its ends, and with frames far apart known."""
    for start in (1, 7.5, 12, 57):
        motion = made_up(25, seconds=60, start=start)
        motion += made_up(25, 1.5, 0, 1, seconds=60, start=30)
        rise = found_in(motion, 25)
        assert len(rise.curve) == 1500
        assert rise.first / 25 == pytest.approx(start, abs=0.12)
        assert rise.last / 25 == pytest.approx(start + 0.6, abs=0.12)
    slow = np.outer(smoothstep(np.arange(1500), 100, 1445), motion[1445])
    rise = found_in(slow, 25, onset=100, apex=1445)
    assert (rise.first, rise.last) == (100, 1445)
    assert rise.height == pytest.approx(4, rel=0.15)


def turning(seconds=4, fps=25):
    t = np.arange(seconds * fps) / fps
    return 8 * np.stack([np.sin(2.2 * t), np.sin(1.7 * t + 1)], axis=1)


def test_what_turns_leak_is_taken_off():
    """The leak goes, the expression stays, though both happen at once."""
    motion, turn = made_up(25, height=2), turning()
    leak = turn @ np.random.default_rng(1).normal(0, 0.1, (2, PARTS))
    rise = found_in(motion + leak, 25, turn)
    assert (rise.first / 25, rise.last / 25) == pytest.approx((1.0, 1.6), abs=0.09)
    assert rise.height == pytest.approx(2, rel=0.15)
    assert rise.sure > 1.5 * LIMIT
    at_rest = found_in(made_up(25, 0) + leak, 25, turn)
    assert at_rest.sure < 0.75 * LIMIT


def test_blinks_are_taken_off():
    """Motion that comes and goes with the lids is none of the expression."""
    rng = np.random.default_rng(2)
    lids = np.full(100, 12.0)
    for at in (30, 60, 85):
        lids[at - 4 : at + 5] -= 8 * np.bartlett(9)
    motion = made_up(25, 0) + np.outer(12 - lids, rng.normal(0, 0.3, PARTS))
    assert found_in(motion, 25).sure > LIMIT
    assert found_in(motion, 25, openness=lids).sure < LIMIT / 2


def points_at(places):
    """Return 468 points, scattered over the view, with the eyes where they belong."""
    rng = np.random.default_rng(3)
    points = rng.uniform(8, SIZE - 8, (468, 2))
    eyes = PLACES * SIZE - 0.5
    points[[33, 133]], points[[362, 263]] = eyes
    return places(points)


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
    motion, points = Motion(), points_at(lambda points: points)
    motion.measure(face.astype(np.uint8), points)
    parts, _ = motion.measure(moved.astype(np.uint8), points)
    down = dict(zip(REGIONS, parts.reshape(-1, 2)[:, 1]))
    # A patch is blurred by the flow, and shared with the rigid head.
    assert 0.3 < down['mouth_middle'] / (100 * 3 / distance) < 1
    for name in ('brow_left', 'brow_middle', 'brow_right', 'cheek_left', 'cheek_right'):
        assert abs(down[name]) < 0.4 * down['mouth_middle']


def test_landmarks_lead_the_flow():
    """A chin that moves far is followed: the flow alone would not find it."""
    rng = np.random.default_rng(0)
    face = cv2.GaussianBlur(rng.uniform(0, 255, (SIZE, SIZE)), (0, 0), 1.2)
    face = cv2.normalize(face, None, 20, 230, cv2.NORM_MINMAX).astype(np.uint8)
    far, edge = 18, round(0.3 * SIZE + 0.7 * 0.36 * SIZE)
    moved = face.copy()
    moved[edge + far :] = face[edge:-far]

    def lower(points):
        points[points[:, 1] > edge, 1] += far
        return points

    motion = Motion()
    motion.measure(face, points_at(lambda points: points))
    parts, _ = motion.measure(moved, points_at(lower))
    down = dict(zip(REGIONS, parts.reshape(-1, 2)[:, 1]))
    between = down['mouth_middle'] - down['brow_middle']
    assert between > 0.25 * 100 * far / (0.36 * SIZE)


@pytest.mark.parametrize('kind', ['shift', 'roll', 'size'])
def test_a_moved_face_has_no_motion(kind):
    rng = np.random.default_rng(2)
    face = cv2.GaussianBlur(rng.uniform(0, 255, (SIZE, SIZE)), (0, 0), 3)
    face = cv2.normalize(face, None, 30, 220, cv2.NORM_MINMAX).astype(np.uint8)
    turn, scale = {'roll': (3, 1), 'size': (0, 1.04), 'shift': (0, 1)}[kind]
    matrix = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), turn, scale)
    matrix[:, 2] += 2 if kind == 'shift' else 0
    motion, points = Motion(), points_at(lambda points: points)
    motion.measure(face, points)
    moved = cv2.warpAffine(face, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT)
    for at in (points, points @ matrix[:, :2].T + matrix[:, 2]):
        parts, _ = motion.measure(moved, at)
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
    """Near to the truth, which the middle frame is not."""
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
    assert np.mean(errors) < 2
    assert np.mean(onsets) < 2
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


def test_onset_and_apex_leave_blinks():
    """They move to a near frame with open eyes, unless they are known."""
    openness = np.full(50, 12.0)
    openness[8:13] = 8
    openness[28:31] = 8
    openness[40:] = 8  # closed by the expression, to the end
    result = Spotting(
        None,
        None,
        25.0,
        curve=np.zeros(50),
        numbers=np.arange(50),
        seen=np.ones(50, bool),
        openness=openness,
        eyes=np.zeros((50, 2, 2)),
    )
    first, last, notes = _leave_blinks(result, 9, 29, (None, None))
    assert (first, last) == (7, 27) or (first, last) == (7, 31)
    assert notes[0] == 'the onset was moved by -2 frames, out of a blink'
    assert _leave_blinks(result, 9, 29, (9, 29)) == (9, 29, ())
    assert _leave_blinks(result, 20, 45, (None, None)) == (20, 45, ())


def test_lids_tell_a_blink(make_clip, detector):
    """In the frames where the renderer closes the eyes, and in no others."""
    clip, frames = make_clip('none', 'posed', 10)
    found = spot(enumerate(frames), detector, fps=clip.fps)
    scene = clip._scene
    blinks = [round(blink * clip.fps) for blink in scene.blinks]
    share = found.openness / np.median(found.openness)
    assert blinks
    assert all(share[at] < 0.85 for at in blinks if at < len(frames))
    far = [i for i in range(len(frames)) if min(abs(i - b) for b in blinks) > 4]
    assert share[far].min() > 0.88


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
