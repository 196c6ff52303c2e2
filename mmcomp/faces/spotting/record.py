"""The record of a clip: two dozen numbers of each frame, whatever its size."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from ..alignment import to_color
from ..detection import Face, FaceDetector, rivals
from ..landmarks import LandmarkFinder, eyes_of, lid_distance
from .motion import REGIONS, Motion
from .result import Spotting

_SEARCH = 5  # frames a second that are searched before a face was seen
_CENSUS = 1  # times a second that the whole frame is searched for others
_REGION_VALUES = 2 * len(REGIONS)


@dataclass
class Record:
    """Regions, head turn, lids and eyes of each frame."""

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


class _Follower:
    """Follows one face through a clip: by its landmarks, or anew where it was lost."""

    def __init__(self, detector: FaceDetector) -> None:
        self.detector = detector
        self.face: Face | None = None
        self._finder = LandmarkFinder()
        self._points: np.ndarray | None = None

    def look(self, image: np.ndarray) -> np.ndarray | None:
        """Return the points of the face ``(468, 3)``, or None where it is not seen."""
        if self.face is None:
            return None
        if self._points is not None:
            found = self._finder.follow(image, self._points)
            if not found.fault:
                return self._keep(found.points, self.face)
        face = self.detector.track(image, self.face)
        if face is None:
            return None
        found = self._finder.find(image, face.eyes)
        if found.fault:
            return None
        return self._keep(found.points, face)

    def has_rivals(self, image: np.ndarray) -> bool:
        """Return whether another face than the one that is followed is in the image."""
        if self.face is None:
            return False
        return bool(rivals(self.detector.detect(image), self.face))

    def _keep(self, points: np.ndarray, face: Face) -> np.ndarray:
        self._points = points
        landmarks = np.concatenate([eyes_of(points), face.landmarks[2:]])
        self.face = replace(face, landmarks=landmarks)
        return points


def watch(
    clip: Iterable[tuple[int, np.ndarray]],
    fps: float,
    detector: FaceDetector,
    record: Record,
) -> None:
    """Measure every frame."""
    motion = Motion()
    follower = _Follower(detector)
    for i, (number, image) in enumerate(clip):
        image = to_color(image, 'color')
        if follower.face is None and i % max(1, round(fps / _SEARCH)) == 0:
            faces = detector.detect(image)
            face = next((face for face in faces if not face.is_upside_down), None)
            follower.face = face
            if face is not None:
                record.notes += face.notes
            elif faces:
                record.inverted += 1
        points = follower.look(image)
        row = None
        if points is not None:
            if i % max(1, round(fps / _CENSUS)) == 0:
                record.looks += 1
                record.rivals += follower.has_rivals(image)
            parts, turn = motion.measure(to_color(image, 'grayscale'), points)
            lids, eyes = lid_distance(points), eyes_of(points)
            row = np.concatenate([parts, turn, [lids], eyes.ravel()])
        record.add(number, row)
