"""Clips: video files and folders of frames, read one frame at a time."""

import math
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from mmcomp.files import entries
from mmcomp.images import decode_image

IMAGE_SUFFIXES = frozenset(
    ['.bmp', '.jpeg', '.jpg', '.pgm', '.png', '.ppm', '.tif', '.tiff', '.webp']
)
VIDEO_SUFFIXES = frozenset(
    ['.avi', '.m4v', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.webm', '.wmv']
)

#: Formats of pictures and videos that are not read on every machine.
FOREIGN_SUFFIXES = frozenset(
    ['.avif', '.cr2', '.dng', '.gif', '.heic', '.heif', '.jp2', '.jxl', '.nef', '.psd']
    + ['.3gp', '.flv', '.m2ts', '.mts', '.ogv', '.vob']
)

#: What FFmpeg reads as a video. Without such a list, a playlist that is called .mp4
#: opens any other video on the machine.
_FORMATS = (
    'asf,avi,dv,flv,gif,h264,hevc,m4v,matroska,mjpeg,mov,mpeg,mpegts,mpegvideo,ogg,'
    'webm,yuv4mpegpipe'
)
_OPTIONS = 'OPENCV_FFMPEG_CAPTURE_OPTIONS'

#: Frames a second where neither the clip nor the user gives them.
DEFAULT_FPS = 25.0
_MAX_FPS = 10000.0

#: The rate that a video announces is checked against the times of so many frames, and
#: ignored if it is off by more than this factor: recordings of browsers announce 1000.
_TIMED_FRAMES = 16
_RATE_TOLERANCE = 1.5

#: A video that ends before this share of the frames it announces is called cut off.
#: Announcements of a few frames too many are common.
_ANNOUNCED = 0.9


class UnreadableError(Exception):
    """An image or a clip that cannot be read; the message is a sentence."""


class Clip:
    """A clip that is decoded while it is iterated over.

    Iterating yields ``(number, image)``: the frame's number and a BGR image
    ``(H, W, 3)``, uint8. In a video, frames are numbered from 0; in a folder, by the
    last number in the file name. A rotation that the video file asks for is applied.

    Args:
        path: A video file, or a folder of images.
        fps (float, optional): Frames a second; by default what the video says, or
            what the times of its frames imply where they differ, and ``DEFAULT_FPS``
            for folders.
        start, end (float, optional): The part to iterate over, in seconds from the
            first frame; ``end`` is excluded. Frames keep their numbers.

    Attributes:
        fps (float): Frames a second.
        announced (int): Number of frames according to the container; may be incorrect.
        passed (int): Number of frames that the last iteration has passed so far,
            including those before ``start``.
        notes (list[str]): What was assumed, and what was odd; grows while reading.

    Raises:
        UnreadableError: If there is no such clip, it is a photo, or it cannot be
            opened.
        ValueError: If ``fps``, ``start`` or ``end`` is not allowed.
    """

    def __init__(
        self,
        path,
        fps: float | None = None,
        start: float | None = None,
        end: float | None = None,
    ) -> None:
        if fps is not None and not 0 < fps <= _MAX_FPS:
            raise ValueError(
                f'fps is {fps}; it must be above 0 and at most {_MAX_FPS:g}'
            )
        self.start, self.end = check_part(start, end)
        self.passed = 0
        self.path = Path(path)
        self.notes: list[str] = []
        self._files: list[tuple[int, Path]] | None = None
        found = 0.0
        if self.path.is_dir():
            self._files = _numbered(self.path)
            self.announced = len(self._files)
        elif self.path.is_file():
            if self.path.suffix.lower() in IMAGE_SUFFIXES:
                raise UnreadableError(
                    f'{self.path.name!r} is a photo; a clip is a video or a folder of '
                    'frames, and photos are given in pairs, onset and apex'
                )
            capture = self._open()
            found = self._rate(capture) if fps is None else 0.0
            self.announced = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
            capture.release()
        else:
            raise UnreadableError(f'{self.path.name!r}: no such file or folder')
        if fps is None and not (math.isfinite(found) and 1 <= found <= _MAX_FPS):
            self.notes.append(f'no frame rate is known: {DEFAULT_FPS:g} is assumed')
            found = DEFAULT_FPS
        self.fps = float(found if fps is None else fps)

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        frames = self._decode() if self._files is None else self._read_files()
        count = 0
        for frame in frames:
            yield frame
            count += 1
        if count == 0:
            part = (
                'holds no frame that decodes'
                if (self.start, self.end) == (0, math.inf)
                else f'has no frame between {self.start:g} and {self.end:g} s'
            )
            raise UnreadableError(f'{self.path.name!r} {part}')

    @property
    def share(self) -> float:
        """How much of the part was passed, 0 to 1, as far as the clip announces it."""
        length = min(self.announced, self.end * self.fps)
        return min(self.passed / max(length, 1), 1.0)

    def _read_files(self) -> Iterator[tuple[int, np.ndarray]]:
        files = self._files or []
        shapes = set()
        for count, (number, file) in enumerate(files, 1):
            seconds = (number - files[0][0]) / self.fps
            if seconds >= self.end:
                break
            if seconds >= self.start:
                image = read_image(file)
                shapes.add(image.shape)
                yield number, image
            self.passed = count
        if len(shapes) > 1:
            self._note('the images of the folder differ in size, as photos do')

    def _decode(self) -> Iterator[tuple[int, np.ndarray]]:
        capture = self._open()
        try:
            count, first = 0, 0.0
            while capture.grab():
                seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                if count == 0:
                    first = seconds
                if seconds - first >= self.end:
                    return
                if seconds - first >= self.start:
                    read, image = capture.retrieve()
                    if not read or image is None:
                        break
                    yield count, image
                count += 1
                self.passed = count
        finally:
            capture.release()
        if 0 < count < _ANNOUNCED * self.announced:
            self._note(f'only {count} of {self.announced} frames could be decoded')

    def read(self, numbers: Iterable[int]) -> dict[int, np.ndarray]:
        """Fetch a few frames by number, in one pass.

        Args:
            numbers (Iterable[int]): Which frames.

        Returns:
            dict[int, np.ndarray]: The image for each number that the clip has.
        """
        wanted = set(numbers)
        if self._files is not None:
            return {n: read_image(file) for n, file in self._files if n in wanted}
        found: dict[int, np.ndarray] = {}
        capture = self._open()
        try:
            # Seeking is not exact in all containers; grabbing is, and cheap.
            for number in range(max(wanted, default=-1) + 1):
                if not capture.grab():
                    break
                if number in wanted:
                    read, image = capture.retrieve()
                    if read:
                        found[number] = image
        finally:
            capture.release()
        return found

    def _open(self) -> cv2.VideoCapture:
        capture = open_video(self.path)
        if not capture.isOpened():
            raise UnreadableError(f'{self.path.name!r} cannot be opened as a video')
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        return capture

    def _rate(self, capture: cv2.VideoCapture) -> float:
        """Return frames a second, or a number that cannot be a rate."""
        announced = capture.get(cv2.CAP_PROP_FPS)
        times: list[float] = []
        while len(times) < _TIMED_FRAMES and capture.grab():
            times.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        # The median, as a still frame of some seconds may come first.
        interval = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
        if interval <= 0:
            return announced
        timed = 1 / interval
        if announced / _RATE_TOLERANCE <= timed <= announced * _RATE_TOLERANCE:
            return announced
        if announced > 0:
            self.notes.append(
                f'{announced:g} frames a second are announced, but the times of the '
                f'frames imply {timed:.1f}, which is used'
            )
        return timed

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def check_part(start: float | None, end: float | None) -> tuple[float, float]:
    """Return start and end of a part of a clip in seconds; infinity without an end.

    Raises:
        ValueError: If they are not in order, or not numbers from 0.
    """
    first, last = start or 0.0, math.inf if end is None else end
    if not 0 <= first < math.inf:
        raise ValueError(f'start is {start}; it must be a number of seconds from 0')
    if not last > first:
        raise ValueError(f'end is {end}; it must be above start, {first:g}, in seconds')
    return first, last


def open_video(path: str | Path) -> cv2.VideoCapture:
    """Open a video file with OpenCV, but no playlist, which may name any other file.

    OpenCV takes ``10:42.mp4`` alone for a URL.
    """
    if not os.environ.get(_OPTIONS):  # OpenCV reads it each time
        os.environ[_OPTIONS] = f'format_whitelist;{_FORMATS}'
    return cv2.VideoCapture(os.path.abspath(path))


def read_image(path) -> np.ndarray:
    """Read an image as BGR ``(H, W, 3)``, uint8, turned as its EXIF data ask.

    Raises:
        UnreadableError: If there is no such file, it does not decode, or it has too
            many pixels.
    """
    path = Path(path)
    try:
        return decode_image(path.read_bytes())
    except FileNotFoundError:
        raise UnreadableError(f'{path.name!r}: no such file') from None
    except OSError as error:
        raise UnreadableError(
            f'{path.name!r} cannot be read: {error.strerror}'
        ) from None
    except ValueError as error:
        raise UnreadableError(f'{path.name!r}: {error}') from None


def frame_number(name: str) -> int | None:
    """Return the last number in a file name without its suffix, or None.

    It identifies a frame, unlike the position in a sorted list: zero padding differs,
    and clips need not start at 0.
    """
    numbers = re.findall(r'\d+', Path(name).stem)
    return int(numbers[-1]) if numbers else None


def list_files(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """Return the files of a folder with these suffixes, sorted, without clutter."""
    if not folder.is_dir():
        return []
    return [
        path
        for path in entries(folder)
        if path.suffix.lower() in suffixes and path.is_file()
    ]


def _numbered(folder: Path) -> list[tuple[int, Path]]:
    """Return the images of a folder by frame number."""
    files: dict[int, Path] = {}
    for file in list_files(folder, IMAGE_SUFFIXES):
        number = frame_number(file.name)
        if number is None:
            raise UnreadableError(f'the name of frame {file.name!r} has no number')
        if number in files:
            raise UnreadableError(
                f'frames {files[number].name!r} and {file.name!r} have the same number'
            )
        files[number] = file
    if not files:
        raise UnreadableError(f'there is no image in the folder {folder.name!r}')
    return sorted(files.items())
