"""Face detection: YuNet, made precise enough to align by.

YuNet's landmarks are near those of an average upright face: where a face is small or
tilted they follow its roll only in part (for 50 pixels of face height not at all). So
each face that was found is turned upright by its eyes, enlarged, and looked at again
together with its mirror image. See docs/faces.md for the figures.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .alignment import apply, eye_matrix, to_color, warp

_LOG_LEVEL_ERROR = 2  # cv2.utils.logging.LOG_LEVEL_ERROR, which OpenCV 4 lacks
MODEL = Path(__file__).with_name('face_detection_yunet_2023mar.onnx')
CHOOSE = ('largest', 'nearest')

#: Longest side of the image that is searched; the second where the first has no face.
_SIDES = (320, 640)
_MAX_ENLARGEMENT = 4.0
_PROPOSAL = 0.5

#: A second look: side of the patch, distance and height of the eyes in it, in pixels.
_FINE = (320, 100, 128)
_QUICK = (224, 54, 90)
_FINE_PASSES = 2

#: Below this score a face may lie on its side: the other turns are tried, and one wins
#: if it is better by the margin.
_DOUBT, _MARGIN = 0.92, 0.02

#: How far a face that is followed may jump, in eye distances, and grow or shrink.
_JUMP, _GROWTH = 3.0, 2.0

#: A second face is worth a word from this share of the chosen one's height.
_RIVAL = 0.5

_TURNS = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)


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
    def notes(self) -> list[str]:
        """A sentence on a turned picture, if it is one."""
        if abs(self.roll) <= 45:
            return []
        return [f'the face is turned by {self.roll:.0f} degrees and was set upright']

    @property
    def height(self) -> float:
        """The longer side of the box in pixels."""
        return float(max(self.box[2:]))


class FaceDetector:
    """Finds faces and their eyes.

    An object is for one thread. Images may be of any size: they are reduced for the
    search, and the faces looked at again in full resolution. A face in a picture that
    is turned by 90, 180 or 270 degrees is found, too; its ``roll`` tells.

    Args:
        choose: Which face comes first: the 'largest', or the one 'nearest' to the
            last (the largest where there is none).
        min_score: Least score after the second look, 0 to 1.

    Raises:
        ValueError: If an argument is not allowed.
    """

    def __init__(self, choose: str = 'largest', min_score: float = 0.8) -> None:
        if choose not in CHOOSE:
            raise ValueError(f'choose must be one of {CHOOSE}, not {choose!r}.')
        if not 0 < min_score < 1:
            raise ValueError(f'min_score must be between 0 and 1, not {min_score}.')
        self.choose = choose
        self.min_score = min_score
        self._net = None

    def __getstate__(self) -> dict:
        return {**self.__dict__, '_net': None}

    def detect(self, image: np.ndarray, last: Face | None = None) -> list[Face]:
        """Finds all faces.

        Args:
            image: ``(H, W)``, or BGR ``(H, W, 3)``, uint8.
            last: The face that the 'nearest' one is nearest to.

        Returns:
            list[Face]: The chosen face first, the others by size.
        """
        image = to_color(image, 'color')
        faces = self._upright(image)
        best = max((face.score for face in faces), default=0.0)
        if best < _DOUBT:
            for turn in _TURNS:
                found = self._search(image, _SIDES[0], turn)
                if max((face.score for face in found), default=0) > best + _MARGIN:
                    faces = found
                    best = max(face.score for face in found)
        faces.sort(key=lambda face: -face.height)
        if self.choose == 'nearest' and last is not None:
            near = min(faces, key=lambda face: _distance(face, last), default=None)
            faces.sort(key=lambda face: face is not near)
        return faces

    def track(self, image: np.ndarray, last: Face) -> Face | None:
        """Finds a face again in the next frame of a clip.

        Looks at the old place first, in 2 ms; the eyes are less precise than those of
        :meth:`detect`.

        Args:
            image: The next frame, as for :meth:`detect`.
            last: The face in the frame before, or the last one that was seen.

        Returns:
            Face: The same face, or None where there is none near the old place.
        """
        image = to_color(image, 'color')
        face = self._look(image, last.eyes, _QUICK, mirrored=False)
        if face is not None and face.score >= self.min_score and _same(face, last):
            return face
        faces = [face for face in self.detect(image) if _same(face, last)]
        return min(faces, key=lambda face: _distance(face, last), default=None)

    def _upright(self, image: np.ndarray) -> list[Face]:
        for side in _SIDES:
            faces = self._search(image, side)
            if faces or side >= max(image.shape[:2]) * _MAX_ENLARGEMENT:
                break
        return faces

    def _search(
        self, image: np.ndarray, side: int, turn: int | None = None
    ) -> list[Face]:
        """Faces in the reduced and perhaps turned image, each looked at again."""
        height, width = image.shape[:2]
        scale = min(side / max(height, width), _MAX_ENLARGEMENT)
        shape = max(round(width * scale), 1), max(round(height * scale), 1)
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        small = cv2.resize(image, shape, interpolation=method)
        # From corners, not centres: the reduced image covers the same square.
        back = np.array([[width / shape[0], 0], [0, height / shape[1]]])
        back = np.column_stack([back, (back.sum(axis=1) - 1) / 2])
        if turn is not None:
            small = cv2.rotate(small, turn)
        faces: list[Face] = []
        for row in self._run(small):
            eyes = row[4:8].reshape(2, 2)
            if turn is not None:
                eyes = _turn_back(eyes, turn, shape)
            eyes = apply(back, eyes)
            face = None
            for _ in range(_FINE_PASSES):
                face = self._look(image, eyes, _FINE)
                if face is None:
                    break
                eyes = face.eyes
            if (
                face is not None
                and face.score >= self.min_score
                and not any(_distance(face, other) < 0.5 for other in faces)
            ):
                faces.append(face)
        return faces

    def _look(
        self, image: np.ndarray, eyes: np.ndarray, patch: tuple, mirrored: bool = True
    ) -> Face | None:
        """Turns a face upright by its eyes and finds it in there; perhaps None."""
        size, distance, height = patch
        if np.hypot(*(eyes[1] - eyes[0])) < 1:
            return None
        middle = (size - 1) / 2
        target = np.array([[-distance / 2, 0], [distance / 2, 0]]) + (middle, height)
        matrix = eye_matrix(eyes, size, (target + 0.5) / size)
        view = warp(image, matrix, size)
        rows = [_central(self._run(view), target)]
        if mirrored:
            row = _central(self._run(np.ascontiguousarray(view[:, ::-1])), target)
            rows.append(None if row is None else _mirror(row, size))
        rows = [row for row in rows if row is not None]
        if not rows:
            return None
        row = np.mean(rows, axis=0)
        back = cv2.invertAffineTransform(matrix)
        corners = row[:2] + np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * row[2:4]
        corners = apply(back, corners)
        low, high = corners.min(axis=0), corners.max(axis=0)
        landmarks = apply(back, row[4:14].reshape(5, 2))
        return Face(np.concatenate([low, high - low]), landmarks, float(row[14]))

    def _run(self, image: np.ndarray) -> np.ndarray:
        """YuNet's rows ``(N, 15)``: box, landmarks, score."""
        if self._net is None:
            self._net = _load()
        self._net.setInputSize(image.shape[1::-1])
        rows = self._net.detect(image)[1]
        return np.zeros((0, 15)) if rows is None else rows.astype(np.float64)


def rivals(faces: list[Face], chosen: Face) -> list[Face]:
    """The faces besides the chosen one that are at least half as high."""
    others = (face for face in faces if _distance(face, chosen) > 0.5)
    return [face for face in others if face.height >= _RIVAL * chosen.height]


def _load():
    """The network; OpenCV 5 has a warning for each, which says nothing to a user."""
    logging = getattr(cv2.utils, 'logging', cv2)  # OpenCV 4 has both functions in cv2
    level = logging.getLogLevel()
    logging.setLogLevel(_LOG_LEVEL_ERROR)
    try:
        return cv2.FaceDetectorYN.create(str(MODEL), '', (320, 320), _PROPOSAL)
    finally:
        logging.setLogLevel(level)


def _central(rows: np.ndarray, target: np.ndarray) -> np.ndarray | None:
    """The row whose eyes are nearest to where they should be, if they are near."""
    if not len(rows):
        return None
    errors = np.abs(rows[:, 4:8].reshape(-1, 2, 2) - target).max(axis=(1, 2))
    best = errors.argmin()
    return rows[best] if errors[best] < target[1, 0] - target[0, 0] else None


def _mirror(row: np.ndarray, size: int) -> np.ndarray:
    """A row of the mirrored patch in the patch itself."""
    row = row.copy()
    row[0] = size - 1 - row[0] - row[2]
    landmarks = row[4:14].reshape(5, 2)[[1, 0, 2, 4, 3]]
    landmarks[:, 0] = size - 1 - landmarks[:, 0]
    row[4:14] = landmarks.ravel()
    return row


def _turn_back(points: np.ndarray, turn: int, shape: tuple) -> np.ndarray:
    """Points of a turned image in the image of this width and height."""
    x, y = points[:, 0], points[:, 1]
    width, height = shape
    if turn == cv2.ROTATE_90_CLOCKWISE:
        x, y = y, height - 1 - x
    elif turn == cv2.ROTATE_180:
        x, y = width - 1 - x, height - 1 - y
    else:
        x, y = width - 1 - y, x
    return np.stack([x, y], axis=1)


def _distance(face: Face, other: Face) -> float:
    """Between two faces, in eye distances of the second."""
    return float(np.hypot(*(face.centre - other.centre))) / other.eye_distance


def _same(face: Face, last: Face) -> bool:
    """Whether a face can be the last one a little later."""
    growth = face.eye_distance / last.eye_distance
    return _distance(face, last) < _JUMP and 1 / _GROWTH < growth < _GROWTH
