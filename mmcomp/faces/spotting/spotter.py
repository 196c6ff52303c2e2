"""Onset and apex of a clip, by the motion of the face in its own frame.

The clip is read once, frame by frame; two dozen numbers of each frame are kept.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ..detection import FaceDetector
from ..video import DEFAULT_FPS, Clip, UnreadableError
from .curve import locate
from .record import Record, watch
from .result import Spotting

#: Least height that is called an expression, in percent of the eye distance and in
#: standard deviations of the noise, for the part that turns of the head cannot imitate.
LIMIT = 0.4
_NOISES = 2.5

_BLINK, _OPEN = 0.85, 0.92  # of the clip's median openness: below, and above again
_BLINK_SECONDS = 0.4  # how far onset and apex may be moved out of a blink
_FACES = 0.5  # least share of frames with the face


def spot(
    clip: Clip | Iterable[tuple[int, np.ndarray]],
    detector: FaceDetector | None = None,
    onset: int | None = None,
    apex: int | None = None,
    fps: float | None = None,
    limit: float = LIMIT,
) -> Spotting:
    """Find onset and apex of the largest expression in a clip.

    The clip should start with the face at rest or before it is seen. Of several
    expressions the largest is found.

    Args:
        clip: A :class:`Clip`, or an iterable of frame number and image.
        detector (FaceDetector, optional): Finds the face; its largest one is followed.
        onset, apex (int, optional): Frame numbers that are known; only the other one
            is spotted.
        fps (float, optional): Frames a second of an iterable; 25 by default.
        limit: Least height of an expression in percent of the eye distance.

    Returns:
        Spotting: With ``success`` False where the clip is unreadable, or shows no face
        or no expression, or too little of it.

    Raises:
        ValueError: If an argument is not allowed.
    """
    if limit <= 0:
        raise ValueError(f'limit is {limit}; it must be above 0')
    if onset is not None and apex is not None and onset >= apex:
        raise ValueError(f'onset is {onset}; it must be less than apex, {apex}')
    fps = clip.fps if isinstance(clip, Clip) else float(fps or DEFAULT_FPS)
    record = Record()
    problem, reason = '', ''
    try:
        watch(clip, fps, detector or FaceDetector(), record)
    except UnreadableError as error:
        problem, reason = 'unreadable', str(error)
    result = record.result(fps)
    if not problem:
        problem, reason = _fault(result, onset, apex)
    if problem:
        return replace(result, problem=problem, reason=reason)
    index = {number: i for i, number in enumerate(result.numbers.tolist())}
    known = index.get(onset), index.get(apex)
    rise = locate(*record.motion(), result.openness, fps, *known)
    needed = max(limit, _NOISES * rise.noise)
    least = needed * (rise.height / rise.sure if rise.sure > 0 else 1)
    result = replace(result, curve=rise.curve, height=rise.height)
    if None in known and rise.height < least:
        reason = (
            f'no expression was found: the face moved by {rise.height:.1f}% of the eye '
            f'distance at most, and {least:.1f}% are needed'
        )
        return replace(result, problem='no expression', reason=reason)
    first, last = rise.first, rise.last
    first, last, notes = _leave_blinks(result, first, last, known)
    return replace(
        result,
        onset=int(result.numbers[first]),
        apex=int(result.numbers[last]),
        confidence=float(
            max(0.0, 1 - least / max(rise.height, 1e-9)) * result.seen.mean()
        ),
        success=True,
        notes=result.notes + notes,
    )


def _fault(result: Spotting, onset: int | None, apex: int | None) -> tuple[str, str]:
    """Return the kind of problem of a clip, and a sentence; empty if there is none."""
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
    """Move onset and apex to near frames with open eyes, except known ones."""
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
