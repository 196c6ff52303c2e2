"""Where the head lies in the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .nuisance import View

#: Where the subject's right and left eye lie in a crop, as a fraction of its
#: side. The subject's right is on the left of the image.
EYES = np.array([[0.28, 0.32], [0.72, 0.32]])


class Framing(Protocol):
    """A mapping from the image plane to pixels."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""

    def matrix(self, eyes: np.ndarray, view: View) -> np.ndarray:
        """Return the similarity ``(2, 3)`` from decimetres, y down, to pixels.

        Args:
            eyes: Right and left eye on the image plane ``(2, 2)``.
            view: The view, for the errors of the located eyes.
        """


@dataclass(frozen=True)
class EyeCrop:
    """A square face, aligned by the eyes as they were located.

    Attributes:
        size: Side in pixels.
    """

    size: int = 48

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.size, self.size

    def matrix(self, eyes: np.ndarray, view: View) -> np.ndarray:
        """Return the matrix; see ``Framing``."""
        error = (
            (view.eye_right_x, view.eye_right_y),
            (view.eye_left_x, view.eye_left_y),
        )
        target = (EYES + np.array(error) / 48) * self.size
        turn = complex(*(target[1] - target[0])) / complex(*(eyes[1] - eyes[0]))
        linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
        return np.column_stack([linear, target[0] - linear @ eyes[0]])


@dataclass(frozen=True)
class WideFrame:
    """Head and shoulders, free in the frame.

    Attributes:
        shape: Height and width in pixels.
        scale: Pixels for each decimetre; a head is about 2.3 decimetres high.
        centre: Pixel (x, y) of the point between the eyes of an unturned head.
    """

    shape: tuple[int, int]
    scale: float
    centre: tuple[float, float]

    def matrix(self, eyes: np.ndarray, view: View) -> np.ndarray:
        """Return the matrix; see ``Framing``."""
        del eyes, view
        return np.column_stack([self.scale * np.eye(2), self.centre])
