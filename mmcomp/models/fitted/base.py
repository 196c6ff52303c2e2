"""What fitted models consist of: features of pairs, and a classifier of features."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn


class PairFeatures:
    """Base of features of pairs of aligned gray images.

    Each image is described by itself, so that a description can be kept; two of them
    are compared.
    """

    #: Whether the onset matters; where it does not, it need not be described.
    uses_onset: bool = True

    def __call__(self, onset: np.ndarray, apex: np.ndarray) -> np.ndarray:
        """Return features ``(N, F)`` of pairs of images, each ``(N, H, W)``, uint8.

        A row has NaN where an image that matters cannot be described.
        """
        described = self.describe(apex)
        return self.compare(
            self.describe(onset) if self.uses_onset else described, described
        )

    def cache_beside(self, table: str | Path) -> None:
        """Use the descriptions in files next to a table, where they are.

        Descriptions that take no time are not kept: this is then without effect.
        """

    def fill_cache(self, onset: np.ndarray, apex: np.ndarray) -> None:
        """Describe all images of a table, and keep that beside it.

        Only what is missing is computed, on all cores, with a progress bar. A second
        process waits for the first. Needs :meth:`cache_beside` before.

        Args:
            onset, apex (np.ndarray): ``(N, H, W)``, uint8.
        """

    def describe(self, images: np.ndarray) -> np.ndarray:
        """Describe images.

        Args:
            images (np.ndarray): ``(N, H, W)``, uint8, aligned by the eyes
                (:data:`mmcomp.faces.alignment.EYES`).

        Returns:
            np.ndarray: ``(N, D)``, float32; a row of NaN for a face that cannot be
            described.
        """
        raise NotImplementedError

    def compare(self, onset: np.ndarray, apex: np.ndarray) -> np.ndarray:
        """Compare descriptions ``(N, D)`` of onsets and apexes; ``(N, F)``."""
        return apex - onset


class FittedClassifier(nn.Module):
    """Base of classifiers that are fitted to features at once.

    All that fitting finds is kept in buffers, so a checkpoint is tensors. They are
    empty until then, and take the sizes of those that are loaded.

    Args:
        num_classes (int): Number of classes.
    """

    #: Names of the buffers, and their number of dimensions.
    fitted_buffers: ClassVar[Mapping[str, int]]

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        if num_classes < 2:
            raise ValueError(f'num_classes is {num_classes}; it must be at least 2')
        self.num_classes = num_classes
        for name, ndim in self.fitted_buffers.items():
            self.register_buffer(name, torch.zeros((0,) * ndim))

    def fit(
        self,
        features: np.ndarray,
        labels: np.ndarray,
        subjects: Sequence[str],
        columns: Mapping[str, Sequence[str]],
    ) -> None:
        """Fit to training pairs.

        Random choices use PyTorch's global generator, which the run has seeded.

        Args:
            features (np.ndarray): ``(N, F)``, finite.
            labels (np.ndarray): ``(N,)``, class indices.
            subjects (Sequence[str]): Of the N pairs, for choices by subject.
            columns (Mapping[str, Sequence[str]]): Further columns of the pair table,
                such as 'emotion': known in training, never in testing.

        Raises:
            ValueError: If the pairs do not suffice.
        """
        raise NotImplementedError

    def forward(self, features: Tensor) -> Tensor:
        """Return scores before the softmax, ``(N, num_classes)``, of ``(N, F)``."""
        raise NotImplementedError

    @property
    def is_fitted(self) -> bool:
        """Whether :meth:`fit` was called, or fitted buffers were loaded."""
        return all(getattr(self, name).numel() for name in self.fitted_buffers)
