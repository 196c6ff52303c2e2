"""Light on the fragments of a picture, in linear units."""

from __future__ import annotations

import cv2
import numpy as np

from .nuisance import View
from .raster import Fragments

#: Soft occlusion: radius and greatest depth in decimetres, and strength. A
#: point that lies deeper than its surroundings receives less light (after the
#: unsharp masking of the depth buffer of Luft, Colditz and Deussen 2006).
_OCCLUSION = ((0.05, 0.05, 6.0), (0.18, 0.20, 1.4))


def light(
    normals: np.ndarray,
    albedo: np.ndarray,
    gloss: np.ndarray,
    glint: np.ndarray,
    occlusion: np.ndarray,
    view: View,
) -> np.ndarray:
    """Shade fragments by a lamp, a counter light and the surroundings.

    Args:
        normals: Unit normals ``(P, 3)``.
        albedo: Diffuse albedo ``(P,)``.
        gloss: Strength of the wide highlight ``(P,)``.
        glint: Strength of the sharp highlight ``(P,)``.
        occlusion: Share of the light that arrives ``(P,)``.
        view: Direction and strength of the lights.
    """
    lamp = _unit(np.array([view.light_x, view.light_y, view.light_z]))
    counter = _unit(np.array([-0.6 * lamp[0], 0.1, 0.8]))
    halfway = _unit(lamp + (0, 0, 1))
    key = np.clip((normals @ lamp + 0.15) / 1.15, 0, None)
    fill = np.clip((normals @ counter + 0.3) / 1.3, 0, None)
    sky = 0.5 + 0.5 * normals[:, 1]
    mirror = np.clip(normals @ halfway, 0, None)
    diffuse = view.key * key + view.fill * fill + view.ambient * sky
    highlight = gloss * mirror**24 + glint * mirror**300
    return occlusion * (albedo * diffuse + view.key * highlight)


def occlude(fragments: Fragments, shape: tuple[int, int], scale: float) -> np.ndarray:
    """Estimate the soft occlusion from the depth buffer.

    Args:
        fragments: The visible surface.
        shape: Height and width in pixels.
        scale: Pixels for each decimetre.

    Returns:
        Share of the light that arrives at each fragment ``(P,)``.
    """
    depth = np.full(shape[0] * shape[1], 1 / fragments.nearness.min(initial=0.068))
    depth[fragments.pixel] = 1 / fragments.nearness
    depth = depth.reshape(shape)
    share = np.ones(len(fragments.pixel))
    for radius, limit, strength in _OCCLUSION:
        around = cv2.GaussianBlur(
            depth, (0, 0), radius * scale, borderType=cv2.BORDER_REPLICATE
        )
        deeper = (depth - around).ravel()[fragments.pixel]
        share -= strength * np.clip(deeper, -0.3 * limit, limit)
    return share.clip(0.25, 1.12)


def backdrop(shape: tuple[int, int], view: View) -> np.ndarray:
    """Draw the wall behind the head, ``shape``."""
    rows = np.linspace(-0.5, 0.5, shape[0])[:, None]
    columns = np.linspace(-0.5, 0.5, shape[1])
    return view.background * (1 + view.slope_y * rows + view.slope_x * columns)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)
