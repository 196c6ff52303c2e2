"""Clips in files and folders, whole and broken."""

from functools import partial

import cv2
import numpy as np
import pytest

from mmcomp.faces import Clip, UnreadableError, read_image
from mmcomp.faces.video import frame_number

CAPTURE = cv2.VideoCapture

#: Of a track header in an MP4 file: a picture that is to be shown turned clockwise.
QUARTER_TURN = [0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30]


@pytest.fixture
def frames():
    """Twelve frames with a bright bar that moves down."""
    images = np.full((12, 48, 64), 20, np.uint8)
    for i, image in enumerate(images):
        image[4 * i : 4 * i + 4] = 220
    return images


def bar(image):
    """Which frame a picture is."""
    return int(image[..., 0].mean(axis=1).argmax()) // 4


def flag_rotation(path):
    """Writes a rotation into the header of an MP4 file."""
    data = bytearray(path.read_bytes())
    start = data.index(b'tkhd') + 44
    matrix = np.array(QUARTER_TURN, '>i4').tobytes()
    data[start : start + len(matrix)] = matrix
    path.write_bytes(bytes(data))


@pytest.mark.parametrize('suffix', ['.mp4', '.avi'])
def test_video(tmp_path, frames, write_video, suffix):
    clip = Clip(write_video(tmp_path / f'a{suffix}', frames, fps=12))
    assert clip.fps == pytest.approx(12)
    read = list(clip)
    assert [number for number, _ in read] == list(range(12))
    assert [bar(image) for _, image in read] == list(range(12))
    chosen = clip.read([7, 2, 99])
    assert {number: bar(image) for number, image in chosen.items()} == {2: 2, 7: 7}
    assert clip.notes == []


class Recording:
    """A capture that announces another rate, or whose first frame lasts longer."""

    def __init__(self, path, announced=None, first=0.0):
        self.capture = CAPTURE(path)
        self.announced, self.first, self.count = announced, first, 0

    def grab(self):
        self.count += 1
        return self.capture.grab()

    def get(self, what):
        if what == cv2.CAP_PROP_FPS and self.announced is not None:
            return self.announced
        later = what == cv2.CAP_PROP_POS_MSEC and self.count > 1
        return self.capture.get(what) + 1000 * self.first * later

    def __getattr__(self, name):
        return getattr(self.capture, name)


@pytest.mark.parametrize('announced', [1000.0, 0.0, float('nan'), 13.0])
def test_the_times_of_frames_tell_the_rate(
    tmp_path, frames, write_video, monkeypatch, announced
):
    """As a browser records: 1000 frames a second are announced."""

    path = write_video(tmp_path / 'a.mp4', frames, fps=12)
    monkeypatch.setattr(cv2, 'VideoCapture', partial(Recording, announced=announced))
    clip = Clip(path)
    if announced == 13:  # near enough
        assert (clip.fps, clip.notes) == (13, [])
        return
    assert clip.fps == pytest.approx(12)
    assert len(clip.notes) == (announced > 0)
    assert [number for number, _ in clip] == list(range(12))


def test_a_still_at_the_start_is_no_frame_rate(
    tmp_path, frames, write_video, monkeypatch
):
    """A first frame of 3 s, then 12 a second: the mean would be 2.8."""
    path = write_video(tmp_path / 'a.mp4', frames, fps=12)
    still = partial(Recording, announced=12 / 3.92, first=2.92)
    monkeypatch.setattr(cv2, 'VideoCapture', still)
    clip = Clip(path)
    assert clip.fps == pytest.approx(12)
    # The part is by the times that a player shows: 3 s is the second frame.
    assert [n for n, _ in Clip(path, start=2.9, end=3.2)] == [1, 2, 3]


@pytest.mark.parametrize('kind', ['mp4', 'avi', 'folder'])
def test_part_of_a_clip(tmp_path, frames, write_video, kind):
    """From 0.25 s up to, but without, 0.5 s at 12 frames a second; by hand: 3 to 5."""
    path = tmp_path / f'a.{kind}'
    if kind == 'folder':
        path.mkdir()
        for i, frame in enumerate(frames):
            cv2.imwrite(str(path / f'{i + 100}.png'), frame)
    else:
        write_video(path, frames, fps=12)
    first = 100 if kind == 'folder' else 0
    clip = Clip(path, 12, start=0.25, end=0.5)
    read = list(clip)
    assert [number - first for number, _ in read] == [3, 4, 5]
    assert [bar(image) for _, image in read] == [3, 4, 5]
    assert clip.notes == []
    assert clip.share == 1
    assert [n - first for n, _ in Clip(path, 12, start=0.75)] == [9, 10, 11]
    assert [n - first for n, _ in Clip(path, 12, end=0.2)] == [0, 1, 2]
    assert list(clip.read([first + 8])) == [first + 8]
    with pytest.raises(UnreadableError, match=r'has no frame between 2 and 3 s'):
        list(Clip(path, 12, 2, 3))


@pytest.mark.parametrize(
    ('part', 'message'),
    [
        ((-1, None), 'start is -1; it must be a number of seconds from 0'),
        ((float('nan'), None), 'start is nan'),
        ((None, 0), 'end is 0; it must be above start, 0, in seconds'),
        ((2, 1.5), r'end is 1\.5; it must be above start, 2'),
        ((1, float('nan')), 'end is nan'),
    ],
)
def test_wrong_part(tmp_path, part, message):
    with pytest.raises(ValueError, match=message):
        Clip(tmp_path, None, *part)


@pytest.mark.parametrize('name', ['10:42:07.mp4', 'file:a.avi', 'a%02d.avi'])
def test_a_file_name_is_no_url(tmp_path, frames, write_video, name, monkeypatch):
    path = write_video(tmp_path / f'a{name[-4:]}', frames)
    path.rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert [number for number, _ in Clip(name)] == list(range(12))


def test_clutter_is_no_frame(tmp_path, frames):
    for i in range(3):
        cv2.imwrite(str(tmp_path / f'{i}.png'), frames[i])
        (tmp_path / f'._{i}.png').write_bytes(b'Mac OS X')
    cv2.imwrite(str(tmp_path / '.7.png'), frames[7])
    assert [bar(image) for _, image in Clip(tmp_path)] == [0, 1, 2]


def test_photos_are_no_clip(tmp_path, frames):
    """OpenCV would read 1.png and 2.png as a video."""
    for i in (1, 2):
        cv2.imwrite(str(tmp_path / f'{i}.png'), frames[0][: 48 - i])
    with pytest.raises(UnreadableError, match=r"'1\.png' is a photo; a clip is"):
        Clip(tmp_path / '1.png')
    clip = Clip(tmp_path)
    assert len(list(clip)) == 2
    assert 'the images of the folder differ in size, as photos do' in clip.notes


def test_folder_goes_by_the_last_number(tmp_path, frames):
    for i in range(12):
        cv2.imwrite(str(tmp_path / f's01_take2_img{3 * i + 8}.png'), frames[i])
    (tmp_path / 'notes7.txt').write_text('no frame')
    clip = Clip(tmp_path)
    assert [number for number, _ in clip] == [3 * i + 8 for i in range(12)]
    assert [bar(image) for _, image in clip] == list(range(12))
    assert {n: bar(i) for n, i in clip.read([11, 12]).items()} == {11: 1}
    assert clip.fps == 25
    assert 'no frame rate is known: 25 is assumed' in clip.notes
    assert Clip(tmp_path, fps=200).fps == 200


@pytest.mark.parametrize(
    ('name', 'number'),
    [
        ('img003.jpg', 3),
        ('006_05562.jpg', 5562),
        ('s1_ne_01.image12.bmp', 12),
        ('a', None),
        ('face 1/neutral.jpg', None),
    ],
)
def test_frame_number(name, number):
    assert frame_number(name) == number


def test_rotation_flag_is_respected(tmp_path, frames, write_video):
    path = write_video(tmp_path / 'a.mp4', frames)
    flag_rotation(path)
    _, image = next(iter(Clip(path)))
    assert image.shape[:2] == (64, 48)
    assert image[:, -4:].mean() > 150 > image[:, :40].mean()


def test_a_video_that_is_cut_off_says_so(tmp_path, frames, write_video):
    rng = np.random.default_rng(0)
    noisy = rng.integers(0, 255, (40, 96, 128), dtype=np.uint8)
    path = write_video(tmp_path / 'a.avi', noisy)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    clip = Clip(path)
    count = len(list(clip))
    assert 0 < count < 30
    if clip.announced:
        assert clip.notes == [
            f'only {count} of {clip.announced} frames could be decoded'
        ]


@pytest.mark.parametrize('name', ['list.m3u8', 'list.mp4', 'list.txt'])
def test_a_playlist_opens_no_other_video(tmp_path, frames, write_video, name):
    """Whoever sends the list would see another video of this machine."""
    video = tmp_path / 'private' / 'a.mp4'
    video.parent.mkdir()
    write_video(video, frames, 10)
    assert len(list(Clip(video))) == len(frames)
    start = '#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\n'
    path = tmp_path / name
    path.write_text(f'{start}{video}\n#EXT-X-ENDLIST\n')
    with pytest.raises(UnreadableError, match='cannot be opened as a video'):
        list(Clip(path))


def test_unreadable(tmp_path, frames):
    (tmp_path / 'a.mp4').write_bytes(b'nonsense' * 999)
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'twins').mkdir()
    (tmp_path / 'nameless').mkdir()
    for name in ('twins/a1.png', 'twins/b1.png', 'nameless/a.png'):
        cv2.imwrite(str(tmp_path / name), frames[0])
    for name, message in (
        ('a.mp4', "'a.mp4' cannot be opened as a video"),
        ('b.mp4', "'b.mp4': no such file or folder"),
        ('empty', "no image in the folder 'empty'"),
        ('twins', r"'a1.png' and 'b1.png' have the same number"),
        ('nameless', r"'a.png' has no number"),
    ):
        with pytest.raises(UnreadableError, match=message):
            Clip(tmp_path / name)


def test_unreadable_images(tmp_path):
    (tmp_path / 'a.png').write_bytes(b'nonsense')
    (tmp_path / 'b.png').write_bytes(b'')
    for name, message in (
        ('a.png', "'a.png': not an image, or damaged"),
        ('b.png', "'b.png': the file is empty"),
        ('c.png', 'no such file'),
        ('', 'cannot be read'),
    ):
        with pytest.raises(UnreadableError, match=message):
            read_image(tmp_path / name)


def test_deep_images_become_bytes(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), np.full((8, 9), 40000, np.uint16))
    image = read_image(tmp_path / 'a.png')
    assert image.shape == (8, 9, 3)
    assert image.dtype == np.uint8


@pytest.mark.parametrize('fps', [0, -1, float('nan'), 1e6])
def test_wrong_fps(tmp_path, fps):
    with pytest.raises(ValueError, match=r'fps is .*; it must be'):
        Clip(tmp_path, fps=fps)
