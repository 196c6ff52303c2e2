"""A software rasteriser: triangles to fragments with a depth test, in numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Steps of one pixel to which vertices snap. Edge functions of snapped vertices
#: are exact in float64, so that neighbouring triangles leave no hole and the
#: last bit of the projection cannot change the coverage.
SNAP = 1024
#: Steps of one inverse decimetre to which depths snap, for the same reason.
SNAP_DEPTH = 2**30


@dataclass(frozen=True, eq=False)
class Fragments:
    """The visible surface points of a picture, at most one for each pixel.

    Attributes:
        pixel: Row-major pixel index ``(P,)``, ascending.
        triangle: Row of the triangle list ``(P,)``.
        weights: Perspective-correct barycentric weights ``(P, 3)``.
        nearness: Inverse distance to the camera plane ``(P,)``.
    """

    pixel: np.ndarray
    triangle: np.ndarray
    weights: np.ndarray
    nearness: np.ndarray

    def interpolate(self, triangles: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Interpolate vertex ``values (V, K)`` to ``(P, K)``."""
        a, b, c = triangles[self.triangle].T
        result = values[a] * self.weights[:, :1]
        result += values[b] * self.weights[:, 1:2]
        result += values[c] * self.weights[:, 2:]
        return result

    def select(self, keep: np.ndarray) -> Fragments:
        """Return the fragments where ``keep (P,)`` is true."""
        return Fragments(
            self.pixel[keep],
            self.triangle[keep],
            self.weights[keep],
            self.nearness[keep],
        )


def rasterize(
    xy: np.ndarray,
    nearness: np.ndarray,
    triangles: np.ndarray,
    shape: tuple[int, int],
) -> Fragments:
    """Find the front-most triangle at each pixel centre.

    Triangles that face away (clockwise in the right-handed frame of the mesh)
    are culled. Where two surfaces are equally near, the later triangle wins.

    Args:
        xy: Screen positions ``(V, 2)`` in pixels, y down; pixel (0, 0) has its
            centre at (0.5, 0.5).
        nearness: Inverse distances to the camera plane ``(V,)``.
        triangles: Vertex indices ``(T, 3)``.
        shape: Height and width in pixels.
    """
    height, width = shape
    corners = (np.rint(xy * SNAP) / SNAP)[triangles]
    nearness = np.rint(nearness * SNAP_DEPTH) / SNAP_DEPTH
    low = np.ceil(corners.min(axis=1) - 0.5).clip(0).astype(np.int64)
    high = np.floor(corners.max(axis=1) - 0.5)
    high = np.minimum(high, (width - 1, height - 1)).astype(np.int64)
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    area = _cross(c - a, b - a)
    span = np.maximum(high - low + 1, 0)
    shown = np.flatnonzero((area > 0) & (span.prod(axis=1) > 0))
    a, b, c, low, span = a[shown], b[shown], c[shown], low[shown], span[shown]

    # One candidate for each pixel in the bounding box of each triangle.
    counts = span.prod(axis=1)
    item = np.repeat(np.arange(len(shown)), counts)
    step = np.arange(len(item)) - np.repeat(np.cumsum(counts) - counts, counts)
    row, column = np.divmod(step, span[item, 0])
    column += low[item, 0]
    row += low[item, 1]

    # The edge functions are linear: twice the area opposite to each corner.
    x, y = column + 0.5, row + 0.5
    first, second = _edge(b, c)[item], _edge(c, a)[item]
    opposite_a = first[:, 0] * x + first[:, 1] * y + first[:, 2]
    opposite_b = second[:, 0] * x + second[:, 1] * y + second[:, 2]
    opposite_c = area[shown][item] - opposite_a - opposite_b
    inside = (opposite_a >= 0) & (opposite_b >= 0) & (opposite_c >= 0)

    triangle = shown[item[inside]]
    pixel = (row * width + column)[inside]
    weights = np.stack([opposite_a, opposite_b, opposite_c], axis=1)[inside]
    weights *= nearness[triangles[triangle]] / area[triangle, None]
    near = weights.sum(axis=1)

    nearest = np.zeros(height * width)
    np.maximum.at(nearest, pixel, near)
    front = np.flatnonzero(near == nearest[pixel])
    winner = np.full(height * width, -1)
    winner[pixel[front]] = front
    pixel = np.flatnonzero(winner >= 0)
    winner = winner[pixel]
    return Fragments(
        pixel, triangle[winner], weights[winner] / near[winner, None], near[winner]
    )


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]


def _edge(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return coefficients ``(T, 3)`` of x, y and 1, positive inside the triangle."""
    x, y = (end - start).T
    return np.stack([y, -x, x * start[:, 1] - y * start[:, 0]], axis=1)
