"""Comparison operators beyond the paper."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcomp.registry import MODELS

from .base import Comparison


def local_correlation(
    onset: Tensor, apex: Tensor, kernel_size: int, eps: float = 1e-4
) -> Tensor:
    """Normalised correlation of onset and apex around each place, channel by channel.

    Covariance over the window, divided by the root of both variances plus ``eps``: 1
    where the window has the same pattern in both, -1 where it is reversed, 0 where
    either is flat. Windows are cut off at the border.

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

    onset_mean, apex_mean = mean(onset), mean(apex)
    covariance = mean(onset * apex) - onset_mean * apex_mean
    onset_var = (mean(onset * onset) - onset_mean**2).clamp_min(0)
    apex_var = (mean(apex * apex) - apex_mean**2).clamp_min(0)
    return covariance / ((onset_var + eps) * (apex_var + eps)).sqrt()


@MODELS.register_module()
class AbsoluteDifference(Comparison):
    """Z = |X_apex - X_onset|: how much changed, not in which direction."""

    def compare(self, onset: Tensor, apex: Tensor) -> Tensor:
        """Take the absolute difference."""
        return (apex - onset).abs()


@MODELS.register_module()
class Concatenation(Comparison):
    """Both maps as they are, onset's channels first: 2 C channels.

    It fits where nothing behind it expects C channels: at the input, or after the
    trunk's last stage.
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
    """Z = X_apex * X_onset, element by element: what both share."""

    def compare(self, onset: Tensor, apex: Tensor) -> Tensor:
        """Multiply."""
        return onset * apex


@MODELS.register_module()
class NonlinearCombination(Comparison):
    """Two learned 1x1 layers over both maps, with an activation between them.

    The paper names nonlinear operators as future work (Section 5).

    Args:
        in_channels (int): See :class:`Comparison`.
        hidden_channels (int, optional): Width between the layers. Defaults to 2 C.
        **kwargs: See :class:`Comparison`.
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
    """Where onset and apex differ in pattern; see :func:`local_correlation`.

    The result is 1 minus the correlation, so that no change gives 0.

    Args:
        in_channels (int): See :class:`Comparison`.
        kernel_size (int): Odd side of the window, in map pixels. Defaults to 3.
        **kwargs: See :class:`Comparison`.
    """

    spatial = True

    def __init__(self, in_channels: int, kernel_size: int = 3, **kwargs) -> None:
        super().__init__(in_channels, **kwargs)
        if kernel_size < 3 or kernel_size % 2 == 0:
            raise ValueError(f'kernel_size is {kernel_size}; it must be odd, 3 or more')
        self.kernel_size = kernel_size

    def compare(self, onset: Tensor, apex: Tensor) -> Tensor:
        """Take 1 minus the local correlation."""
        return 1 - local_correlation(onset, apex, self.kernel_size)
