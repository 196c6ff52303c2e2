"""The base of all comparison operators.

An operator combines the maps of onset and apex, ``(B, C, H, W)``, into one. Tokens are
passed as maps of width 1, ``(B, C, N, 1)``.
"""

from mmcv.cnn import build_activation_layer
from mmengine.model import BaseModule
from torch import Tensor, nn


class Comparison(BaseModule):
    """Base of all comparison operators.

    Subclasses implement :meth:`compare`. An activation follows, as in the paper.

    Examples:
        >>> import torch
        >>> from mmcomp.models.comparisons import Comparison
        >>> class Larger(Comparison):
        ...     def compare(self, onset, apex):
        ...         return torch.maximum(onset, apex)
        >>> onset, apex = torch.tensor([[[[-3.0, 1.0]]], [[[-2.0, 5.0]]]]).split(1)
        >>> Larger(1)(onset, apex)
        tensor([[[[0., 5.]]]])

    Args:
        in_channels (int): Channels C of either map. :class:`SiameseBackbone` fills it
            in.
        act_cfg (dict, optional): Activation after the comparison. Defaults to ReLU;
            None leaves it out.
        init_cfg (dict, optional): As in :class:`mmengine.model.BaseModule`.

    Attributes:
        out_channels (int): Channels of the compared map.
        spatial (bool): Whether it needs maps and cannot compare tokens.
    """

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
        """Channels of the compared map; ``in_channels`` unless overridden."""
        return self.in_channels

    def compare(self, onset: Tensor, apex: Tensor) -> Tensor:
        """Compare two maps ``(B, C, H, W)``."""
        raise NotImplementedError

    def forward(self, onset: Tensor, apex: Tensor) -> Tensor:
        """Compare, then activate.

        Args:
            onset, apex (Tensor): ``(B, in_channels, H, W)``.

        Returns:
            Tensor: ``(B, out_channels, H, W)``.
        """
        return self.activate(self.compare(onset, apex))

    def extra_repr(self) -> str:
        return f'{self.in_channels} -> {self.out_channels}'
