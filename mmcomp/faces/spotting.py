"""Onset and apex of a clip, by the motion of the face against its onset.

The clip is read once, frame by frame; what is kept of a frame is two dozen numbers.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from .alignment import to_color
from .curve import locate, steady
from .detection import Face, FaceDetector, rivals
from .eyes import eye_openness
from .motion import REGIONS, Motion, face_view
from .video import DEFAULT_FPS, Clip, UnreadableError

#: Least height of the curve that is called an expression, in percent of the eye
#: distance, and in standard deviations of its noise.
LIMIT = 1.0
_NOISES = 5.0

_BLINK, _OPEN = 0.65, 0.85  # of the clip's median openness: below, and above again
_BLINK_SECONDS = 0.4  # how far onset and apex may be moved out of a blink
_SEARCH = 5  # frames a second that are searched before a face was seen
_CENSUS = 1  # times a second that the whole frame is searched for others
_FACES = 0.5  # least share of frames with the face


@dataclass(frozen=True)
class Spotting:
    """What was found in a clip.

    Attributes:
        onset: Number of the last frame before the expression, or None.
        apex: Number of the frame where it has come to its height, or None.
        fps: Frames a second.
        curve: Motion against the onset in percent of the eye distance, of each frame
            ``(N,)``, along the direction of the motion from onset to apex.
        numbers: The frames' numbers ``(N,)``.
        seen: Whether the face was measured in the frame ``(N,)``; elsewhere the curve
            is interpolated.
        openness: How open the eyes look, ``(N,)``; see ``eye_openness``.
        eyes: Where the eyes lie in each frame, ``(N, 2, 2)``, not as precisely as
            ``FaceDetector.detect`` finds them.
        height: Height of the curve from onset to apex.
        confidence: 0 at the limit of what is called an expression, half at twice
            its height, towards 1 above; less where the face was not always seen.
        success: Whether an expression was found.
        problem: The kind of what is wrong, 'no face' for one; empty on success.
        reason: What is wrong, in a sentence; empty on success.
        notes: What was odd or chosen, in sentences.
    """

    onset: int | None
    apex: int | None
    fps: float
    curve: np.ndarray
    numbers: np.ndarray
    seen: np.ndarray
    openness: np.ndarray
    eyes: np.ndarray
    height: float = 0.0
    confidence: float = 0.0
    success: bool = False
    problem: str = ''
    reason: str = ''
    notes: tuple[str, ...] = ()


def spot(
    clip: Clip | Iterable[tuple[int, np.ndarray]],
    detector: FaceDetector | None = None,
    onset: int | None = None,
    apex: int | None = None,
    fps: float | None = None,
    limit: float = LIMIT,
) -> Spotting:
    """Finds onset and apex of the largest expression in a clip.

    The clip should start with the face at rest or before it is seen. Of several
    expressions the largest is found.

    Args:
        clip: A :class:`Clip`, or an iterable of frame number and image.
        detector (FaceDetector, optional): Finds the face; its largest one is followed.
        onset, apex (int, optional): Frame numbers that are known; only the other one
            is looked for.
        fps (float, optional): Frames a second of an iterable; 25 by default.
        limit: Least height of an expression in percent of the eye distance.

    Returns:
        Spotting: With ``success`` False where there is no face, no expression, or too
        little of either; unreadable clips included.

    Raises:
        ValueError: If an argument is not allowed.
    """
    if limit <= 0:
        raise ValueError(f'limit must be above 0, not {limit}.')
    if onset is not None and apex is not None and onset >= apex:
        raise ValueError(f'onset must lie before apex, not {onset} and {apex}.')
    fps = clip.fps if isinstance(clip, Clip) else float(fps or DEFAULT_FPS)
    record = _Record()
    problem, reason = '', ''
    try:
        _watch(clip, fps, detector or FaceDetector(), record)
    except UnreadableError as error:
        problem, reason = 'unreadable', str(error)
    result = record.result(fps)
    if not problem:
        problem, reason = _fault(result, onset, apex)
    if problem:
        return replace(result, problem=problem, reason=reason)
    index = {number: i for i, number in enumerate(result.numbers.tolist())}
    known = index.get(onset), index.get(apex)
    motion = steady(*record.motion(), fps)
    first, last, curve, noise = locate(motion, fps, *known)
    height = float(curve[last] - curve[first])
    least = max(limit, _NOISES * noise)
    result = replace(result, curve=curve, height=height)
    if None in known and height < least:
        reason = (
            f'no expression was found: the face moved by {height:.1f}% of the eye '
            f'distance at most, and {least:.1f}% are needed'
        )
        return replace(result, problem='no expression', reason=reason)
    first, last, notes = _leave_blinks(result, first, last, known)
    return replace(
        result,
        onset=int(result.numbers[first]),
        apex=int(result.numbers[last]),
        confidence=float(max(0.0, 1 - least / max(height, 1e-9)) * result.seen.mean()),
        success=True,
        notes=result.notes + notes,
    )


def _fault(result: Spotting, onset: int | None, apex: int | None) -> tuple[str, str]:
    """The kind of what is wrong with a clip, and the sentence; empty if it is fine."""
    numbers, seen = result.numbers, result.seen
    if not len(numbers):
        return 'unreadable', 'the clip has no frame'
    if not seen.any():
        return 'no face', f'no face was found in any of the {len(numbers)} frames'
    if len(numbers) == 1:
        return 'one frame', 'the clip has one frame, and onset and apex need two'
    if seen.mean() < _FACES:
        text = f'the face was seen in only {seen.sum()} of {len(numbers)} frames'
        return 'no face', text
    for name, number, none_left in (
        ('onset', onset, numbers[-1]),
        ('apex', apex, numbers[0]),
    ):
        if number is None:
            continue
        if number not in numbers:
            text = f'{name} frame {number} is not in the clip, which has frames '
            return 'no such frame', text + f'{numbers[0]} to {numbers[-1]}'
        if number == none_left:
            text = f'{name} frame {number} leaves no frame for the other one'
            return 'no such frame', text
    return '', ''


def _leave_blinks(
    result: Spotting, first: int, last: int, known: tuple[int | None, ...]
) -> tuple[int, int, tuple[str, ...]]:
    """Moves onset and apex to near frames with open eyes, but not those known."""
    share = result.openness / max(float(np.median(result.openness)), 1e-9)
    share[~result.seen] = 0
    reach = max(1, round(_BLINK_SECONDS * result.fps))
    notes = []

    def nearest(name: str, wanted: int, low: int, high: int) -> int:
        near = np.arange(max(0, wanted - reach), min(len(share), wanted + reach + 1))
        frames = near[share[near] >= _OPEN]
        # Eyes that stay narrow on one side belong to the expression, not to a blink.
        blink = (frames < wanted).any() and (frames > wanted).any()
        frames = frames[(frames >= low) & (frames <= high)]
        if share[wanted] >= _BLINK or not blink or not len(frames):
            return wanted
        best = int(frames[np.abs(frames - wanted).argmin()])
        notes.append(
            f'the {name} was moved by {best - wanted:+d} frames, out of a blink'
        )
        return best

    if known[0] is None:
        first = nearest('onset', first, 0, last - 1)
    if known[1] is None:
        last = nearest('apex', last, first + 1, len(share) - 1)
    return first, last, tuple(notes)


_REGION_VALUES = 2 * len(REGIONS)


@dataclass
class _Record:
    """What is kept of the frames: regions, turn, openness and eyes of each."""

    numbers: array = field(default_factory=lambda: array('q'))
    seen: array = field(default_factory=lambda: array('b'))
    values: array = field(default_factory=lambda: array('f'))
    looks: int = 0
    rivals: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, number: int, row: np.ndarray | None) -> None:
        """A frame; without a row the face was not seen."""
        self.numbers.append(number)
        self.seen.append(row is not None)
        if row is None:
            row = np.full(_REGION_VALUES + 7, np.nan)
        self.values.extend(row.tolist())

    def motion(self) -> tuple[np.ndarray, np.ndarray]:
        """Of regions ``(N, R)`` and head ``(N, 2)``."""
        values = self._filled()
        return values[:, :_REGION_VALUES], values[:, _REGION_VALUES:][:, :2]

    def result(self, fps: float) -> Spotting:
        """All but onset and apex."""
        rest = self._filled()[:, _REGION_VALUES + 2 :]
        notes = list(self.notes)
        if self.rivals:
            notes.append(
                f'a second face was seen in {self.rivals} of {self.looks} frames that '
                'were searched for one; the first one found was followed'
            )
        return Spotting(
            None,
            None,
            fps,
            curve=np.full(len(self.numbers), np.nan),
            numbers=np.array(self.numbers, int),
            seen=np.array(self.seen, bool),
            openness=rest[:, 0],
            eyes=rest[:, 1:].reshape(-1, 2, 2),
            notes=tuple(notes),
        )

    def _filled(self) -> np.ndarray:
        """All values ``(N, R + 7)``, interpolated where the face was not seen."""
        values = np.array(self.values, np.float32).reshape(-1, _REGION_VALUES + 7)
        at = np.flatnonzero(self.seen)
        if len(at):
            frames = np.arange(len(values))
            for column in values.T:
                column[:] = np.interp(frames, at, column[at])
        return values


def _watch(clip, fps: float, detector: FaceDetector, record: _Record) -> None:
    """Measures every frame."""
    motion = Motion()
    last: Face | None = None
    for i, (number, image) in enumerate(clip):
        image = to_color(image, 'color')
        face = None
        if last is not None:
            face = detector.track(image, last)
        elif i % max(1, round(fps / _SEARCH)) == 0:
            face = next(iter(detector.detect(image)), None)
            if face is not None:
                record.notes += face.notes
        row = None
        if face is not None:
            if i % max(1, round(fps / _CENSUS)) == 0:
                record.looks += 1
                record.rivals += bool(rivals(detector.detect(image), face))
            gray = to_color(image, 'grayscale')
            parts, turn = motion.measure(face_view(gray, face.eyes))
            openness = eye_openness(gray, face.eyes)
            row = np.concatenate([parts, turn, [openness], face.eyes.ravel()])
            last = face
        record.add(number, row)
