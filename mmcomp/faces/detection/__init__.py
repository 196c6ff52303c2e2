"""Detection: faces and their eyes in an image."""

from .detector import MODEL, FaceDetector
from .face import Face, rivals

__all__ = ['MODEL', 'Face', 'FaceDetector', 'rivals']
