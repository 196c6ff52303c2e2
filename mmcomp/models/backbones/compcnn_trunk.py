"""The convolutional trunk of the paper."""

from collections.abc import Sequence

import torch
from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from torch import nn

from mmcomp.registry import MODELS


class _Stage(nn.Module):
    """Convolution, normalisation if any, max pooling, ReLU.

    ReLU after max pooling is the same function as before it, on a quarter of the data.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        kernel_size: int,
        norm_cfg: dict | None,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, kernel_size, bias=norm_cfg is None)
        self.norm = (
            build_norm_layer(norm_cfg, channels)[1] if norm_cfg else nn.Identity()
        )
        self.pool = nn.MaxPool2d(2)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.pool(self.norm(self.conv(x))))


@MODELS.register_module()
class CompCNNTrunk(BaseModule):
    """Three stages of convolution, max pooling and ReLU, with dropout between them.

    Section 3.1 gives the order of layers, the input of 44x44 gray pixels and the
    dropout rates, but not the size and number of the filters. Ours are 5x5x32, 5x5x64
    and 3x3x128 without padding, so that pooling leaves no remainder:
    44-40-20-16-8-6-3. Dropout is a layer of its own after each stage. A comparison
    after ``stages.i`` therefore comes before the dropout of stage i, which then acts on
    the compared maps. The dropout of earlier stages acts on onset and apex separately.

    Args:
        in_channels (int): Defaults to 1.
        channels (Sequence[int]): Filters of each stage. Defaults to (32, 64, 128).
        kernel_sizes (Sequence[int]): Defaults to (5, 5, 3).
        dropouts (Sequence[float]): Defaults to (0.05, 0.15, 0.25), Section 3.1.
        norm_cfg (dict, optional): Normalisation after each convolution. Defaults to
            None, as in the paper.
        init_cfg (dict, optional): As in :class:`mmengine.model.BaseModule`.
    """

    def __init__(
        self,
        in_channels: int = 1,
        channels: Sequence[int] = (32, 64, 128),
        kernel_sizes: Sequence[int] = (5, 5, 3),
        dropouts: Sequence[float] = (0.05, 0.15, 0.25),
        norm_cfg: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if not len(channels) == len(kernel_sizes) == len(dropouts) > 0:
            raise ValueError(
                f'channels is {channels}, kernel_sizes is {kernel_sizes} and dropouts '
                f'is {dropouts}; they must have the same length, one entry for each '
                'stage'
            )
        widths = [in_channels, *channels]
        self.stages = nn.ModuleList(
            _Stage(widths[i], widths[i + 1], size, norm_cfg)
            for i, size in enumerate(kernel_sizes)
        )
        self.drops = nn.ModuleList(nn.Dropout(rate) for rate in dropouts)
        self.to(memory_format=torch.channels_last)  # faster on CPU and GPU alike

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
        """Map images ``(B, C, H, W)`` to the last stage's maps, in a tuple."""
        for stage, drop in zip(self.stages, self.drops):
            x = drop(stage(x))
        return (x,)
