"""PairDataPreprocessor: turn the pairs of a batch into the network's input."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseDataPreprocessor
from mmpretrain.models.utils.batch_augments import RandomBatchAugment

from mmcomp.registry import MODELS

STANDARDIZE = ('image', 'pair', None)


def standardize(pairs: torch.Tensor, over: str, eps: float = 1.0) -> torch.Tensor:
    """Give images mean 0 and standard deviation 1.

    Args:
        pairs (Tensor): ``(B, 2, C, H, W)``, gray levels.
        over (str): 'image' to use the statistics of each image, which removes exposure
            and gain; 'pair' to use those of both images of a pair together.
        eps (float): Added to the standard deviation, in gray levels, so that a flat
            image stays flat.

    Returns:
        Tensor: Of the same shape.
    """
    dims = (2, 3, 4) if over == 'image' else (1, 2, 3, 4)
    mean = pairs.mean(dims, keepdim=True)
    std = pairs.std(dims, keepdim=True, unbiased=False)
    return (pairs - mean) / (std + eps)


@MODELS.register_module()
class PairDataPreprocessor(BaseDataPreprocessor):
    """Stack, convert and normalise pairs, on the device of the network.

    The order of samples, of the two images and of the channels is the same for any
    batch size and for both ways of collating.

    Args:
        mean (Sequence[float], optional): Mean of each channel, in gray levels, in the
            order of the output's channels.
        std (Sequence[float], optional): Standard deviation of each channel.
        standardize (str, optional): 'image' or 'pair' instead of ``mean`` and ``std``;
            see :func:`standardize`.
        to_rgb (bool): Exchange BGR and RGB. Defaults to False.
        augment (dict, optional): :class:`PairAugment`: augments batches for training,
            crops their centre otherwise, before they are normalised.
        num_classes (int, optional): Needed by ``batch_augments``.
        batch_augments (dict, optional): MMPretrain's Mixup or CutMix for training; see
            :class:`mmpretrain.models.RandomBatchAugment`.
    """

    mean: torch.Tensor | None
    std: torch.Tensor | None

    def __init__(
        self,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        standardize: str | None = None,
        to_rgb: bool = False,
        augment: dict | None = None,
        num_classes: int | None = None,
        batch_augments: dict | None = None,
    ) -> None:
        super().__init__()
        if (mean is None) != (std is None):
            raise ValueError(f'mean is {mean} and std is {std}; give both or neither')
        if mean is not None and std is not None and len(mean) != len(std):
            raise ValueError(
                f'mean is {mean} and std is {std}; they must have the same length'
            )
        if std is not None and min(std) <= 0:
            raise ValueError(f'std is {std}; it must be above 0')
        if standardize not in STANDARDIZE:
            raise ValueError(
                f'standardize is {standardize!r}; it must be one of '
                f'{", ".join(map(repr, STANDARDIZE))}'
            )
        if mean is not None and standardize is not None:
            raise ValueError(
                f'standardize is {standardize!r}; it must be None if mean and std are '
                'given'
            )
        if batch_augments and num_classes is None:
            raise ValueError('num_classes is None; batch_augments needs it')
        self.augment = MODELS.build(augment) if isinstance(augment, dict) else augment
        #: Whether pairs that are tested stay whole and in gray levels, for a model that
        #: crops and normalises a part of them by :meth:`prepare`.
        self.whole = False
        self.standardize = standardize
        self.to_rgb = to_rgb
        self.num_classes = num_classes
        self.batch_augments = (
            RandomBatchAugment(**batch_augments) if batch_augments else None
        )
        for name, value in (('mean', mean), ('std', std)):
            buffer = None
            if value is not None:
                buffer = torch.tensor(value, dtype=torch.float32).view(-1, 1, 1)
            self.register_buffer(name, buffer, persistent=False)

    def normalize(self, pairs: torch.Tensor) -> torch.Tensor:
        """Normalise a batch of pairs.

        Args:
            pairs (Tensor): ``(B, 2, C, H, W)``, uint8 or float, in gray levels.

        Returns:
            Tensor: ``(B, 2, C, H, W)``, float32.
        """
        pairs = pairs.float()
        if self.to_rgb:
            pairs = pairs.flip(2)
        if self.mean is not None and self.std is not None:
            if len(self.mean) not in (1, pairs.shape[2]):
                raise ValueError(
                    f'number of values of mean and std is {len(self.mean)}; it must be '
                    f'1 or the number of channels, {pairs.shape[2]}'
                )
            pairs = (pairs - self.mean) / self.std
        elif self.standardize:
            pairs = standardize(pairs, self.standardize)
        return pairs

    def prepare(self, pairs: torch.Tensor, training: bool = False) -> torch.Tensor:
        """Augment a batch of pairs, or crop their centre, and normalise them.

        Args:
            pairs (Tensor): ``(B, 2, C, H, W)``, uint8 or float, in gray levels.
            training (bool): Whether to augment.

        Returns:
            Tensor: ``(B, 2, C, h, w)``, float32.
        """
        if self.augment is not None:
            pairs = self.augment(pairs.float(), training)
        return self.normalize(pairs)

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare a batch; see :meth:`prepare`.

        Args:
            data (dict): ``inputs``, a tensor ``(B, 2, C, H, W)`` or a list of tensors
                ``(2, C, H, W)``, and optional ``data_samples``.
            training (bool): Whether to augment.

        Returns:
            dict: ``inputs`` ``(B, 2, C, H, W)`` and ``data_samples``.

        Raises:
            ValueError: If the input has another shape.
        """
        inputs = self._stack(self.cast_data(data['inputs']))
        as_it_is = self.whole and not training
        inputs = inputs.float() if as_it_is else self.prepare(inputs, training)
        samples = data.get('data_samples')
        if samples is not None:
            samples = self.cast_data(samples)
            if training and self.batch_augments is not None:
                labels = torch.cat([sample.gt_label for sample in samples])
                scores = F.one_hot(labels, self.num_classes or -1)
                # Both images as channels of one, so that CutMix cuts them alike.
                mixed, scores = self.batch_augments(inputs.flatten(1, 2), scores)
                inputs = mixed.view_as(inputs)
                for sample, score in zip(samples, scores):
                    sample.set_gt_score(score)
        return dict(inputs=inputs, data_samples=samples)

    def _stack(self, inputs: torch.Tensor | list[torch.Tensor]) -> torch.Tensor:
        if not isinstance(inputs, torch.Tensor):
            shapes = {tuple(pair.shape) for pair in inputs}
            if len(shapes) > 1:
                raise ValueError(
                    f'shapes of the pairs of one batch are {sorted(shapes)}; they must '
                    'be the same: crop or resize them to one size'
                )
            inputs = torch.stack(list(inputs))
        if inputs.ndim != 5 or inputs.shape[1] != 2:
            raise ValueError(
                f'shape of the inputs is {tuple(inputs.shape)}; it must be '
                '(B, 2, C, H, W), as PackPairInputs returns it'
            )
        return inputs


def build_preprocessor(options: dict | BaseDataPreprocessor | None) -> Any:
    """Return a preprocessor: :class:`PairDataPreprocessor` unless a type is given."""
    if options is not None and not isinstance(options, dict):
        return options
    return MODELS.build({'type': 'mmcomp.PairDataPreprocessor', **(options or {})})
