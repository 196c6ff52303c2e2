"""From the motion of a face's regions over time to onset and apex: pure functions.

An expression is a rise, a hold and a fall. Of many such courses the one is taken that
explains most of the motion that turns of the head and blinks do not explain: all three
are fitted at once, so that a turn is not taken for an expression, nor the reverse.
"""

from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np

from .motion import REGIONS

_SMOOTH = 0.2  # seconds: length of the median, three deviations of the Gaussian

_WINDOW = 8.0  # seconds in which head and expression are fitted at once
_BEFORE = 0.5  # seconds before the window in which a rise may begin
_RISES, _HOLDS = (0.3, 0.6, 1.0), (0.4, 0.8, 1.6, 3.2)  # seconds, tried everywhere
_GRID, _STEP = 0.08, 0.16  # seconds: between courses, and the first step of refinement
_STARTS, _APART = 5, 0.3  # courses that are refined, and seconds between their onsets
_LEAST = 0.12  # seconds that a rise and a fall take at least

# An ellipsoid leaves some 7% of a turn in the regions, seldom more than _LEAK; so what
# turns explain is shrunk. Products of turns and what blinks do are scaled to be as
# plausible.
_SHRINK, _LEAK = 1.6, 0.2
_PRODUCTS, _LIDS = 0.04, 4.0
_LEAST_SHARE = 0.02  # of a course that may be left when turns and blinks are taken off


@dataclass(frozen=True)
class Rise:
    """The expression that fits a clip best.

    Attributes:
        first: Index of the onset.
        last: Index of the apex.
        curve: Motion along the expression's direction, 0 at the onset, without what
            turns and blinks explain, ``(N,)``, percent of the eye distance.
        height: Of the fitted course in the same unit.
        sure: Height of what turns and blinks cannot imitate.
        noise: What is left of the motion, a standard deviation in the same unit.
    """

    first: int
    last: int
    curve: np.ndarray
    height: float
    sure: float
    noise: float


def locate(
    motion: np.ndarray,
    turn: np.ndarray,
    openness: np.ndarray,
    fps: float,
    onset: int | None = None,
    apex: int | None = None,
) -> Rise:
    """Find the expression that explains most of the motion.

    Args:
        motion: Of the regions ``(N, R)``, percent of the eye distance.
        turn: Of the head ``(N, 2)``, in the same unit.
        openness: Distance of the lids ``(N,)``, in the same unit.
        fps: Frames a second.
        onset, apex: Indices that are known: the rise does not begin before the
            onset, and the apex lies in the hold.

    Returns:
        Rise: In a long clip, that of the part with the largest one.
    """
    motion = _median(motion, fps).astype(np.float64)
    head = nuisances(turn, openness, fps)
    count, length = len(motion), round(_WINDOW * fps)
    pieces = max(1, int(np.ceil(2 * (count - length) / length)) + 1)
    starts = np.linspace(0, max(count - length, 0), pieces).astype(int)
    # Where onset and apex are farther apart than a part is long, it is the whole clip.
    best = -1.0, 0, count, np.array([onset or 0, apex or 1, count, count + fps], float)
    for start in starts.tolist():
        stop = min(start + length, count)
        known = [None if at is None else at - start for at in (onset, apex)]
        if any(at is not None and not 0 <= at < stop - start for at in known):
            continue
        gain, course = _Fit(motion[start:stop], head[start:stop], fps).search(*known)
        if gain > best[0]:
            best = gain, start, stop, course
    _, start, stop, course = best
    fit = _Fit(motion[start:stop], head[start:stop], fps)
    leak, change, sure, noise = fit.solve(course)
    scale = 1 / np.sqrt(len(REGIONS))
    height = float(np.linalg.norm(change))
    direction = change / max(height, 1e-9)
    first, last = (round(at) + start for at in course[:2])
    first = onset if onset is not None else max(first, 0)
    first = min(first, count - 2 if apex is None else apex - 1)
    last = apex if apex is not None else min(max(last, first + 1), count - 1)
    curve = _gaussian((motion - head @ leak) @ direction[:, None], fps)[:, 0] * scale
    curve = curve - curve[first]
    return Rise(first, last, curve, height * scale, float(sure * scale), noise * scale)


def nuisances(turn: np.ndarray, openness: np.ndarray, fps: float) -> np.ndarray:
    """Return what moves regions without an expression, ``(N, 6)``.

    These are turns of the head, their products, and blinks: how far the lids are from
    where they were shortly before and after.
    """
    turn = _gaussian(_median(turn, fps), fps).astype(np.float64)
    turn = turn - np.median(turn, axis=0)
    x, y = turn.T
    lids = openness[:, None]
    blink = (lids - _median(lids, fps, 5 * _SMOOTH))[:, 0]
    products = _PRODUCTS * np.stack([x * x, x * y, y * y])
    return np.stack([x, y, *products, _LIDS * blink], axis=1)


class _Fit:
    """Least squares of one window: a constant, the nuisances, and a course."""

    def __init__(self, motion: np.ndarray, head: np.ndarray, fps: float) -> None:
        self.fps = fps
        self.count, kinds = head.shape
        # Rows that say that the leak of the head is small: a ridge.
        ridge = _SHRINK * np.sqrt(fps) * np.eye(kinds)
        ones = np.ones((self.count, 1))
        self.fixed = np.block([[ones, head], [np.zeros((kinds, 1)), ridge]])
        self.motion = np.pad(motion, ((0, kinds), (0, 0)))
        self.base = np.linalg.qr(self.fixed)[0]
        self.rest = self.motion - self.base @ (self.base.T @ self.motion)

    def search(self, onset: int | None, apex: int | None) -> tuple[float, np.ndarray]:
        """Return the largest gain of all courses, and its course ``(4,)``."""
        courses = self._grid(onset, apex)
        gains = self._gains(courses)
        found: list[tuple[float, np.ndarray]] = []
        for i in np.argsort(-gains):
            near = [abs(courses[i, 0] - other[0]) for _, other in found]
            if min(near, default=np.inf) < _APART * self.fps:
                continue
            found.append((float(gains[i]), courses[i]))
            if len(found) == _STARTS:
                break
        found = [self._refine(*pair, onset, apex) for pair in found]
        return max(found, key=lambda pair: pair[0])

    def solve(self, course: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
        """Return leak ``(K, R)``, change ``(R,)``, sure height and noise."""
        shape = self._shapes(course[None])[0]
        left = shape - self.base @ (self.base.T @ shape)
        change = left @ self.rest / max(left @ left, 1e-9)
        leak = np.linalg.lstsq(
            self.fixed, self.motion - np.outer(shape, change), rcond=None
        )[0][1:]
        noise = (self.rest - np.outer(left, change))[: self.count]
        centred = shape[: self.count] - shape[: self.count].mean()
        power = max(centred @ centred, 1e-9)
        height = np.linalg.norm(change)
        # Either turns take another course, or they are too small for all of it.
        other = height * min(np.sqrt(left @ left / power), 1)
        with_it = np.linalg.norm(centred @ self.fixed[: self.count, 1:]) / power
        beyond = height - _LEAK * np.sqrt(len(REGIONS)) * with_it
        return leak, change, max(other, beyond), np.sqrt((noise**2).sum(1).mean())

    def _grid(self, onset: int | None, apex: int | None) -> np.ndarray:
        """Return courses ``(C, 4)``: where rise and fall begin and end, in frames."""
        last = self.count - 1
        step = max(1, round(_GRID * self.fps))
        rows = []
        for rise, hold in product(_RISES, _HOLDS):
            rise, hold = rise * self.fps, hold * self.fps
            starts = np.arange(-2.0 * step, last, step)
            if apex is not None:
                starts = np.append(starts, apex - rise)
            if onset is not None:
                starts = np.append(starts, onset)
            ends = np.minimum(starts + rise, last if apex is None else apex)
            falls = np.maximum(ends + hold, apex or 0)
            rows.append(
                np.stack([starts, ends, falls, falls + max(rise, 0.5 * self.fps)], 1)
            )
        courses = np.concatenate(rows)
        allowed = courses[self._allowed(courses, onset, apex)]
        if len(allowed):
            return allowed
        first = 0 if onset is None else onset  # too few frames for a rise
        end = last if apex is None else apex
        return np.array([[min(first, end - 1), end, last, last + self.fps]], float)

    def _allowed(
        self, courses: np.ndarray, onset: int | None, apex: int | None
    ) -> np.ndarray:
        a, b, c, d = courses.T
        least = _LEAST * self.fps
        fine = (b - a >= least) & (c >= b) & (d - c >= least)
        # Half of the rise is seen, else a hold and a fall would do for rest and a rise.
        fine &= (a >= -_BEFORE * self.fps) & ((a + b) / 2 >= least)
        fine &= b <= self.count - 1
        if onset is not None:
            fine &= a >= onset
        if apex is not None:
            fine &= (b <= apex) & (c >= apex)
        return fine

    def _refine(
        self, gain: float, course: np.ndarray, onset: int | None, apex: int | None
    ) -> tuple[float, np.ndarray]:
        """Improve a course by ever smaller steps of its four frames."""
        step = max(1, round(_STEP * self.fps))
        moves = np.array(list(product((-1, 0, 1), repeat=4)))
        while True:
            courses = course + step * moves
            courses = courses[self._allowed(courses, onset, apex)]
            gains = self._gains(courses) if len(courses) else np.zeros(0)
            if len(gains) and gains.max() > gain * (1 + 1e-9):
                gain, course = float(gains.max()), courses[gains.argmax()]
            elif step == 1:
                return gain, course
            else:
                step = (step + 1) // 2 if step > 2 else 1

    def _gains(self, courses: np.ndarray) -> np.ndarray:
        """Return by how much courses ``(C, 4)`` lower the sum of squares, ``(C,)``."""
        shapes = self._shapes(courses)
        power = (shapes**2).sum(axis=1)
        left = power - ((shapes @ self.base) ** 2).sum(axis=1)
        gains = ((shapes @ self.rest) ** 2).sum(axis=1) / np.maximum(left, 1e-9)
        return np.where(left > _LEAST_SHARE * power, gains, 0)

    def _shapes(self, courses: np.ndarray) -> np.ndarray:
        """Return courses ``(C, N + K)``, 0 at rest and 1 in the hold."""
        time = np.arange(self.count)
        a, b, c, d = courses.T[:, :, None]
        shapes = _smoothstep((time - a) / (b - a)) * (
            1 - _smoothstep((time - c) / (d - c))
        )
        return np.pad(shapes, ((0, 0), (0, len(self.base) - self.count)))


def _smoothstep(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _median(values: np.ndarray, fps: float, seconds: float = _SMOOTH) -> np.ndarray:
    """Filter columns ``(N, R)`` over time by a running median."""
    length = max(1, round(seconds * fps)) // 2 * 2 + 1
    if length == 1 or len(values) < 2:
        return values
    padded = np.pad(values, ((length // 2,) * 2, (0, 0)), mode='edge')
    # A column at a time: all windows of a long clip at once would be large.
    columns = [
        np.median(np.lib.stride_tricks.sliding_window_view(column, length), axis=1)
        for column in padded.T
    ]
    return np.stack(columns, axis=1)


def _gaussian(values: np.ndarray, fps: float) -> np.ndarray:
    """Filter columns ``(N, R)`` over time by a Gaussian."""
    sigma = _SMOOTH * fps / 3
    size = (1, 2 * int(3 * sigma + 1) + 1)
    return cv2.GaussianBlur(
        np.ascontiguousarray(values, np.float32),
        size,
        sigmaX=1,
        sigmaY=sigma,
        borderType=cv2.BORDER_REPLICATE,
    )
