"""From photos and videos to aligned pairs of faces; see ``docs/faces.md``.

Knows neither torch nor the Runner.
"""

from .alignment import EYES, align_face, align_pair, eye_matrix
from .detection import Face, FaceDetector
from .eyes import eye_openness
from .landmarks import LandmarkFinder, Landmarks
from .pairs import FacePair, FaceSettings, pair_from_clip, pair_from_images
from .spotting import Spotting, spot
from .video import Clip, UnreadableError, read_image

__all__ = [
    'EYES',
    'Clip',
    'Face',
    'FaceDetector',
    'FacePair',
    'FaceSettings',
    'LandmarkFinder',
    'Landmarks',
    'Spotting',
    'UnreadableError',
    'align_face',
    'align_pair',
    'eye_matrix',
    'eye_openness',
    'pair_from_clip',
    'pair_from_images',
    'read_image',
    'spot',
]
