"""What fitted models consist of: features of pairs, and a classifier of features."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

#: What fitted buffers may hold: any other value in a checkpoint is not from a fit.
DTYPES = (torch.float32, torch.float64, torch.int64)
LARGEST = 1e15


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


class Fitted(nn.Module):
    """Base of modules whose state is found at once, and not by gradient.

    All that fitting finds is kept in buffers, so a checkpoint is tensors. They are
    empty until then, and take the sizes of those that are loaded.
    """

    #: Names of the buffers, and their number of dimensions.
    fitted_buffers: ClassVar[Mapping[str, int]]

    def __init__(self) -> None:
        super().__init__()
        for name, ndim in self.fitted_buffers.items():
            self.register_buffer(name, torch.zeros((0,) * ndim))

    @property
    def is_fitted(self) -> bool:
        """Whether it was fitted, or fitted buffers were loaded."""
        return all(getattr(self, name).numel() for name in self.fitted_buffers)

    def check_buffers(self) -> None:
        """Check loaded buffers, which may be those of a stranger.

        What they must have in common is for :meth:`check_together`.

        Raises:
            ValueError: If a buffer cannot be used.
        """
        for name, ndim in self.fitted_buffers.items():
            value = getattr(self, name)
            if value.ndim != ndim:
                raise ValueError(
                    f'number of dimensions of {name} is {value.ndim}; it must be {ndim}'
                )
            if value.dtype not in DTYPES:
                raise ValueError(
                    f'type of {name} is {value.dtype}; it must be one of '
                    f'{", ".join(map(str, DTYPES))}'
                )
            if value.is_floating_point() and not (value.abs() <= LARGEST).all():
                raise ValueError(
                    f'{name} holds values that are not between -{LARGEST:g} and '
                    f'{LARGEST:g}'
                )
        sized = [name for name, ndim in self.fitted_buffers.items() if ndim]
        empty = [name for name in sized if not getattr(self, name).numel()]
        if empty and empty != sized:
            raise ValueError(f'{", ".join(empty)} must not be empty, as others are not')
        if self.is_fitted:
            self.check_together()

    def check_together(self) -> None:
        """Check what ``forward`` relies on: sizes that agree, the range of indices.

        Called by :meth:`check_buffers` once each buffer by itself can be used.

        Raises:
            ValueError: If buffers do not fit together.
        """

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *args: Any
    ) -> None:
        for name in self.fitted_buffers:
            found = state_dict.get(prefix + name)
            if found is not None:
                device = getattr(self, name).device
                setattr(self, name, torch.empty_like(found, device=device))
        super()._load_from_state_dict(state_dict, prefix, *args)


class TrainingMean(Fitted):
    """Features of pairs that cannot be described: the mean of the training pairs."""

    fitted_buffers: ClassVar[Mapping[str, int]] = {'mean': 1}
    mean: Tensor

    def fit(self, features: np.ndarray) -> None:
        """Find the mean of features ``(N, F)``, all finite."""
        self.mean = torch.from_numpy(features.mean(0, dtype=np.float64)).float()

    def forward(self, features: Tensor) -> Tensor:
        """Replace each row of ``(N, F)`` that is not finite.

        Raises:
            ValueError: If there were another number of features in training.
        """
        if features.shape[1] != len(self.mean):
            raise ValueError(
                f'number of features is {features.shape[1]}; it must be '
                f'{len(self.mean)}, as in training'
            )
        known = features.isfinite().all(1, keepdim=True)
        return torch.where(known, features, self.mean)


class FittedClassifier(Fitted):
    """Base of classifiers that are fitted to features at once.

    Args:
        num_classes (int): Number of classes.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        if num_classes < 2:
            raise ValueError(f'num_classes is {num_classes}; it must be at least 2')
        self.num_classes = num_classes

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
