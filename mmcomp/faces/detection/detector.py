"""Face detection: YuNet, made precise enough to align by.

YuNet's landmarks are near those of an average upright face: where a face is small or
tilted they follow its roll only in part (for 50 pixels of face height not at all). So
each face that was found is turned upright by its eyes, enlarged, and looked at again
together with its mirror image. See docs/faces.md for measurements.
"""

import threading
from pathlib import Path

import cv2
import numpy as np

from ..alignment import apply, eye_matrix, to_color, warp
from ..opencv_log import quiet_opencv
from .face import Face, distance, is_same
from .geometry import TURNS, central, mirror, turn_back

MODEL = Path(__file__).parents[1].joinpath('face_detection_yunet_2023mar.onnx')

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


class FaceDetector:
    """A detector of faces and their eyes.

    An object may be used in several threads: each has a network of its own. Images may
    be of any size: they are reduced for the search, and each face is looked at again in
    full resolution. Faces in pictures that are turned by 90, 180 or 270 degrees are
    found, too; see ``Face.roll``.

    Args:
        min_score: Least score after the second look, 0 to 1.

    Raises:
        ValueError: If an argument is not allowed.
    """

    def __init__(self, min_score: float = 0.8) -> None:
        if not 0 < min_score < 1:
            raise ValueError(
                f'min_score is {min_score}; it must be above 0 and below 1'
            )
        self.min_score = min_score
        self._own = threading.local()  # of each thread, as OpenCV's is for one only

    def __reduce__(self) -> tuple:
        return type(self), (self.min_score,)

    def detect(self, image: np.ndarray) -> list[Face]:
        """Find all faces.

        Args:
            image: ``(H, W)``, or BGR ``(H, W, 3)``, uint8.

        Returns:
            list[Face]: The largest face first, the others by size.
        """
        image = to_color(image, 'color')
        faces = self._upright(image)
        best = max((face.score for face in faces), default=0.0)
        if best < _DOUBT:
            for turn in TURNS:
                found = self._search(image, _SIDES[0], turn)
                if max((face.score for face in found), default=0) > best + _MARGIN:
                    faces = found
                    best = max(face.score for face in found)
        faces.sort(key=lambda face: -face.height)
        return faces

    def track(self, image: np.ndarray, last: Face) -> Face | None:
        """Find a face again in the next frame of a clip.

        The old position is searched first, in 2 ms; the eyes are less precise than
        those of :meth:`detect`.

        Args:
            image: The next frame, as for :meth:`detect`.
            last: The face in the frame before, or the last one that was seen.

        Returns:
            Face: The same face, or None where there is none near the old position.
        """
        image = to_color(image, 'color')
        face = self._look(image, last.eyes, _QUICK, mirrored=False)
        if face is not None and face.score >= self.min_score and is_same(face, last):
            return face
        faces = [face for face in self.detect(image) if is_same(face, last)]
        return min(faces, key=lambda face: distance(face, last), default=None)

    def _upright(self, image: np.ndarray) -> list[Face]:
        for side in _SIDES:
            faces = self._search(image, side)
            if faces or side >= max(image.shape[:2]) * _MAX_ENLARGEMENT:
                break
        return faces

    def _search(
        self, image: np.ndarray, side: int, turn: int | None = None
    ) -> list[Face]:
        """Find faces in the reduced and perhaps turned image; look at each again."""
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
                eyes = turn_back(eyes, turn, shape)
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
                and not any(distance(face, other) < 0.5 for other in faces)
            ):
                faces.append(face)
        return faces

    def _look(
        self, image: np.ndarray, eyes: np.ndarray, patch: tuple, mirrored: bool = True
    ) -> Face | None:
        """Turn a face upright by its eyes and find it there, or return None."""
        size, distance, height = patch
        if np.hypot(*(eyes[1] - eyes[0])) < 1:
            return None
        middle = (size - 1) / 2
        target = np.array([[-distance / 2, 0], [distance / 2, 0]]) + (middle, height)
        matrix = eye_matrix(eyes, size, (target + 0.5) / size)
        view = warp(image, matrix, size)
        found = [central(self._run(view), target)]
        if mirrored:
            row = central(self._run(np.ascontiguousarray(view[:, ::-1])), target)
            found.append(None if row is None else mirror(row, size))
        rows = [row for row in found if row is not None]
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
        """Return YuNet's rows ``(N, 15)``: box, landmarks, score."""
        net = getattr(self._own, 'net', None)
        if net is None:
            net = self._own.net = _load()
        net.setInputSize(image.shape[1::-1])
        rows = net.detect(image)[1]
        return np.zeros((0, 15)) if rows is None else rows.astype(np.float64)


def _load() -> cv2.FaceDetectorYN:
    with quiet_opencv():
        return cv2.FaceDetectorYN.create(str(MODEL), '', (320, 320), _PROPOSAL)
