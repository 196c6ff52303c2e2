"""Comparison operators: one feature map out of those of onset and apex.

Section 3.1 of Xu et al., 'Convolutional neural networks for posed and spontaneous
expression recognition', has the first two; the others go beyond it. Each is a pure
function of maps ``(B, C, H, W)`` and a registered module around it. Tokens come as
maps of width 1, ``(B, C, N, 1)``.
"""

import torch
import torch.nn.functional as F
from mmcv.cnn import build_activation_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcomp.registry import MODELS


def linear_combination(
    onset: Tensor, apex: Tensor, alpha: Tensor, beta: Tensor
) -> Tensor:
    """Z = alpha X_apex + beta X_onset, at each place (Section 3.1, second operator).

    Args:
        onset, apex (Tensor): ``(B, C, H, W)``.
        alpha, beta (Tensor): ``(C_out, C)``; row r makes channel r of the result.

    Returns:
        Tensor: ``(B, C_out, H, W)``.
    """
    return F.conv2d(apex, alpha[:, :, None, None]) + F.conv2d(
        onset, beta[:, :, None, None]
    )


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


class Comparison(BaseModule):
    """Base of all comparison operators.

    Subclasses implement :meth:`compare`; the activation follows it, as in the paper.

    Args:
        in_channels (int): Channels C of either map. :class:`SiameseBackbone` fills it
            in.
        act_cfg (dict, optional): Activation after the comparison. Defaults to ReLU;
            None leaves it out.
        init_cfg (dict, optional): As in :class:`mmengine.model.BaseModule`.

    Attributes:
        out_channels (int): Channels of the compared map.
        symmetric (bool): Whether exchanging onset and apex changes nothing.
        spatial (bool): Whether it needs maps, where tokens do not do.
    """

    symmetric = False
    spatial = False

    def __init__(
        self,
        in_channels: int,
        act_cfg: dict | None = dict(type='ReLU'),
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if not isinstance(in_channels, int) or in_channels < 1:
            raise ValueError(f'in_channels is {in_channels!r}; it must be at least 1')
        self.in_channels = in_channels
        self.activate = build_activation_layer(act_cfg) if act_cfg else nn.Identity()

    @property
    def out_channels(self) -> int:
        """Channels of the compared map; those of either map unless overridden."""
        return self.in_channels

    def compare(self, onset: Tensor, apex: Tensor) -> Tensor:
        """Compare two maps ``(B, C, H, W)``."""
        raise NotImplementedError

    def forward(self, onset: Tensor, apex: Tensor) -> Tensor:
        """Compare and activate.

        Args:
            onset, apex (Tensor): ``(B, in_channels, H, W)``.

        Returns:
            Tensor: ``(B, out_channels, H, W)``.
        """
        return self.activate(self.compare(onset, apex))

    def extra_repr(self) -> str:
        return f'{self.in_channels} -> {self.out_channels}'


@MODELS.register_module()
class Subtraction(Comparison):
    """Z = X_apex - X_onset (Section 3.1, first operator).

    The text does not say which image is subtracted; apex - onset is our choice.

    Args:
        in_channels (int): See :class:`Comparison`.
        reverse (bool): Subtract the apex instead. Defaults to False.
        **kwargs: See :class:`Comparison`.
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

    With alpha = I and beta = -I it is :class:`Subtraction`, and it starts there, give
    or take a little noise (our choice; the text does not say where it starts).

    Args:
        in_channels (int): See :class:`Comparison`.
        init_std (float): Standard deviation of the noise on all C x C weights.
            Defaults to 0.01.
        **kwargs: See :class:`Comparison`.
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


@MODELS.register_module()
class AbsoluteDifference(Comparison):
    """Z = |X_apex - X_onset|: how much changed, not in which direction."""

    symmetric = True

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

    symmetric = True

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

    symmetric = True
    spatial = True

    def __init__(self, in_channels: int, kernel_size: int = 3, **kwargs) -> None:
        super().__init__(in_channels, **kwargs)
        if kernel_size < 3 or kernel_size % 2 == 0:
            raise ValueError(f'kernel_size is {kernel_size}; it must be odd, 3 or more')
        self.kernel_size = kernel_size

    def compare(self, onset: Tensor, apex: Tensor) -> Tensor:
        """Take 1 minus the local correlation."""
        return 1 - local_correlation(onset, apex, self.kernel_size)
