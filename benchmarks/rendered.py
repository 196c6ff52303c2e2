"""Rendered clips whose eyes, lids, onset and apex are known."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from mmcomp.faces.alignment import apply
from mmcomp.synthetic import EMOTIONS, RenderedClip, WideFrame, render_clip

SHAPE, FPS = (180, 240), 25.0


@dataclass(frozen=True)
class Recorder(WideFrame):
    """A frame that keeps what only the renderer knows of each picture."""

    truth: list = field(default_factory=list)

    def matrix(self, eyes, view):
        matrix = super().matrix(eyes, view)
        # The renderer counts from corners, images from pixel centres.
        self.truth.append((apply(matrix, eyes) - 0.5, view.blink))
        return matrix


@dataclass(frozen=True)
class RenderedSample:
    """A rendered clip and its truth.

    Attributes:
        level: How much the head moves.
        emotion: What is shown; 'none' for a head that moves and blinks only.
        clip: The clip, with its true onset and apex.
        frames: Its frames.
        eyes: True eye positions in each frame ``(N, 2, 2)``, in pixels.
        lids: How far the lids are closed in each frame ``(N,)``, 0 to 1.
    """

    level: str
    emotion: str
    clip: RenderedClip
    frames: list
    eyes: np.ndarray
    lids: np.ndarray

    @property
    def shown(self) -> bool:
        return self.emotion != 'none'


def render(
    seed: int, plan: list, fps: float, seconds: float
) -> Iterator[RenderedSample]:
    """Render a clip, of one subject each, for every row of the plan."""
    for subject, (level, emotion, label) in enumerate(plan):
        rng = np.random.default_rng([seed, subject])
        centre = rng.uniform(90, 150), rng.uniform(64, 86)
        framing = Recorder(SHAPE, rng.uniform(45, 60), centre)
        clip = render_clip(
            EMOTIONS[0] if emotion == 'none' else emotion,
            label,
            seed=seed,
            subject=subject,
            level=level,
            fps=fps,
            seconds=seconds,
            framing=framing,
        )
        if emotion == 'none':  # the head moves and blinks, nothing else
            clip = clip.at_rest()
        frames = list(clip)
        eyes, lids = zip(*framing.truth)
        print(f'rendered {subject + 1}/{len(plan)}', file=sys.stderr, flush=True)
        yield RenderedSample(
            level, emotion, clip, frames, np.array(eyes), np.array(lids)
        )


def write_video(path, frames, times=1, shape=SHAPE, fps=FPS) -> None:
    """Write a video of frames that are repeated, to and fro."""
    codec = cv2.VideoWriter_fourcc(*'mp4v')
    writer = cv2.VideoWriter(str(path), codec, fps, shape[::-1])
    for i in range(times):
        for frame in frames[:: -1 if i % 2 else 1]:
            image = cv2.resize(frame, shape[::-1])
            writer.write(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR))
    writer.release()
