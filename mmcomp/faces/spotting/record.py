"""The record of a clip: two dozen numbers of each frame, whatever its size."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ..alignment import to_color
from ..detection import Face, FaceDetector, rivals
from ..eyes import eye_openness
from .motion import REGIONS, Motion, face_view
from .result import Spotting

_SEARCH = 5  # frames a second that are searched before a face was seen
_CENSUS = 1  # times a second that the whole frame is searched for others
_REGION_VALUES = 2 * len(REGIONS)


@dataclass
class Record:
    """Regions, head turn, openness and eyes of each frame."""

    numbers: array = field(default_factory=lambda: array('q'))
    seen: array = field(default_factory=lambda: array('b'))
    values: array = field(default_factory=lambda: array('f'))
    looks: int = 0
    rivals: int = 0
    inverted: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, number: int, row: np.ndarray | None) -> None:
        """Add a frame; without a row the face was not seen."""
        self.numbers.append(number)
        self.seen.append(row is not None)
        if row is None:
            row = np.full(_REGION_VALUES + 7, np.nan)
        self.values.extend(row.tolist())

    def motion(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the motion of regions ``(N, R)`` and head ``(N, 2)``."""
        values = self._filled()
        return values[:, :_REGION_VALUES], values[:, _REGION_VALUES:][:, :2]

    def result(self, fps: float) -> Spotting:
        """Return all but onset and apex."""
        rest = self._filled()[:, _REGION_VALUES + 2 :]
        notes = list(self.notes)
        if self.inverted:
            notes.append(
                f'in {self.inverted} frames before any other face was seen, a face was '
                'upside down, and was passed over'
            )
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
        """Return values ``(N, R + 7)``, interpolated where the face was not seen."""
        values = np.array(self.values, np.float32).reshape(-1, _REGION_VALUES + 7)
        at = np.flatnonzero(self.seen)
        if len(at):
            frames = np.arange(len(values))
            for column in values.T:
                column[:] = np.interp(frames, at, column[at])
        return values


def watch(
    clip: Iterable[tuple[int, np.ndarray]],
    fps: float,
    detector: FaceDetector,
    record: Record,
) -> None:
    """Measure every frame."""
    motion = Motion()
    last: Face | None = None
    for i, (number, image) in enumerate(clip):
        image = to_color(image, 'color')
        face = None
        if last is not None:
            face = detector.track(image, last)
        elif i % max(1, round(fps / _SEARCH)) == 0:
            faces = detector.detect(image)
            face = next((face for face in faces if not face.is_upside_down), None)
            if face is not None:
                record.notes += face.notes
            elif faces:
                record.inverted += 1
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
