"""Comparison operators beyond the paper."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcomp.registry import MODELS

from .base import Comparison


def local_correlation(
    onset: Tensor, apex: Tensor, kernel_size: int, eps: float = 1e-4
) -> Tensor:
    """Return the normalised correlation of onset and apex around each position.

    For each channel, this is the covariance over the window, divided by the root of the
    product of both variances, each plus ``eps``: 1 where both windows have the same
    pattern, -1 where it is reversed, 0 where either is flat. Windows are cut off at the
    border.

    Args:
        onset, apex (Tensor): ``(B, C, H, W)``.
        kernel_size (int): Odd side of the window, in map pixels.
        eps (float): Added to each variance.

    Returns:
        Tensor: ``(B, C, H, W)``, between -1 and 1.
    """

    def mean(x: Tensor) -> Tensor:
        return F.avg_pool2d(
            x, kernel_size, 1, kernel_size // 2, count_include_pad=False
        )

    # Of raw gray levels, E[xy] - E[x] E[y] would cancel almost all digits of float32.
    onset, apex = (x - x.mean((-2, -1), keepdim=True) for x in (onset, apex))
    onset_mean, apex_mean = mean(onset), mean(apex)
    covariance = mean(onset * apex) - onset_mean * apex_mean
    onset_var = (mean(onset * onset) - onset_mean**2).clamp_min(0)
    apex_var = (mean(apex * apex) - apex_mean**2).clamp_min(0)
    return covariance / ((onset_var + eps) * (apex_var + eps)).sqrt()


@MODELS.register_module()
class AbsoluteDifference(Comparison):
    """Z = |X_apex - X_onset|: the size of the change without its direction.

    Examples:
        >>> import torch
        >>> onset, apex = torch.tensor([[[[1.0, 2.0]]], [[[4.0, 1.0]]]]).split(1)
        >>> AbsoluteDifference(1)(onset, apex)
        tensor([[[[3., 1.]]]])
    """

    def compare(self, onset: Tensor, apex: Tensor) -> Tensor:
        """Take the absolute difference."""
        return (apex - onset).abs()


@MODELS.register_module()
class Concatenation(Comparison):
    """Both maps unchanged, onset's channels first: 2 C channels.

    Use it where no later layer of the trunk expects C channels: at the input, or after
    the last stage.

    Examples:
        >>> import torch
        >>> onset, apex = torch.tensor([[[[1.0, 2.0]]], [[[4.0, 1.0]]]]).split(1)
        >>> Concatenation(1)(onset, apex)[0, :, 0]
        tensor([[1., 2.],
                [4., 1.]])
    """

    @property
    def out_channels(self) -> int:
        """Twice the channels of either map."""
        return 2 * self.in_channels

    def compare(self, onset: Tensor, apex: Tensor) -> Tensor:
        """Concatenate."""
        return torch.cat([onset, apex], 1)


@MODELS.register_module()
class Product(Comparison):
    """Z = X_apex * X_onset, element by element: what both have in common.

    Examples:
        >>> import torch
        >>> onset, apex = torch.tensor([[[[1.0, 2.0]]], [[[4.0, 1.0]]]]).split(1)
        >>> Product(1)(onset, apex)
        tensor([[[[4., 2.]]]])
    """

    def compare(self, onset: Tensor, apex: Tensor) -> Tensor:
        """Multiply."""
        return onset * apex


@MODELS.register_module()
class NonlinearCombination(Comparison):
    """Two learned 1x1 layers over both maps, with an activation between them.

    The paper names nonlinear operators as future work (Section 5).

    Args:
        in_channels (int): See :class:`Comparison`.
        hidden_channels (int, optional): Channels between the layers. Defaults to 2 C.
        **kwargs: See :class:`Comparison`.

    Examples:
        >>> import torch
        >>> operator = NonlinearCombination(3)
        >>> operator(torch.rand(1, 3, 4, 4), torch.rand(1, 3, 4, 4)).shape
        torch.Size([1, 3, 4, 4])
    """

    def __init__(
        self, in_channels: int, hidden_channels: int | None = None, **kwargs
    ) -> None:
        super().__init__(in_channels, **kwargs)
        hidden_channels = hidden_channels or 2 * in_channels
        self.mix = nn.Sequential(
            nn.Conv2d(2 * in_channels, hidden_channels, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden_channels, in_channels, 1),
        )

    def compare(self, onset: Tensor, apex: Tensor) -> Tensor:
        """Combine."""
        return self.mix(torch.cat([onset, apex], 1))


@MODELS.register_module()
class LocalCorrelation(Comparison):
    """1 minus the :func:`local_correlation`: where the pattern changes.

    No change gives 0, and so does a change of brightness or contrast.

    Args:
        in_channels (int): See :class:`Comparison`.
        kernel_size (int): Odd side of the window, in map pixels. Defaults to 3.
        **kwargs: See :class:`Comparison`.

    Examples:
        >>> import torch
        >>> onset = torch.eye(3)[None, None]
        >>> operator = LocalCorrelation(1)
        >>> operator(onset, 2 * onset + 5)[0, 0, 1].round(decimals=2).abs()
        tensor([0., 0., 0.])
        >>> operator(onset, -onset)[0, 0, 1].round(decimals=2)
        tensor([2., 2., 2.])
    """

    spatial = True

    def __init__(self, in_channels: int, kernel_size: int = 3, **kwargs) -> None:
        super().__init__(in_channels, **kwargs)
        if kernel_size < 3 or kernel_size % 2 == 0:
            raise ValueError(
                f'kernel_size is {kernel_size}; it must be odd and at least 3'
            )
        self.kernel_size = kernel_size

    def compare(self, onset: Tensor, apex: Tensor) -> Tensor:
        """Take 1 minus the local correlation."""
        return 1 - local_correlation(onset, apex, self.kernel_size)
