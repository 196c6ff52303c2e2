"""Long hair: a curtain around the back and the sides of the head."""

from __future__ import annotations

import numpy as np

#: Half axes to the side and to the back, and height of the upper rim, in
#: decimetres; the curtain leaves the face free within this azimuth in degrees.
_SIDE, _BACK, _TOP, _FREE = 0.98, 0.95, 8.05, 70.0
_CENTRE_Z = 0.25
_COLUMNS, _ROWS = 72, 16


def curtain(length: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Build a two-sided sheet of hair.

    Args:
        length: Height of the lower rim in decimetres.
        rng: Source of chance for the waves.

    Returns:
        Vertices ``(n, 3)`` and triangles ``(m, 3)``.
    """
    down, round_ = np.meshgrid(
        np.linspace(0, 1, _ROWS), np.linspace(-1, 1, _COLUMNS), indexing='ij'
    )
    azimuth = np.pi + round_ * np.deg2rad(180 - _FREE)
    y = _TOP - down * (_TOP - length)
    # Tucked under the short hair on top, full at the ears, falling inwards.
    radius = 0.72 + 0.28 * np.sin(np.pi / 2 * np.clip(4 * (_TOP - y) / 2.4, 0, 1))
    radius -= 0.10 * np.clip((7.0 - y) / 0.8, 0, 1)
    waves = rng.uniform(0, 2 * np.pi, 3)
    radius += 0.012 * np.sin(19 * azimuth + waves[0] + 2 * np.sin(4 * y + waves[1]))
    y = y + 0.06 * down * np.sin(11 * azimuth + waves[2])
    vertices = np.stack(
        [
            _SIDE * radius * np.sin(azimuth),
            y,
            _CENTRE_Z + _BACK * radius * np.cos(azimuth),
        ],
        axis=-1,
    ).reshape(-1, 3)
    index = np.arange(_ROWS * _COLUMNS).reshape(_ROWS, _COLUMNS)
    a, b, c, d = (
        part.ravel()
        for part in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:])
    )
    front = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])
    return vertices, np.concatenate([front, front[:, ::-1]])
