"""DeployedNetwork: a classifier as one function from gray levels to scores."""

from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmcomp.compat import config_of
from mmcomp.config import alignment_of
from mmcomp.models.inspect import check_fitted


class DeployedNetwork(nn.Module):
    """Map gray levels to scores: normalisation, network, SVM, softmax.

    It is always in evaluation mode, and so is ``model`` from then on: an exported
    program cannot change modes.

    Args:
        model (BaseModel): A :class:`PairClassifier`, :class:`FittedPairClassifier` or
            :class:`StackingClassifier`.

    Raises:
        ValueError: If it, or the SVM of a stack, is not fitted.
    """

    model: Any

    def __init__(self, model: BaseModel) -> None:
        super().__init__()
        check_fitted(model)
        self.model = model
        self.train(False)

    def train(self, mode: bool = True) -> 'DeployedNetwork':
        """Stay in evaluation mode, whatever ``mode`` is."""
        return super().train(False)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """``(C, H, W)`` of the images that the network itself takes."""
        if self._whole:
            size = alignment_of(config_of(self.model))['size']
            return 1, size, size
        members = getattr(self.model, 'copies', None)
        first = next(iter(members[0].values())) if members is not None else self.model
        return first.backbone.input_shape

    def forward(self, pairs: Tensor) -> Tensor:
        """Return the scores of pairs.

        Args:
            pairs (Tensor): ``(B, 2, *input_shape)``, cropped, onset first, gray levels
                0 to 255, uint8 or float.

        Returns:
            Tensor: ``(B, num_classes)``, summing to 1.
        """
        inputs = pairs.to(torch.float32)
        if not self._whole:
            inputs = self.model.data_preprocessor.normalize(inputs)
        return self.model(inputs).softmax(1)

    @property
    def _whole(self) -> bool:
        """Whether the model takes whole images and their gray levels."""
        return getattr(self.model.data_preprocessor, 'whole', False)
