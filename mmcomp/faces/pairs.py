"""From two photos or a clip to an aligned pair, with its quality.

A problem with a picture or a clip is reported in the result, in a sentence; exceptions
are for invalid arguments.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .alignment import ALIGN_BY, COLORS, align_pair, check_eyes, to_color
from .detection import Face, FaceDetector, rivals
from .eyes import CLOSED, eye_openness
from .spotting import LIMIT, Spotting, spot
from .video import Clip, UnreadableError, read_image

#: What to do about a second face and about closed eyes.
SEVERAL = ('fail', 'largest')
EYES_CLOSED = ('warn', 'fail')

#: Kinds of problems, as ``FacePair.problem`` and failures.csv name them.
PROBLEMS = (
    'unreadable',
    'wrong size',
    'no face',
    'two faces',
    'upside down',
    'same picture',
    'eyes closed',
    'no expression',
    'one frame',
    'no such frame',
    'eyes outside image',
    'invalid cell',
    'error',
)

#: The reason of 'same picture'.
SAME_PICTURE = 'onset and apex are the same picture, pixel for pixel'

Image = str | Path | np.ndarray


@dataclass(frozen=True)
class FaceSettings:
    """How pairs are made.

    Attributes:
        size: Side of the aligned images in pixels.
        color: 'grayscale' or 'color'.
        by: Whose eyes the apex is aligned by, its 'own' or the 'onset' 's.
        several: What to do about a picture with a second face of at least half the
            height of the largest: 'fail', or take the 'largest'.
        eyes_closed: 'warn' of closed eyes in a note, or 'fail'.
        min_score: Least score of a face, 0 to 1.
        limit: Least motion that is called an expression, in percent of the eye
            distance.
        onset_late, apex_late: Frames that are added to the known or spotted onset and
            apex of a clip, to see what an error there costs; eyes that are given for
            another frame are not used then. Photos have no later frame, and fail.
    """

    size: int = 48
    color: str = 'grayscale'
    by: str = 'own'
    several: str = 'fail'
    eyes_closed: str = 'warn'
    min_score: float = 0.8
    limit: float = LIMIT
    onset_late: int = 0
    apex_late: int = 0

    def __post_init__(self) -> None:
        allowed = {
            'color': COLORS,
            'by': ALIGN_BY,
            'several': SEVERAL,
            'eyes_closed': EYES_CLOSED,
        }
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise ValueError(
                    f'{name} is {getattr(self, name)!r}; it must be one of '
                    f'{", ".join(map(repr, values))}'
                )
        if self.size < 8:
            raise ValueError(f'size is {self.size}; it must be at least 8 pixels')
        if self.limit <= 0:
            raise ValueError(f'limit is {self.limit}; it must be above 0')
        FaceDetector(min_score=self.min_score)


@dataclass(frozen=True)
class FacePair:
    """An aligned pair, or why there is none.

    Attributes:
        success: Whether there is a pair.
        problem: One of ``PROBLEMS``, or empty.
        reason: The problem in a sentence; empty on success.
        notes: What was odd or chosen, in sentences.
        onset, apex: The aligned images ``(size, size)`` or ``(size, size, 3)``, BGR,
            uint8; None without success.
        onset_eyes, apex_eyes: Where the eyes lie in the original images ``(2, 2)``.
        onset_face, apex_face: The detected faces; None where the eyes were given.
        onset_open, apex_open: How open the eyes look; see ``eye_openness``.
        onset_frame, apex_frame: Numbers of the frames of a clip.
        spotting: Where they were spotted.
    """

    success: bool = False
    problem: str = ''
    reason: str = ''
    notes: tuple[str, ...] = ()
    onset: np.ndarray | None = None
    apex: np.ndarray | None = None
    onset_eyes: np.ndarray | None = None
    apex_eyes: np.ndarray | None = None
    onset_face: Face | None = None
    apex_face: Face | None = None
    onset_open: float = np.nan
    apex_open: float = np.nan
    onset_frame: int | None = None
    apex_frame: int | None = None
    spotting: Spotting | None = None


def pair_from_images(
    onset: Image,
    apex: Image,
    settings: FaceSettings = FaceSettings(),
    onset_eyes=None,
    apex_eyes=None,
    detector: FaceDetector | None = None,
) -> FacePair:
    """Align two photos of a face.

    Args:
        onset, apex: Paths, or images ``(H, W)`` or BGR ``(H, W, 3)`` of uint8.
        settings (FaceSettings): How the pair is made.
        onset_eyes, apex_eyes: Eye positions ``(2, 2)`` in pixels, first the one on the
            image's left, where they are known; else they are detected.
        detector (FaceDetector, optional): A detector to use again, which saves
            loading the network.

    Returns:
        FacePair: With ``success`` False where a picture cannot be used.

    Raises:
        ValueError: If an argument is not allowed.
    """
    if settings.onset_late or settings.apex_late:
        return _failure('no such frame', 'photos have no later frame')
    images = []
    for name, image in (('onset', onset), ('apex', apex)):
        if not isinstance(image, np.ndarray):
            try:
                image = read_image(image)
            except UnreadableError as error:
                return _failure('unreadable', f'{name}: {error}')
        images.append(to_color(image, 'color'))
    return _pair(images, [onset_eyes, apex_eyes], settings, detector)


def pair_from_clip(
    path: str | Path,
    settings: FaceSettings = FaceSettings(),
    onset_frame: int | None = None,
    apex_frame: int | None = None,
    onset_eyes=None,
    apex_eyes=None,
    fps: float | None = None,
    detector: FaceDetector | None = None,
    part: tuple[float | None, float | None] = (None, None),
    watch: Callable[[float], None] | None = None,
) -> FacePair:
    """Find onset and apex of a clip, and align them.

    Args:
        path: A video file or a folder of frames.
        settings (FaceSettings): How the pair is made.
        onset_frame, apex_frame (int, optional): Numbers of frames that are known, as
            :class:`Clip` counts them; those that are not are spotted.
        onset_eyes, apex_eyes: Eye positions in these frames, where they are known.
        fps (float, optional): Frames a second, where the clip does not say.
        detector (FaceDetector, optional): A detector to use again, which saves
            loading the network.
        part (tuple): Start and end of the part that is searched, in seconds from the
            first frame; None is the clip's own.
        watch (callable, optional): Called with the share of the clip that was searched,
            0 to 1, after each frame.

    Returns:
        FacePair: With ``success`` False where the clip cannot be used.

    Raises:
        ValueError: If an argument is not allowed.
    """
    detector = detector or FaceDetector(min_score=settings.min_score)
    try:
        clip = Clip(path, fps, *part)
    except UnreadableError as error:
        return _failure('unreadable', str(error))
    spotting = None
    if onset_frame is None or apex_frame is None:
        spotting = spot(
            _watched(clip, watch),
            detector,
            onset_frame,
            apex_frame,
            clip.fps,
            settings.limit,
        )
        if spotting.onset is None or spotting.apex is None:
            return FacePair(
                problem=spotting.problem,
                reason=spotting.reason,
                notes=(*clip.notes, *spotting.notes),
                spotting=spotting,
            )
        onset_frame, apex_frame = spotting.onset, spotting.apex
    onset_frame += settings.onset_late
    apex_frame += settings.apex_late
    if onset_frame >= apex_frame:
        return _failure(
            'no such frame',
            f'onset frame {onset_frame} does not come before apex frame {apex_frame}',
        )
    onset_eyes = None if settings.onset_late else onset_eyes
    apex_eyes = None if settings.apex_late else apex_eyes
    try:
        frames = clip.read((onset_frame, apex_frame))
    except UnreadableError as error:
        return _failure('unreadable', str(error))
    for name, number in (('onset', onset_frame), ('apex', apex_frame)):
        if number not in frames:
            return _failure(
                'no such frame', f'{name} frame {number} is not in the clip'
            )
    positions = None
    if spotting is not None:
        index = np.searchsorted(spotting.numbers, (onset_frame, apex_frame))
        positions = spotting.eyes[index].mean(axis=1)
    pair = _pair(
        [frames[onset_frame], frames[apex_frame]],
        [onset_eyes, apex_eyes],
        settings,
        detector,
        positions,
    )
    notes = [*clip.notes, *(spotting.notes if spotting else ()), *pair.notes]
    return replace(
        pair,
        notes=tuple(dict.fromkeys(notes)),
        onset_frame=onset_frame,
        apex_frame=apex_frame,
        spotting=spotting,
    )


def _watched(
    clip: Clip, watch: Callable[[float], None] | None
) -> Iterator[tuple[int, np.ndarray]]:
    for frame in clip:
        yield frame
        if watch is not None:
            watch(clip.share)


def _pair(
    images: list[np.ndarray],
    eyes: list,
    settings: FaceSettings,
    detector: FaceDetector | None,
    positions: np.ndarray | None = None,
) -> FacePair:
    """Align two images; detect eyes that are not given, near ``positions`` if any."""
    if np.array_equal(images[0], images[1]):
        return _failure('same picture', SAME_PICTURE)
    detector = detector or FaceDetector(min_score=settings.min_score)
    eyes = list(eyes)
    faces: list[Face | None] = [None, None]
    notes = []
    for i, name in enumerate(('onset', 'apex')):
        if eyes[i] is not None:
            eyes[i] = check_eyes(eyes[i])
            height, width = images[i].shape[:2]
            if (eyes[i] < 0).any() or (eyes[i] >= (width, height)).any():
                text = (
                    f'{name}: the eyes given lie outside the {width} x {height} image'
                )
                return _failure('eyes outside image', text)
            continue
        found = detector.detect(images[i])
        if not found:
            return _failure('no face', f'{name}: no face was found')
        face = found[0]
        if positions is not None:
            face = min(found, key=lambda f: np.hypot(*(f.centre - positions[i])))
        if face.is_upside_down:
            text = (
                f'{name}: the face is upside down, turned by {face.roll:.0f} degrees, '
                'or its lower half is covered'
            )
            return _failure('upside down', text)
        others = len(rivals(found, face))
        if others and settings.several == 'fail':
            text = f'{name}: {others + 1} faces of similar size were found'
            return _failure('two faces', text)
        chosen = 'the largest' if positions is None else 'the one that was followed'
        if others:
            notes.append(f'{name}: of {others + 1} faces {chosen} was taken')
        notes += [f'{name}: {text}' for text in face.notes]
        faces[i], eyes[i] = face, face.eyes
    opened = [eye_openness(image, own) for image, own in zip(images, eyes)]
    for name, value in zip(('onset', 'apex'), opened):
        if value < CLOSED:
            notes.append(f'{name}: the eyes look closed')
            if settings.eyes_closed == 'fail':
                return _failure('eyes closed', notes[-1])
    onset, apex = images
    aligned = align_pair(
        onset, apex, eyes[0], eyes[1], settings.by, settings.size, settings.color
    )
    if np.array_equal(aligned[0], aligned[1]):
        return _failure('same picture', SAME_PICTURE)
    return FacePair(
        True,
        notes=tuple(notes),
        onset=aligned[0],
        apex=aligned[1],
        onset_eyes=eyes[0],
        apex_eyes=eyes[1],
        onset_face=faces[0],
        apex_face=faces[1],
        onset_open=opened[0],
        apex_open=opened[1],
    )


def _failure(problem: str, reason: str) -> FacePair:
    return FacePair(False, problem, reason)
