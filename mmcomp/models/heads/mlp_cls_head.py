"""Fully connected classification head."""

from collections.abc import Sequence

import torch
from mmpretrain.models.heads import ClsHead
from torch import nn

from mmcomp.registry import MODELS


@MODELS.register_module()
class MLPClsHead(ClsHead):
    """Fully connected layers with ReLU and dropout, then a linear classifier.

    Section 3.1: two layers with dropout 0.5 and 0.25, then a two-way softmax. The
    paper does not give the widths; 512 and 256 are our choice.

    Args:
        num_classes (int): Number of classes.
        in_channels (int): Size of a sample's flattened feature.
        hidden_channels (Sequence[int]): Width of each layer. Defaults to (512, 256).
        dropouts (Sequence[float]): Dropout after each layer. Defaults to (0.5, 0.25).
        **kwargs: See :class:`mmpretrain.models.ClsHead`.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        hidden_channels: Sequence[int] = (512, 256),
        dropouts: Sequence[float] = (0.5, 0.25),
        init_cfg: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(init_cfg=init_cfg, **kwargs)
        if num_classes < 2:
            raise ValueError(f'num_classes is {num_classes}; it must be at least 2')
        if len(hidden_channels) != len(dropouts):
            raise ValueError(
                f'hidden_channels is {hidden_channels} and dropouts is {dropouts}; '
                'they must have the same length, one entry for each layer'
            )
        self.num_classes = num_classes
        self.in_channels = in_channels
        widths = [in_channels, *hidden_channels]
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(i, o), nn.ReLU(inplace=True), nn.Dropout(rate))
            for i, o, rate in zip(widths, widths[1:], dropouts)
        )
        self.fc = nn.Linear(widths[-1], num_classes)

    def pre_logits(self, feats: tuple[torch.Tensor]) -> torch.Tensor:
        """Return the output of the last hidden layer, ``(B, hidden_channels[-1])``.

        These are the features that the stack joins (Section 3.2).
        """
        x = feats[-1].flatten(1)
        for layer in self.layers:
            x = layer(x)
        return x

    def forward(self, feats: tuple[torch.Tensor]) -> torch.Tensor:
        """Return scores before the softmax, ``(B, num_classes)``."""
        return self.fc(self.pre_logits(feats))
