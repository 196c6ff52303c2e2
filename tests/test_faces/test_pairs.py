"""From photos and clips to aligned pairs, with a sentence where it fails."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from mmcomp.faces import (
    FaceDetector,
    FaceSettings,
    align_face,
    pair_from_clip,
    pair_from_images,
)
from mmcomp.faces.detection.face import is_same
from mmcomp.faces.pairs import PROBLEMS
from mmcomp.synthetic import WideFrame, render_clip

pytestmark = pytest.mark.slow  # whole runs, files or clips


@pytest.fixture
def photo(tmp_path, astronaut):
    path = tmp_path / 'photo.png'
    cv2.imwrite(str(path), astronaut)
    return path


@pytest.fixture(scope='module')
def two(astronaut):
    return np.hstack([astronaut, astronaut[:, ::-1]])


def test_photos(photo, astronaut, detector):
    """Paths and arrays give the same; each is aligned by its own eyes."""
    moved = np.roll(astronaut, 30, axis=1)
    pair = pair_from_images(photo, moved, detector=detector)
    assert pair.success
    assert (pair.problem, pair.reason, pair.notes) == ('', '', ())
    assert pair.onset.shape == pair.apex.shape == (48, 48)
    np.testing.assert_allclose(pair.apex_eyes, pair.onset_eyes + (30, 0), atol=1)
    assert np.abs(pair.onset.astype(int) - pair.apex).mean() < 6
    np.testing.assert_array_equal(pair.onset, align_face(astronaut, pair.onset_eyes))
    assert min(pair.onset_face.score, pair.apex_face.score) > 0.9
    assert min(pair.onset_open, pair.apex_open) > 0.3


def test_by_the_onset(astronaut, detector):
    moved = np.roll(astronaut, 30, axis=1)
    settings = FaceSettings(size=64, color='color', by='onset')
    pair = pair_from_images(astronaut, moved, settings, detector=detector)
    assert pair.apex.shape == (64, 64, 3)
    expected = align_face(moved, pair.onset_eyes, 64, 'color')
    np.testing.assert_array_equal(pair.apex, expected)


def test_given_eyes_are_used(astronaut, blank):
    eyes = np.array([[50.0, 40.0], [90.0, 44.0]])
    pair = pair_from_images(astronaut, blank, onset_eyes=eyes, apex_eyes=eyes)
    assert pair.success
    np.testing.assert_array_equal(pair.onset, align_face(astronaut, eyes))
    assert pair.onset_face is None
    assert 'apex: the eyes look closed' in pair.notes


def test_problems_of_photos(tmp_path, astronaut, two, blank, detector):
    (tmp_path / 'broken.jpg').write_bytes(b'nonsense')
    strict = FaceSettings(eyes_closed='fail')
    eyes = [[50, 40], [90, 44]]
    outside = [[50, 40], [900, 44]]
    for images, options, problem, reason in (
        ((blank, astronaut), {}, 'no face', 'onset: no face was found'),
        ((astronaut, blank), {}, 'no face', 'apex: no face was found'),
        ((astronaut, two), {}, 'two faces', 'apex: 2 faces of similar size were found'),
        (
            (astronaut, tmp_path / 'broken.jpg'),
            {},
            'unreadable',
            "apex: 'broken.jpg': not an image, or damaged",
        ),
        (
            (tmp_path / 'none.jpg', astronaut),
            {},
            'unreadable',
            "onset: 'none.jpg': no such file",
        ),
        (
            (blank, astronaut),
            {'settings': strict, 'onset_eyes': eyes},
            'eyes closed',
            'onset: the eyes look closed',
        ),
        (
            (blank, astronaut),
            {'onset_eyes': outside},
            'eyes outside image',
            'onset: the eyes given lie outside the 160 x 120 image',
        ),
    ):
        pair = pair_from_images(*images, detector=detector, **options)
        assert not pair.success
        assert (pair.problem, pair.reason) == (problem, reason)
        assert problem in PROBLEMS
        assert pair.onset is None
        assert pair.apex is None


def test_largest_of_two(astronaut, two, detector):
    pair = pair_from_images(
        astronaut, two, FaceSettings(several='largest'), detector=detector
    )
    assert pair.success
    assert 'apex: of 2 faces the largest was taken' in pair.notes


def test_a_photo_on_its_side(astronaut, detector):
    turned = cv2.rotate(astronaut, cv2.ROTATE_90_COUNTERCLOCKWISE)
    pair = pair_from_images(astronaut, turned, detector=detector)
    assert pair.success
    assert np.abs(pair.onset.astype(int) - pair.apex).mean() < 12
    assert any('apex: the face is turned by -' in note for note in pair.notes)


@pytest.fixture(scope='module')
def covered():
    """A face whose lower half is covered: YuNet finds it upside down, with .89."""
    clip = render_clip(
        'happiness',
        'posed',
        seed=5,
        subject=1,
        fps=20,
        seconds=2.5,
        framing=WideFrame((150, 180), 45, (90, 62)),
    )
    frame = next(iter(clip))
    face = FaceDetector().detect(frame)[0]
    right = face.eyes[1] - face.eyes[0]
    down = np.array([-right[1], right[0]])
    corners = [(-1.1, 0.3), (1.1, 0.3), (1.1, 2), (-1.1, 2)]
    mask = np.array([face.centre + x * right + y * down for x, y in corners])
    covered = frame.copy()
    cv2.fillPoly(covered, [mask.round().astype(np.int32)], 220)
    return frame, covered


def test_upside_down(astronaut, covered, detector, tmp_path):
    """Neither a picture on its head nor what the detector makes of a covered face."""
    frame, lower = covered
    (face,) = detector.detect(lower)
    assert face.score > 0.85
    for onset, apex, name, turn in (
        (astronaut, astronaut[::-1, ::-1], 'apex', 180),
        (lower, frame, 'onset', face.roll),
    ):
        pair = pair_from_images(onset, apex, detector=detector)
        assert (pair.success, pair.problem) == (False, 'upside down')
        assert pair.reason.startswith(f'{name}: the face is upside down, turned by ')
        found = float(pair.reason.split('turned by ')[1].split()[0])
        assert abs(abs(found) - abs(turn)) < 8
        assert pair.problem in PROBLEMS
    for i in range(3):
        cv2.imwrite(str(tmp_path / f'{i}.png'), np.roll(lower, i, axis=1))
    pair = pair_from_clip(tmp_path, detector=detector)
    assert pair.problem == 'no face'
    assert any('a face was upside down' in note for note in pair.notes)


def test_a_face_does_not_turn_over_in_a_clip(astronaut, detector):
    (face,) = detector.detect(astronaut)
    assert is_same(face, face)
    turned = replace(face, landmarks=face.landmarks[[1, 0, 2, 4, 3]])
    assert turned.is_upside_down
    assert not face.is_upside_down
    assert not is_same(turned, face)


def test_the_same_picture_is_no_pair(photo, astronaut, detector, tmp_path):
    """By name, in another file, as two frames of a clip, and where it is cut out."""
    for i in range(2):
        cv2.imwrite(str(tmp_path / f'{i}.png'), astronaut)
    photo.unlink()
    copy = tmp_path / '0.png'
    edited, eyes = astronaut.copy(), [[205, 102], [247, 105]]
    edited[-1, -1] = 255 - edited[-1, -1]
    for pair in (
        pair_from_images(copy, edited, onset_eyes=eyes, apex_eyes=eyes),
        pair_from_images(copy, copy, detector=detector),
        pair_from_images(copy, astronaut, detector=detector),
        pair_from_clip(tmp_path, onset_frame=0, apex_frame=1, detector=detector),
    ):
        assert (pair.success, pair.problem) == (False, 'same picture')
        assert pair.reason == 'onset and apex are the same picture, pixel for pixel'
    other = np.roll(astronaut, 1, axis=1)
    assert pair_from_images(astronaut, other, detector=detector).success


def test_part_of_a_clip(tmp_path, make_clip, detector):
    """Two smiles: that of the part is found, with its numbers; progress is told."""
    clip, frames = make_clip()
    for i, frame in enumerate([*frames, *frames]):
        cv2.imwrite(str(tmp_path / f'{i}.png'), frame)
    shares = []
    pair = pair_from_clip(
        tmp_path, fps=20, detector=detector, part=(2.5, None), watch=shares.append
    )
    assert pair.success
    assert abs(pair.apex_frame - 50 - clip.apex) <= 6
    assert pair.onset_frame >= 50
    assert len(shares) == 50
    assert shares == sorted(shares)
    assert 0.4 < shares[0] < 0.6
    assert shares[-1] > 0.95
    pair = pair_from_clip(tmp_path, fps=20, detector=detector, part=(None, 2.5))
    assert pair.apex_frame < 50


def test_clip(smile, detector):
    path, clip = smile
    pair = pair_from_clip(path, detector=detector)
    assert pair.success
    assert (pair.onset_frame, pair.apex_frame) == (
        pair.spotting.onset,
        pair.spotting.apex,
    )
    assert abs(pair.apex_frame - clip.apex) <= 6
    mouth = np.s_[34:46, 12:36]
    change = np.abs(pair.apex.astype(int) - pair.onset)
    assert change[mouth].mean() > 1.5 * change.mean()


def test_known_frames_are_used(smile, detector):
    path, clip = smile
    pair = pair_from_clip(path, onset_frame=3, apex_frame=20, detector=detector)
    assert (pair.onset_frame, pair.apex_frame, pair.spotting) == (3, 20, None)
    pair = pair_from_clip(path, apex_frame=clip.apex, detector=detector)
    assert pair.apex_frame == clip.apex
    assert abs(pair.onset_frame - clip.onset) <= 5
    pair = pair_from_clip(path, onset_frame=clip.onset, detector=detector)
    assert pair.onset_frame == clip.onset
    assert abs(pair.apex_frame - clip.apex) <= 5


def test_onset_and_apex_come_from_their_frames(smile, make_clip, tmp_path):
    """Frames as files, which no codec changes, cut out by hand."""
    frames = make_clip()[1]
    for number in (3, 20):
        cv2.imwrite(str(tmp_path / f'{number}.png'), frames[number])
    eyes = np.array([[[70.0, 60.0], [110.0, 60.0]], [[72.0, 61.0], [111.0, 62.0]]])
    pair = pair_from_clip(
        tmp_path, onset_frame=3, apex_frame=20, onset_eyes=eyes[0], apex_eyes=eyes[1]
    )
    np.testing.assert_array_equal(pair.onset, align_face(frames[3], eyes[0]))
    np.testing.assert_array_equal(pair.apex, align_face(frames[20], eyes[1]))
    assert not np.array_equal(pair.onset, pair.apex)


def test_late_frames(smile, detector, astronaut):
    """Known and spotted frames are shifted; their eyes are those of the new frames."""
    path, clip = smile
    known = clip.onset, clip.apex
    exact = pair_from_clip(path, FaceSettings(), *known, detector=detector)
    settings = FaceSettings(onset_late=-2, apex_late=3)
    late = pair_from_clip(
        path, settings, *known, exact.onset_eyes, exact.apex_eyes, detector=detector
    )
    same = pair_from_clip(
        path, onset_frame=clip.onset - 2, apex_frame=clip.apex + 3, detector=detector
    )
    assert (late.onset_frame, late.apex_frame) == (clip.onset - 2, clip.apex + 3)
    np.testing.assert_array_equal(late.apex, same.apex)
    np.testing.assert_array_equal(late.onset, same.onset)
    spotted = pair_from_clip(path, settings, detector=detector)
    assert spotted.onset_frame == spotted.spotting.onset - 2
    assert spotted.apex_frame == spotted.spotting.apex + 3
    for shift, reason in (
        ({'apex_late': 99}, f'apex frame {clip.apex + 99} is not in the clip'),
        ({'onset_late': -99}, f'onset frame {clip.onset - 99} is not in the clip'),
        ({'onset_late': 49}, f'onset frame {clip.onset + 49} does not come before'),
    ):
        pair = pair_from_clip(path, FaceSettings(**shift), *known, detector=detector)
        assert pair.problem == 'no such frame'
        assert pair.reason.startswith(reason)
    pair = pair_from_images(astronaut, astronaut, settings, detector=detector)
    assert (pair.success, pair.reason) == (False, 'photos have no later frame')


def test_problems_of_clips(tmp_path, smile, detector, blank, write_video):
    path, _ = smile
    (tmp_path / 'broken.mp4').write_bytes(b'nonsense' * 99)
    one = write_video(tmp_path / 'one.avi', [blank])
    for clip, options, problem, reason in (
        (tmp_path / 'broken.mp4', {}, 'unreadable', "'broken.mp4' cannot be opened"),
        (
            tmp_path / 'none.mp4',
            {},
            'unreadable',
            "'none.mp4': no such file or folder",
        ),
        (one, {}, 'no face', 'no face was found in any of the 1 frames'),
        (
            path,
            {'onset_frame': 4, 'apex_frame': 999},
            'no such frame',
            'apex frame 999 is not in the clip',
        ),
        (
            path,
            {'onset_frame': 4, 'apex_frame': 4},
            'no such frame',
            'onset frame 4 does not come before apex frame 4',
        ),
        (
            path,
            {'settings': FaceSettings(limit=50)},
            'no expression',
            'no expression was found',
        ),
    ):
        pair = pair_from_clip(clip, detector=detector, **options)
        assert not pair.success
        assert pair.problem == problem
        assert pair.reason.startswith(reason)


def test_two_people_in_a_clip(tmp_path, make_clip, detector, write_video):
    """The one who was followed is taken, though another is about as large."""
    _, frames = make_clip()
    both = []
    for frame in frames:
        both.append(np.zeros((150, 330), np.uint8))
        both[-1][:, :180] = frame
        both[-1][25:, 180:] = cv2.resize(frames[0], (150, 125))
    path = write_video(tmp_path / 'two.mp4', both)
    pair = pair_from_clip(path, detector=detector)
    assert pair.problem == 'two faces'
    pair = pair_from_clip(path, FaceSettings(several='largest'), detector=detector)
    assert pair.success
    assert any('the one that was followed was taken' in note for note in pair.notes)
    assert any('a second face was seen' in note for note in pair.notes)
    assert max(pair.onset_eyes[:, 0].max(), pair.apex_eyes[:, 0].max()) < 180


def test_real_smile(real_clips, detector):
    pair = pair_from_clip(real_clips / 'single_face.mp4', detector=detector)
    assert pair.success
    assert pair.onset_frame <= 18 < 20 <= pair.apex_frame


def test_wrong_settings():
    for options, message in (
        ({'by': 'apex'}, "by is 'apex'; it must be one of 'own', 'onset'"),
        ({'color': 'rgb'}, "color is 'rgb'; it must be"),
        ({'several': 'all'}, "several is 'all'; it must be"),
        ({'eyes_closed': 'no'}, "eyes_closed is 'no'; it must be"),
        ({'size': 4}, 'at least 8'),
        ({'limit': 0}, 'above 0'),
        ({'min_score': 2}, 'above 0 and below 1'),
    ):
        with pytest.raises(ValueError, match=message):
            FaceSettings(**options)
