"""The two comparison operators of the paper (Section 3.1).

Xu et al., 'Convolutional neural networks for posed and spontaneous expression
recognition'.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcomp.registry import MODELS

from .base import Comparison


def linear_combination(
    onset: Tensor, apex: Tensor, alpha: Tensor, beta: Tensor
) -> Tensor:
    """Return alpha X_apex + beta X_onset at each position (Section 3.1).

    Args:
        onset, apex (Tensor): ``(B, C, H, W)``.
        alpha, beta (Tensor): ``(C_out, C)``; row r gives channel r of the result.

    Returns:
        Tensor: ``(B, C_out, H, W)``.
    """
    return F.conv2d(apex, alpha[:, :, None, None]) + F.conv2d(
        onset, beta[:, :, None, None]
    )


@MODELS.register_module()
class Subtraction(Comparison):
    """Z = X_apex - X_onset (Section 3.1, first operator).

    The paper does not say which image is subtracted; apex - onset is our choice.

    Args:
        in_channels (int): See :class:`Comparison`.
        reverse (bool): Subtract the apex instead. Defaults to False.
        **kwargs: See :class:`Comparison`.

    Examples:
        >>> import torch
        >>> onset, apex = torch.tensor([[[[1.0, 2.0]]], [[[4.0, 1.0]]]]).split(1)
        >>> Subtraction(1)(onset, apex)
        tensor([[[[3., 0.]]]])
        >>> Subtraction(1, act_cfg=None)(onset, apex)
        tensor([[[[ 3., -1.]]]])
    """

    def __init__(self, in_channels: int, reverse: bool = False, **kwargs) -> None:
        super().__init__(in_channels, **kwargs)
        self.reverse = reverse

    def compare(self, onset: Tensor, apex: Tensor) -> Tensor:
        """Subtract."""
        return onset - apex if self.reverse else apex - onset


@MODELS.register_module()
class LinearCombination(Comparison):
    """Z = alpha X_apex + beta X_onset, alpha and beta learned (Section 3.1).

    With alpha = I and beta = -I it equals :class:`Subtraction`. It starts there, plus a
    little noise (our choice; the paper does not give the initial weights).

    Args:
        in_channels (int): See :class:`Comparison`.
        init_std (float): Standard deviation of the noise on all C x C weights.
            Defaults to 0.01.
        **kwargs: See :class:`Comparison`.

    Examples:
        >>> import torch
        >>> onset, apex = torch.tensor([[[[1.0, 2.0]]], [[[4.0, 1.0]]]]).split(1)
        >>> operator = LinearCombination(1, init_std=0)
        >>> operator.alpha.item(), operator.beta.item()
        (1.0, -1.0)
        >>> operator(onset, apex).tolist()
        [[[[3.0, 0.0]]]]
    """

    def __init__(self, in_channels: int, init_std: float = 0.01, **kwargs) -> None:
        super().__init__(in_channels, **kwargs)
        self.init_std = init_std
        self.alpha = nn.Parameter(torch.empty(in_channels, in_channels))
        self.beta = nn.Parameter(torch.empty(in_channels, in_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set alpha to I and beta to -I, plus noise."""
        for weight, sign in ((self.alpha, 1), (self.beta, -1)):
            nn.init.normal_(weight, std=self.init_std)
            with torch.no_grad():
                weight.diagonal().add_(sign)

    def compare(self, onset: Tensor, apex: Tensor) -> Tensor:
        """Combine linearly."""
        return linear_combination(onset, apex, self.alpha, self.beta)
