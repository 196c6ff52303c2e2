"""What spotting finds in a clip."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spotting:
    """What was found in a clip.

    Attributes:
        onset: Number of the last frame before the expression, or None.
        apex: Number of the frame where it has come to its height, or None.
        fps: Frames a second.
        curve: Motion against the onset in percent of the eye distance, of each frame
            ``(N,)``, along the direction of the motion from onset to apex, without
            what turns of the head and blinks explain.
        numbers: The frames' numbers ``(N,)``.
        seen: Whether the face was measured in the frame ``(N,)``; elsewhere the curve
            is interpolated.
        openness: How far the lids are apart in percent of the eye distance, ``(N,)``.
        eyes: Where the eyes lie in each frame, ``(N, 2, 2)``, not as precisely as
            ``FaceDetector.detect`` finds them.
        height: Height of the expression in percent of the eye distance.
        confidence: 0 at the least height that is called an expression, half at
            twice this height, towards 1 above; less where the face was not always seen.
        success: Whether an expression was found.
        problem: Kind of the problem, such as 'no face'; empty on success.
        reason: The problem in a sentence; empty on success.
        notes: What was odd or chosen, in sentences.
    """

    onset: int | None
    apex: int | None
    fps: float
    curve: np.ndarray
    numbers: np.ndarray
    seen: np.ndarray
    openness: np.ndarray
    eyes: np.ndarray
    height: float = 0.0
    confidence: float = 0.0
    success: bool = False
    problem: str = ''
    reason: str = ''
    notes: tuple[str, ...] = ()
