"""Albedo of the surfaces of one head: skin, brows, hair, eyes, mouth, clothes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise

import numpy as np

from .head import load_head
from .nuisance import Look

#: Exponent from display gray to linear light.
GAMMA = 2.2

#: Folds that appear with an expression: muscles that make them, and lines in
#: the rest shape as (abs(x), y) in decimetres. Our choice, by eye.
CREASES: tuple[tuple[tuple[str, ...], float, tuple[tuple[float, ...], ...]], ...] = (
    (
        ('browOuterUp', 'browInnerUp'),
        0.30,
        (
            (0.00, 7.70, 0.20, 7.71, 0.42, 7.68),
            (0.00, 7.78, 0.20, 7.79, 0.40, 7.76),
            (0.02, 7.87, 0.30, 7.87),
        ),
    ),
    (('browDown',), 0.30, ((0.055, 7.42, 0.045, 7.55),)),
    (
        ('noseSneer',),
        0.30,
        ((0.03, 7.25, 0.11, 7.19), (0.03, 7.20, 0.12, 7.13)),
    ),
    (
        ('cheekSquint',),
        0.35,
        (
            (0.54, 7.31, 0.64, 7.37),
            (0.55, 7.28, 0.66, 7.28),
            (0.54, 7.25, 0.64, 7.20),
            (0.20, 7.19, 0.32, 7.15, 0.46, 7.18),
        ),
    ),
    (
        ('mouthSmile', 'mouthUpperUp', 'noseSneer'),
        0.35,
        ((0.18, 6.95, 0.27, 6.84, 0.33, 6.70, 0.34, 6.62),),
    ),
)
_CREASE_WIDTH = 0.016
_GRID = 0.01
_LOW = np.array([0.0, 6.4])
_CELLS = (90, 170)


def smoothstep(x: np.ndarray | float, low: float, high: float) -> np.ndarray:
    """Rise smoothly from 0 at ``low`` to 1 at ``high``."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def blend(
    base: np.ndarray | float, top: np.ndarray | float, alpha: np.ndarray
) -> np.ndarray:
    """Cover ``base`` with ``top`` with opacity ``alpha``."""
    return base + alpha * (top - base)


class Paint:
    """The colours of one subject's fragments.

    Args:
        look: The subject's surface.

    Attributes:
        vertex: What is interpolated over the mesh ``(V, 10)``: albedo, gloss,
            scalp, brow and eye coordinates, rest shape.
        thickness: How far hair lifts the surface off the skull, in decimetres
            ``(V,)``.
    """

    def __init__(self, look: Look) -> None:
        head = load_head()
        self.look = look
        rng = np.random.default_rng(look.texture)
        self.phases = rng.uniform(0, 2 * np.pi, 5)
        self.hair = look.hair**GAMMA
        x, y = head.vertices.T[:2]
        masks = head.masks
        blotches = sum(
            np.cos(head.vertices @ rng.normal(0, 3.6 / length, 3) + phase)
            for length in (1.2, 0.5, 0.22)
            for phase in rng.uniform(0, 2 * np.pi, 6)
        )
        skin = look.tone**GAMMA * (1 + look.mottle * blotches / 2)
        skin *= 1 - look.lips * masks['lips']
        skin *= 1 - 0.12 * masks['eyelids']
        beard = smoothstep(-y, -6.88, -6.60) * smoothstep(y, 6.0, 6.3)
        skin *= 1 - look.stubble * beard * masks['face'] * (1 - masks['lips'])
        skin *= 1 - 0.9 * smoothstep(masks['mouth_inside'], 0.3, 0.8)
        cloth = smoothstep(0.25 * np.abs(x) - y, -5.92, -5.88)
        skin = blend(skin, look.cloth**GAMMA, cloth)
        scalp = masks['scalp'] + look.hairline
        self.thickness = look.hair_volume * smoothstep(scalp, 0.35, 1.0)
        gloss = 0.06 * (1 - cloth)
        self.vertex = np.column_stack(
            [skin, gloss, scalp, head.brow_uv, head.eye_disc, head.vertices]
        )

    def hair_vertex(self, vertices: np.ndarray) -> np.ndarray:
        """Return ``vertex`` for points of long hair ``(n, 3)``."""
        columns = np.zeros((len(vertices), self.vertex.shape[1] - 3))
        columns[:, 0] = self.hair
        return np.hstack([columns, vertices])

    def colour(
        self,
        part: np.ndarray,
        values: np.ndarray,
        activations: Mapping[str, float],
        opening: float,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Find albedo, gloss and glint of each fragment.

        Args:
            part: Part names ``(P,)``.
            values: ``vertex`` interpolated to ``(P, K)``.
            activations: What the face does; folds deepen with it.
            opening: Distance between the lips in decimetres.

        Returns:
            Three arrays ``(P,)``, linear.
        """
        albedo, gloss, scalp, along, across, eye_x, eye_y = values[:, :7].T
        rest = values[:, 7:]
        skin = part == 'skin'
        albedo = albedo * (1 - skin * self._creases(rest, activations))
        albedo = blend(albedo, self.hair, skin * self._brow(along, across))
        strands = self._strands(rest)
        hair = np.where(
            skin, smoothstep(scalp + 0.05 * strands, 0.40, 0.60), part == 'hair'
        )
        albedo = blend(albedo, self.hair * (1 + 0.3 * strands), hair)
        gloss = gloss * (1 - hair)
        # Whatever shows of the mouth while the lips touch is a gap of the mesh.
        lit = smoothstep(opening, 0.01, 0.07)
        front = 1 - 0.8 * smoothstep(np.abs(rest[:, 0]), 0.06, 0.20)
        teeth = np.char.startswith(part, 'teeth')
        albedo = np.where(teeth, 0.02 + 0.45 * lit * front, albedo)
        albedo = np.where(part == 'tongue', 0.02 + 0.08 * lit, albedo)
        eye = np.char.startswith(part, 'eye')
        albedo = np.where(eye, self._eye(np.hypot(eye_x, eye_y)), albedo)
        return albedo, gloss, 0.6 * eye

    def _brow(self, along: np.ndarray, across: np.ndarray) -> np.ndarray:
        fibre = np.sin(34 * along + 5 * across + self.phases[0])
        fibre *= np.sin(13 * along + self.phases[1])
        middle = np.abs(across / self.look.brow_width) + 0.12 * fibre
        end = np.abs(along / self.look.brow_length)
        shape = (1 - smoothstep(middle, 0.55, 1.25)) * (1 - smoothstep(end, 0.75, 1.05))
        return self.look.brow * shape

    def _strands(self, rest: np.ndarray) -> np.ndarray:
        x, y, z = rest.T
        azimuth = np.arctan2(x, z - 0.1)
        fine = np.sin(60 * azimuth + 6 * np.sin(5 * y + self.phases[2]))
        return fine * np.sin(23 * azimuth + 4 * y + self.phases[3])

    def _eye(self, radius: np.ndarray) -> np.ndarray:
        white = 0.62 - 0.25 * smoothstep(radius, 0.5, 1.0)
        iris = self.look.iris**GAMMA * (1 - 0.5 * smoothstep(radius, 0.33, 0.45))
        eye = blend(iris, white, smoothstep(radius, 0.42, 0.48))
        return blend(0.004, eye, smoothstep(radius, 0.16, 0.21))

    def _creases(
        self, rest: np.ndarray, activations: Mapping[str, float]
    ) -> np.ndarray:
        cell = np.rint((np.abs(rest[:, :2]) - _LOW) / _GRID).astype(np.int64)
        on = (cell >= 0).all(axis=1) & (cell < _CELLS).all(axis=1)
        on &= rest[:, 2] > 0.8
        cell = cell[on]
        lines = _crease_maps()[:, cell[:, 0], cell[:, 1]]
        left = rest[on, 0] > 0
        dark = np.zeros(len(rest))
        for (muscles, depth, _), line in zip(CREASES, lines, strict=True):
            by_side = [
                max(
                    activations.get(name, activations.get(name + side, 0.0))
                    for name in muscles
                )
                for side in ('Right', 'Left')
            ]
            dark[on] += depth * line * np.where(left, by_side[1], by_side[0])
        return self.look.crease * dark


@lru_cache(maxsize=1)
def _crease_maps() -> np.ndarray:
    """Draw the folds once, ``(len(CREASES), *_CELLS)``."""
    grid = np.stack([*np.indices(_CELLS)], axis=-1) * _GRID + _LOW
    maps = np.zeros((len(CREASES), *_CELLS))
    for plane, (_, _, lines) in zip(maps, CREASES, strict=True):
        for line in lines:
            points = np.array(line).reshape(-1, 2)
            for start, end in pairwise(points):
                side = end - start
                t = np.clip((grid - start) @ side / (side @ side), 0, 1)
                gap = np.linalg.norm(grid - start - t[..., None] * side, axis=-1)
                np.maximum(plane, np.exp(-((gap / _CREASE_WIDTH) ** 2)), out=plane)
    return maps
