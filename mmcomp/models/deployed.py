"""DeployedNetwork: a classifier with all that belongs to it, as one function."""

import torch
from torch import Tensor, nn


class DeployedNetwork(nn.Module):
    """From gray levels to scores: crop, normalisation, network, SVM, softmax.

    Args:
        model (BaseModel): A :class:`PairClassifier` or :class:`StackingClassifier`.

    Raises:
        ValueError: If it is a stack whose SVM is not fitted.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        if not getattr(model, 'is_fitted', True):
            raise ValueError('the SVM of this stack is not fitted; train it first')
        self.model = model.eval()

    @property
    def input_shape(self) -> tuple:
        """``(C, H, W)`` of the images that the network itself takes."""
        members = getattr(self.model, 'copies', None)
        first = next(iter(members[0].values())) if members is not None else self.model
        return first.backbone.input_shape

    def forward(self, pairs: Tensor) -> Tensor:
        """Scores of pairs.

        Args:
            pairs (Tensor): ``(B, 2, C, H, W)``, onset first, gray levels 0 to 255,
                uint8 or float.

        Returns:
            Tensor: ``(B, num_classes)``, summing to 1.
        """
        preprocessor = self.model.data_preprocessor
        return self.model(preprocessor.normalize(pairs.to(torch.float32))).softmax(1)
