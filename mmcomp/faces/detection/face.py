"""A face that was found, and its relation to other faces."""

from dataclasses import dataclass

import numpy as np

#: How far a face that is followed may jump, in eye distances, and grow or shrink.
_JUMP, _GROWTH = 3.0, 2.0

#: A second face is reported from this share of the chosen one's height.
_RIVAL = 0.5


@dataclass(frozen=True)
class Face:
    """One face.

    Attributes:
        box: Left, top, width and height in pixels ``(4,)``.
        landmarks: Both eyes, the tip of the nose, both mouth corners in pixels
            ``(5, 2)``; first the one that is on the left of the upright picture.
        score: How sure the detector is, 0 to 1.
    """

    box: np.ndarray
    landmarks: np.ndarray
    score: float

    @property
    def eyes(self) -> np.ndarray:
        """Left and right eye of the upright picture, ``(2, 2)``."""
        return self.landmarks[:2]

    @property
    def centre(self) -> np.ndarray:
        """The point between the eyes, ``(2,)``."""
        return self.eyes.mean(axis=0)

    @property
    def eye_distance(self) -> float:
        """Distance of the eyes in pixels."""
        return float(np.hypot(*(self.eyes[1] - self.eyes[0])))

    @property
    def roll(self) -> float:
        """By how many degrees the face is turned clockwise in the picture."""
        return float(np.degrees(np.arctan2(*(self.eyes[1] - self.eyes[0])[::-1])))

    @property
    def is_upside_down(self) -> bool:
        """Whether the eyes lie below the mouth, rather than above or beside it.

        Cameras are not held like that. It is what the detector makes of a face whose
        lower half is covered.
        """
        return abs(self.roll) > 135

    @property
    def notes(self) -> list[str]:
        """A note on a turned picture, if it is one."""
        if abs(self.roll) <= 45:
            return []
        return [f'the face is turned by {self.roll:.0f} degrees and was set upright']

    @property
    def height(self) -> float:
        """The longer side of the box in pixels."""
        return float(max(self.box[2:]))


def rivals(faces: list[Face], chosen: Face) -> list[Face]:
    """Return the other faces that are at least half as high as the chosen one."""
    others = (face for face in faces if distance(face, chosen) > 0.5)
    return [face for face in others if face.height >= _RIVAL * chosen.height]


def distance(face: Face, other: Face) -> float:
    """Return the distance of two faces, in eye distances of the second."""
    return float(np.hypot(*(face.centre - other.centre))) / other.eye_distance


def is_same(face: Face, last: Face) -> bool:
    """Return whether a face can be the last one a little later."""
    growth = face.eye_distance / last.eye_distance
    upright = np.dot(face.eyes[1] - face.eyes[0], last.eyes[1] - last.eyes[0]) > 0
    return (
        bool(upright)
        and distance(face, last) < _JUMP
        and 1 / _GROWTH < growth < _GROWTH
    )
