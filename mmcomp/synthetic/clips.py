"""Video clips: rest, rise, apex, fall, with the true onset and apex."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from mmcomp.files import replacing, write_bytes, write_text

from .expressions import sample_expression, sample_habit
from .framing import Framing, WideFrame
from .materials import smoothstep
from .nuisance import (
    LEVELS,
    Identity,
    View,
    sample_identity,
    sample_setting,
    sample_view,
)
from .plan import Key, Stream, check_level, check_seed
from .renderer import Renderer

#: Clips draw from sources of their own: no subject of a dataset appears in one.
_CLIP_CODE = 0

_BLINK_SECONDS = 0.30
_CODECS = {'.mp4': 'mp4v', '.avi': 'MJPG'}


@dataclass(frozen=True)
class SlowWaves:
    """A smooth random curve: a sum of slow waves, of unit variance."""

    frequencies: np.ndarray
    phases: np.ndarray

    @classmethod
    def sample(cls, rng: np.random.Generator) -> SlowWaves:
        """Draw three waves of 0.1 to 0.6 Hz."""
        return cls(rng.uniform(0.1, 0.6, 3), rng.uniform(0, 2 * np.pi, 3))

    def __call__(self, seconds: float) -> float:
        waves = np.sin(2 * np.pi * self.frequencies * seconds + self.phases)
        return float(waves.sum() * np.sqrt(2 / len(waves)))


@dataclass(frozen=True)
class RenderedClip:
    """A clip that is rendered while it is iterated over.

    Iterating yields gray frames ``(H, W)``, uint8, the same each time.

    Attributes:
        emotion, label: What is shown.
        fps: Frames a second.
        frames: Number of frames.
        onset: Index of the last frame before the expression begins.
        apex: Index of the frame where it is strongest.
        offset: Index of the first frame after it has gone.
    """

    emotion: str
    label: str
    fps: float
    frames: int
    onset: int
    apex: int
    offset: int
    _scene: _Scene

    def __len__(self) -> int:
        return self.frames

    def __iter__(self) -> Iterator[np.ndarray]:
        renderer = Renderer(self._scene.identity, oversampling=2)
        return (self._scene.frame(self, i, renderer) for i in range(self.frames))

    def at_rest(self) -> RenderedClip:
        """Return the clip without its expression: the head moves and blinks only."""
        return replace(self, _scene=replace(self._scene, activations={}))

    def strength(self, frame: int) -> float:
        """Return how much of the expression a frame shows, 0 to 1; 1 at the apex."""
        rise = smoothstep(frame, self.onset, self.apex)
        # It wanes a little before it falls, so that the apex is one frame.
        release = (self.apex + self.offset) / 2
        wane = 0.1 * np.clip((frame - self.apex) / (release - self.apex), 0, 1)
        fall = smoothstep(frame, release, self.offset)
        return float(rise * (1 - wane) * (1 - fall))


@dataclass(frozen=True)
class _Scene:
    """What a clip shows, apart from its timing."""

    key: Key
    numbers: tuple[int, int]
    identity: Identity
    activations: dict[str, float]
    view: View
    framing: Framing
    change: float
    blinks: tuple[float, ...]
    gazes: tuple[tuple[float, float, float], ...]
    motions: tuple[SlowWaves, ...]

    def frame(self, clip: RenderedClip, index: int, renderer: Renderer) -> np.ndarray:
        seconds = index / clip.fps
        pitch, yaw, roll, x, y = (
            self.change * motion(seconds) for motion in self.motions
        )
        gaze = [(gx, gy) for start, gx, gy in self.gazes if start <= seconds][-1]
        lids = max(
            (1 - abs(seconds - blink) / (_BLINK_SECONDS / 2) for blink in self.blinks),
            default=0.0,
        )
        view = replace(
            self.view,
            pitch=self.view.pitch + 2.0 * pitch,
            yaw=self.view.yaw + 2.5 * yaw,
            roll=self.view.roll + 2.0 * roll,
            gaze_x=gaze[0],
            gaze_y=gaze[1],
            blink=max(self.view.blink, lids),
        )
        framing = self.framing
        if isinstance(framing, WideFrame):
            shift = 0.05 * framing.scale
            centre = framing.centre[0] + shift * x, framing.centre[1] + shift * y
            framing = replace(framing, centre=centre)
        strength = clip.strength(index)
        shown = {name: strength * value for name, value in self.activations.items()}
        noise = self.key.stream(Stream.NOISE, *self.numbers, index)
        return renderer.render(shown, view, framing, noise)


def render_clip(
    emotion: str,
    label: str,
    *,
    seed: int = 0,
    subject: int = 0,
    take: int = 0,
    fps: float = 25.0,
    seconds: float = 4.0,
    level: str = 'lab',
    shape: tuple[int, int] = (256, 320),
    framing: Framing | None = None,
) -> RenderedClip:
    """Set up a clip of one expression.

    The head moves and blinks throughout; no blink falls on onset or apex. Timing
    and motion do not depend on the label.

    Args:
        emotion: One of ``EMOTIONS``.
        label: One of ``LABELS``.
        seed, subject, take: Who is shown, and which of their clips.
        fps: Frames a second.
        seconds: Length; at least 2.
        level: A key of ``LEVELS``: how much the head moves.
        shape: Height and width in pixels; the head lies somewhere in the frame.
        framing: Another framing instead, such as ``EyeCrop()``.

    Returns:
        The clip; nothing is rendered before it is iterated over.

    Raises:
        ValueError: If an argument is not allowed.
    """
    check_level(level)
    check_seed(seed)
    if fps < 5 or seconds < 2:
        raise ValueError(
            f'fps is {fps} and seconds is {seconds}; they must be at least 5 and at '
            'least 2'
        )
    key = Key(_CLIP_CODE, seed)
    identity = sample_identity(key.stream(Stream.IDENTITY, subject))
    habit = sample_habit(key.stream(Stream.HABIT, subject))
    expression = sample_expression(
        key.stream(Stream.EXPRESSION, subject, take), emotion, label, habit
    )
    setting = sample_setting(key.stream(Stream.SETTING, subject, take))
    view = sample_view(key.stream(Stream.VIEW, subject, take), setting, level)

    rng = key.stream(Stream.CLIP, subject, take)
    # As shares of the length: rest, rise, then as long until rest returns.
    times = np.cumsum(rng.uniform((0.15, 0.12, 0.35), (0.25, 0.22, 0.45)))
    onset, apex, offset = np.rint(times * seconds * fps).astype(int).tolist()
    marks = np.array([onset, apex]) / fps
    blinks = [
        blink
        for blink in rng.uniform(0, seconds, 3).tolist()
        if np.abs(marks - blink).min() > _BLINK_SECONDS
    ]
    starts = [0.0, *np.sort(rng.uniform(0, seconds, 2)).tolist()]
    gazes = np.clip(rng.normal(0, 0.12, (len(starts), 2)), -0.3, 0.3).tolist()
    height, width = shape
    place = rng.uniform((0.24, 0.40, 0.36), (0.32, 0.60, 0.48))
    scene = _Scene(
        key=key,
        numbers=(subject, take),
        identity=identity,
        activations=dict(expression.activations),
        view=view,
        framing=framing
        or WideFrame(shape, place[0] * height, (place[1] * width, place[2] * height)),
        change=LEVELS[level],
        blinks=tuple(blinks),
        gazes=tuple((start, *gaze) for start, gaze in zip(starts, gazes)),
        motions=tuple(SlowWaves.sample(rng) for _ in range(5)),
    )
    frames = round(seconds * fps)
    return RenderedClip(emotion, label, fps, frames, onset, apex, offset, scene)


def write_clip(clip: RenderedClip, out: str | Path) -> Path:
    """Write a clip as ``.mp4`` or ``.avi``, or as PNG files into a folder.

    A JSON file next to the video (``clip.json`` in the folder) holds the fps and
    the true onset, apex and offset.

    Args:
        clip: What to render.
        out: A file with one of these suffixes, or a folder with none.

    Returns:
        Path of the JSON file.

    Raises:
        ValueError: If the suffix is another one.
        OSError: If the video cannot be written.
    """
    out = Path(out)
    if out.suffix and out.suffix not in _CODECS:
        raise ValueError(
            f'suffix of {out} is {out.suffix!r}; it must be one of '
            f'{", ".join(map(repr, _CODECS))}, or empty for a folder'
        )
    if out.suffix:
        _write_video(clip, out)
        note = out.with_suffix('.json')
    else:
        for i, frame in enumerate(clip):
            png = cv2.imencode('.png', frame)[1]
            write_bytes(out / f'{i:05d}.png', png.tobytes())
        note = out / 'clip.json'
    names = 'emotion', 'label', 'fps', 'frames', 'onset', 'apex', 'offset'
    text = json.dumps({name: getattr(clip, name) for name in names}, indent=2)
    write_text(note, text + '\n')
    return note


def _write_video(clip: RenderedClip, out: Path) -> None:
    with replacing(out) as partial:
        # OpenCV takes the container from the suffix.
        video = partial.with_suffix(out.suffix)
        try:
            _encode(clip, video)
            # OpenCV's writer is silent about a full disk.
            count = int(cv2.VideoCapture(str(video)).get(cv2.CAP_PROP_FRAME_COUNT))
            if count != clip.frames:
                raise OSError(
                    f'{out}: {count} of {clip.frames} frames could be written; is the '
                    'disk full?'
                )
            video.replace(partial)
        finally:
            video.unlink(missing_ok=True)


def _encode(clip: RenderedClip, path: Path) -> None:
    writer = None
    try:
        for frame in clip:
            if writer is None:
                codec = cv2.VideoWriter.fourcc(*_CODECS[path.suffix])
                height, width = frame.shape
                name = os.path.abspath(path)  # a:b.mp4 would be taken for a URL
                writer = cv2.VideoWriter(name, codec, clip.fps, (width, height))
                if not writer.isOpened():
                    raise OSError(f'{path}: OpenCV cannot write this video')
            writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    finally:
        if writer is not None:
            writer.release()
