"""From the motion of a face's regions over time to onset and apex: pure functions."""

from collections.abc import Callable

import cv2
import numpy as np

from .motion import REGIONS

_SMOOTH = 0.2  # seconds: length of the median, three deviations of the Gaussian
_APEX, _ONSET = 0.9, 0.1  # shares of the height
_LAG, _RIDGE = 0.2, 1.0  # seconds; squared percent of the eye distance


def steady(motion: np.ndarray, turn: np.ndarray, fps: float) -> np.ndarray:
    """Subtract the residual motion that head rotation causes in the regions.

    No head is exactly the ellipsoid that was subtracted, so rotation still moves the
    regions in proportion. The factors are estimated by robust regression on the
    differences of frames 0.2 seconds apart, where a beginning or ending expression is
    an outlier with little weight.

    Args:
        motion: Of the regions ``(N, R)``; see :class:`Motion`.
        turn: Of the head ``(N, 2)``.
        fps: Frames a second.

    Returns:
        Motion ``(N, R)`` without the residual.
    """
    lag = max(1, round(_LAG * fps))
    if len(motion) <= 2 * lag:
        return motion
    change = [part[lag:] - part[:-lag] for part in map(_denoised(fps), (turn, motion))]
    heads, parts = (part.astype(np.float64) for part in change)
    weight = np.ones(len(heads))
    ridge = _RIDGE * len(heads) * np.eye(heads.shape[1])
    for _ in range(10):
        weighted = (heads * weight[:, None]).T
        leak = np.linalg.solve(weighted @ heads + ridge, weighted @ parts)
        rest = np.linalg.norm(parts - heads @ leak, axis=1)
        weight = 1 / (1 + (rest / (np.median(rest) + 1e-6)) ** 2)
    return motion - (turn - np.median(turn, axis=0)) @ leak


def locate(
    motion: np.ndarray,
    fps: float,
    onset: int | None = None,
    apex: int | None = None,
) -> tuple[int, int, np.ndarray, float]:
    """Find onset and apex from the motion of the regions.

    The apex is where the curve has risen by 90%, or the highest frame soon after it
    (half the time from 50% to 90%): expressions are often held, and
    otherwise a slow drift would decide where in the plateau the maximum lies. The
    onset is the last frame before it with at most 10%.

    Args:
        motion: Of the regions ``(N, R)``, percent of the eye distance.
        fps: Frames a second.
        onset, apex: Indices that are known.

    Returns:
        tuple: Index of onset and apex, the curve ``(N,)``, and its noise, a standard
        deviation.
    """
    smooth = _denoised(fps)(motion)
    near = max(1, round(_SMOOTH * fps)) // 2
    scale = 1 / np.sqrt(len(REGIONS))
    reference = smooth[: max(1, round(_SMOOTH * fps))].mean(axis=0)
    if onset is not None:
        reference = smooth[onset]
    direction = None
    first = 0 if onset is None else onset
    last = 0 if apex is None else apex
    for _ in range(3):
        offset = smooth - reference
        if direction is None:
            curve = np.linalg.norm(offset, axis=1) * scale
        else:
            curve = offset @ direction * scale
        start = 0 if onset is None else onset
        if apex is None:
            last = start + _rise_end(curve[start:])
        if onset is None:
            first = _rise_start(curve[: last + 1])
        reference = smooth[max(0, first - near) : first + 1].mean(axis=0)
        direction = smooth[max(0, last - near) : last + near + 1].mean(axis=0)
        direction = direction - reference
        direction /= max(np.linalg.norm(direction), 1e-9)
    curve = (smooth - reference) @ direction * scale
    rough = (motion - reference) @ direction * scale - curve
    return first, last, curve, float(1.4826 * np.median(np.abs(rough)))


def _rise_end(curve: np.ndarray) -> int:
    """Return how many frames after the first one, at least 1, the curve has risen."""
    top = 1 + int(curve[1:].argmax())
    low = curve[: top + 1].min()
    share = (curve[: top + 1] - low) / max(curve[top] - low, 1e-9)
    high = int(np.argmax(share >= _APEX))
    half = np.flatnonzero(share[: high + 1] <= 0.5)
    wait = (high - int(half[-1])) // 2 if len(half) else 0
    return max(high + int(curve[high : high + wait + 1].argmax()), 1)


def _rise_start(curve: np.ndarray) -> int:
    """Return the last frame before the end of the rise that is still at rest."""
    low, top = curve.min(), curve[-1]
    before = np.flatnonzero(curve[:-1] <= (low + top) / 2)
    if not len(before):
        return 0
    # Rest is the usual level before the rise: a drift may have been lower once.
    level = min(float(np.median(curve[: before[-1] + 1])), (low + top) / 2)
    rest = np.flatnonzero(curve[:-1] <= level + _ONSET * (top - level))
    return int(rest[-1]) if len(rest) else 0


def _denoised(fps: float) -> Callable[[np.ndarray], np.ndarray]:
    """Return a filter over time for arrays ``(N, R)``: a median, then a Gaussian."""
    length = max(1, round(_SMOOTH * fps)) // 2 * 2 + 1

    def run(values: np.ndarray) -> np.ndarray:
        if length == 1 or len(values) < 2:
            return values
        padded = np.pad(values, ((length // 2,) * 2, (0, 0)), mode='edge')
        # A column at a time: all windows of a long clip at once would be large.
        columns = [
            np.median(np.lib.stride_tricks.sliding_window_view(column, length), axis=1)
            for column in padded.T
        ]
        sigma = _SMOOTH * fps / 3
        size = (1, 2 * int(3 * sigma + 1) + 1)
        stacked = np.ascontiguousarray(np.stack(columns, axis=1), np.float32)
        return cv2.GaussianBlur(
            stacked, size, sigmaX=1, sigmaY=sigma, borderType=cv2.BORDER_REPLICATE
        )

    return run
