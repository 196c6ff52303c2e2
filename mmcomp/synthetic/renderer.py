"""Gray pictures of one head."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import cv2
import numpy as np

from .framing import EyeCrop, Framing
from .hair import curtain
from .head import load_head
from .materials import GAMMA, Paint, blend, smoothstep
from .nuisance import Identity, View
from .raster import Fragments, rasterize
from .shading import backdrop, light, occlude

#: Muscles that move more than the target of their name. The brow targets of the
#: Face Units lower or lift a brow as a whole; MakeHuman's own units tilt it.
COMPOSITES: Mapping[str, Mapping[str, float]] = {
    'browDownLeft': {'browDownLeft': 0.60, 'eyebrows-left-down': 0.45},
    'browDownRight': {'browDownRight': 0.60, 'eyebrows-right-down': 0.45},
    'browInnerUp': {
        'browInnerUp': 1.0,
        'eyebrows-left-inner-up': 0.35,
        'eyebrows-right-inner-up': 0.35,
    },
}

#: Lash opacity: the strips of the mesh are solid.
_LASHES = {'upper': 0.6, 'lower': 0.2}

# Decimetres: the joint of the neck, the camera, a plane seen at unit scale, and
# the heights between which the shoulders' stillness becomes the head's turn.
_NECK = np.array([0.0, 6.35, 0.25])
_CAMERA = np.array([0.0, 7.28, 14.0])
_EYE_PLANE = 1.35
_STIFF, _FREE = 5.75, 6.5


class Renderer:
    """A renderer of pictures of one subject.

    Args:
        identity: The subject.
        oversampling: Samples along each axis of an output pixel.
    """

    def __init__(self, identity: Identity, oversampling: int = 3) -> None:
        self.oversampling = oversampling
        self.paint = Paint(identity.look)
        head = load_head()
        self._neutral = head.morph(identity.shape)
        normals = _normals(self._neutral, head.triangles)
        self._hair_lift = self.paint.thickness[:, None] * normals
        self._eyes = np.array(
            [
                self._neutral[head.triangles[head.part == part]].mean(axis=(0, 1))
                for part in ('eye_right', 'eye_left')
            ]
        )
        self._triangles, self._part = head.triangles, head.part
        self._curtain = np.zeros((0, 3))
        if identity.look.hair_length:
            rng = np.random.default_rng(identity.look.texture)
            self._curtain, strands = curtain(identity.look.hair_length, rng)
            self._triangles = np.vstack([self._triangles, strands + len(head.vertices)])
            self._part = np.append(self._part, ['hair'] * len(strands))
        self._surface = np.vstack(
            [self.paint.vertex, self.paint.hair_vertex(self._curtain)]
        )
        self._lash = np.char.startswith(self._part, 'lash')

    def pose(self, activations: Mapping[str, float]) -> np.ndarray:
        """Move the face, not the head.

        Args:
            activations: Activation 0 to 1 by ARKit name.

        Returns:
            Vertices of ``Head``, with this subject's shape, ``(V, 3)``.
        """
        names, basis = _muscles()
        weights = np.array([activations.get(name, 0.0) for name in names])
        moved = np.flatnonzero(weights)
        return self._neutral + np.tensordot(weights[moved], basis[moved], axes=1)

    def render(
        self,
        activations: Mapping[str, float],
        view: View,
        framing: Framing | None = None,
        rng: np.random.Generator | None = None,
    ) -> np.ndarray:
        """Render one picture.

        Args:
            activations: The expression, 0 to 1 by sided muscle name; the view
                adds the resting face, blink and gaze.
            view: Pose, light and camera.
            framing: Where the head lies; by default a crop of 48 pixels.
            rng: Source of the sensor noise; no noise without it.

        Returns:
            Gray image ``(H, W)``, uint8.
        """
        frame: Framing = framing or EyeCrop()
        activations = _add_view(activations, view)
        face = self.pose(activations)
        opening = lip_opening(face)
        vertices = np.vstack([face + self._hair_lift, self._curtain])
        vertices = _turn(vertices, view)
        matrix = self._matrix(frame, view)
        xy, nearness = _project(vertices)
        xy = xy @ matrix[:, :2].T + matrix[:, 2]

        height, width = frame.shape
        shape = height * self.oversampling, width * self.oversampling
        solid = self._triangles[~self._lash]
        seen = rasterize(xy, nearness, solid, shape)
        part = self._part[~self._lash][seen.triangle]
        normals = _normals(vertices, self._triangles)
        values = seen.interpolate(solid, np.hstack([normals, self._surface]))
        normals = _unit(values[:, :3])
        normals[part == 'hair'] *= np.sign(normals[part == 'hair', 2:])
        albedo, gloss, glint = self.paint.colour(
            part, values[:, 3:], activations, opening
        )
        occlusion = occlude(seen, shape, np.hypot(*matrix[:, 0]))
        image = backdrop(shape, view).ravel()
        image[seen.pixel] = light(normals, albedo, gloss, glint, occlusion, view)
        self._add_lashes(image, xy, nearness, seen, shape)
        return self._develop(image.reshape(shape), view, rng)

    def locate(
        self,
        activations: Mapping[str, float],
        view: View,
        framing: Framing | None = None,
    ) -> dict[str, np.ndarray]:
        """Say where the landmarks of the head lie in the picture of :meth:`render`.

        Args:
            activations, view, framing: As for :meth:`render`.

        Returns:
            dict[str, np.ndarray]: Position ``(2,)`` by name (``Head.landmarks``), in
            pixels whose first has its centre at (0, 0).
        """
        frame: Framing = framing or EyeCrop()
        landmarks = load_head().landmarks
        face = self.pose(_add_view(activations, view))[list(landmarks.values())]
        matrix = self._matrix(frame, view) / self.oversampling
        xy = _project(_turn(face, view))[0] @ matrix[:, :2].T + matrix[:, 2] - 0.5
        return dict(zip(landmarks, xy))

    def _matrix(self, framing: Framing, view: View) -> np.ndarray:
        """Return the similarity ``(2, 3)`` from decimetres, y down, to samples."""
        eyes = _project((self._eyes - _NECK) @ _rotation(view).T + _NECK)[0]
        return framing.matrix(eyes, view) * self.oversampling

    def _add_lashes(
        self,
        image: np.ndarray,
        xy: np.ndarray,
        nearness: np.ndarray,
        seen: Fragments,
        shape: tuple[int, int],
    ) -> None:
        depth = np.zeros(image.size)
        depth[seen.pixel] = seen.nearness
        lashes = rasterize(xy, nearness, self._triangles[self._lash], shape)
        lashes = lashes.select(lashes.nearness > depth[lashes.pixel])
        part = self._part[self._lash][lashes.triangle]
        upper = np.char.startswith(part, 'lash_upper')
        alpha = np.where(upper, _LASHES['upper'], _LASHES['lower'])
        image[lashes.pixel] = blend(image[lashes.pixel], 0.005, alpha)

    def _develop(
        self, image: np.ndarray, view: View, rng: np.random.Generator | None
    ) -> np.ndarray:
        """Convert linear light to an 8-bit picture."""
        over = self.oversampling
        image = np.clip(image, 0, 1) ** (1 / GAMMA)
        image = cv2.GaussianBlur(
            image, (0, 0), view.blur * over, borderType=cv2.BORDER_REPLICATE
        )
        height, width = (side // over for side in image.shape)
        image = image.reshape(height, over, width, over).mean(axis=(1, 3))
        image = (image * view.exposure - 0.5) * view.gain + 0.5
        image = np.clip(image, 0, 1) ** view.gamma
        if rng is not None:
            image = image + rng.normal(0, view.noise, image.shape)
        return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def lip_opening(face: np.ndarray) -> float:
    """Measure how far the lips are apart in the middle, in decimetres."""
    upper, lower = (
        load_head().landmarks[f'lip_seam_{lip}'] for lip in ('upper', 'lower')
    )
    return float(face[upper, 1] - face[lower, 1])


@lru_cache(maxsize=1)
def _muscles() -> tuple[tuple[str, ...], np.ndarray]:
    """Return the names of all muscles and their displacements ``(M, V, 3)``."""
    head = load_head()
    names = tuple(head.names('expression'))
    basis = head.basis(names)
    for muscle, parts in COMPOSITES.items():
        weights = np.array(list(parts.values()))
        basis[names.index(muscle)] = np.tensordot(weights, head.basis(parts), axes=1)
    return names, basis


def _add_view(activations: Mapping[str, float], view: View) -> dict[str, float]:
    total = dict(activations)
    right, up = max(-view.gaze_x, 0.0), max(view.gaze_y, 0.0)
    left, down = max(view.gaze_x, 0.0), max(-view.gaze_y, 0.0)
    extra = {
        **view.rest,
        'eyeLookOutLeft': left,
        'eyeLookInRight': left,
        'eyeLookOutRight': right,
        'eyeLookInLeft': right,
    }
    for side in ('Left', 'Right'):
        extra |= {
            f'eyeBlink{side}': view.blink,
            f'eyeLookUp{side}': up,
            f'eyeLookDown{side}': down,
        }
    for name, amount in extra.items():
        total[name] = min(total.get(name, 0.0) + amount, 1.0)
    return total


def _turn(vertices: np.ndarray, view: View) -> np.ndarray:
    """Turn the head; the shoulders stay."""
    turned = (vertices - _NECK) @ _rotation(view).T + _NECK
    return blend(vertices, turned, smoothstep(vertices[:, 1:2], _STIFF, _FREE))


def _rotation(view: View) -> np.ndarray:
    pitch, yaw, roll = np.deg2rad([view.pitch, view.yaw, view.roll])
    turn = np.eye(3)
    for angle, (i, j) in ((yaw, (2, 0)), (pitch, (1, 2)), (roll, (0, 1))):
        step = np.eye(3)
        step[[i, j], [i, j]] = np.cos(angle)
        step[i, j], step[j, i] = -np.sin(angle), np.sin(angle)
        turn = step @ turn
    return turn


def _project(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Project points to the image plane, y down, and their nearness."""
    nearness = 1 / (_CAMERA[2] - points[:, 2])
    scale = (_CAMERA[2] - _EYE_PLANE) * nearness
    xy = (points[:, :2] - _CAMERA[:2]) * scale[:, None] * (1, -1)
    return xy, nearness


def _normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Average the triangles' normals at the vertices, weighted by area."""
    a, b, c = vertices[triangles.T]
    flat = np.cross(b - a, c - a)
    corners = triangles.ravel()
    total = [np.bincount(corners, np.repeat(n, 3), len(vertices)) for n in flat.T]
    return _unit(np.stack(total, axis=1))


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    return vectors / np.maximum(length, 1e-12)
