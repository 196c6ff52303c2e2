"""The head mesh with its morph targets (see NOTICE.md for its origin)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

MESH_FILE = Path(__file__).with_name('head_cc0.npz')

#: How far the open edge below the shoulders is drawn down, in decimetres.
SKIRT = 3.0


@dataclass(frozen=True, eq=False)
class Head:
    """A triangle mesh of head and shoulders, in decimetres.

    The frame is right-handed: +x is the *subject's* left (image right in a
    frontal view), +y up, +z out of the face.

    Attributes:
        vertices: Rest shape ``(V, 3)``.
        triangles: Vertex indices ``(T, 3)``, counter-clockwise from outside.
        part: Name of the part of each triangle ``(T,)``.
        masks: Weights 0 to 1 by name, each ``(V,)``.
        brow_uv: Brow coordinates ``(V, 2)``, along and across; brow where both
            lie within -1 and 1.
        eye_disc: Eye coordinates ``(V, 2)`` in eyeball radii around the optical
            axis; 4 off the eyes.
        landmarks: Vertex index by name.
        targets: Displacement at weight 1 by target name: vertex indices and
            deltas ``(n, 3)``.
        groups: Group of each target by name.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    part: np.ndarray
    masks: Mapping[str, np.ndarray]
    brow_uv: np.ndarray
    eye_disc: np.ndarray
    landmarks: Mapping[str, int]
    targets: Mapping[str, tuple[np.ndarray, np.ndarray]]
    groups: Mapping[str, str]

    def morph(self, weights: Mapping[str, float]) -> np.ndarray:
        """Displace the rest shape by named targets.

        Args:
            weights: Weight by target name; targets add up linearly.

        Returns:
            Vertices ``(V, 3)``.

        Raises:
            ValueError: If a target name is unknown.
        """
        vertices = self.vertices.copy()
        for name, weight in weights.items():
            index, delta = self._target(name)
            vertices[index] += weight * delta
        return vertices

    def basis(self, names: Iterable[str]) -> np.ndarray:
        """Stack targets as dense displacements ``(len(names), V, 3)``."""
        names = list(names)
        basis = np.zeros((len(names), *self.vertices.shape))
        for row, name in zip(basis, names, strict=True):
            index, delta = self._target(name)
            row[index] = delta
        return basis

    def names(self, group: str) -> list[str]:
        """List the targets of one group, in the order of the file."""
        return [name for name, other in self.groups.items() if other == group]

    def _target(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        if name not in self.targets:
            raise ValueError(
                f'morph target is {name!r}; it must be one of the '
                f'{len(self.targets)} names in Head.targets, in the groups '
                f'{sorted(set(self.groups.values()))}'
            )
        return self.targets[name]


@lru_cache(maxsize=1)
def load_head() -> Head:
    """Load the mesh of this package, once for each process.

    The file ends in an open edge below the shoulders; it is drawn straight down
    here, so that a picture of the whole head meets no hole.
    """
    with np.load(MESH_FILE, allow_pickle=False) as file:
        data = {name: file[name] for name in file.files}
    triangles = data['triangles'].astype(np.int64)
    part = data['part_names'][data['part']]
    edge = _open_edge(triangles[part == 'skin'])
    low = {top: len(data['vertices']) + i for i, top in enumerate(edge)}
    skirt = [
        corner
        for a, b in edge.items()
        for corner in ((b, a, low[a]), (b, low[a], low[b]))
    ]
    source = np.concatenate([np.arange(len(data['vertices'])), list(edge)])
    vertices = data['vertices'].astype(np.float64)[source]
    vertices[-len(edge) :, 1] -= SKIRT
    targets, groups = {}, {}
    for i, name in enumerate(data['target_names'].tolist()):
        rows = slice(data['target_offsets'][i], data['target_offsets'][i + 1])
        index = data['target_index'][rows].astype(np.int64)
        delta = data['target_delta'][rows].astype(np.float64)
        below = [(low[v], d) for v, d in zip(index.tolist(), delta) if v in low]
        if below:
            index = np.append(index, [v for v, _ in below])
            delta = np.vstack([delta, [d for _, d in below]])
        targets[name] = index, delta
        groups[name] = str(data['target_group'][i])
    return Head(
        vertices=vertices,
        triangles=np.vstack([triangles, skirt]),
        part=np.append(part, ['skin'] * len(skirt)),
        masks={
            str(name): mask.astype(np.float64)[source]
            for name, mask in zip(data['mask_names'], data['masks'], strict=True)
        },
        brow_uv=data['brow_uv'].astype(np.float64)[source],
        eye_disc=data['eye_disc'].astype(np.float64)[source],
        landmarks={
            str(name): int(index)
            for name, index in zip(
                data['landmark_names'], data['landmark_index'], strict=True
            )
        },
        targets=targets,
        groups=groups,
    )


def _open_edge(triangles: np.ndarray) -> dict[int, int]:
    """Map the start to the end of each directed edge with no opposite."""
    edges = triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    known = set(map(tuple, edges.tolist()))
    return {a: b for a, b in edges.tolist() if (b, a) not in known}
