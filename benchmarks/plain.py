"""A: the paper's network and its training as a researcher would write them.

Nothing here is used elsewhere. Two passes through the trunk, ReLU before the pooling,
the default memory format, all data as tensors in memory.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class PlainNet(nn.Module):
    """The paper's network with a comparison after stage ``position`` (1 to 3).

    Args:
        position (int): The stage that the comparison follows.
        learned (bool): Linear combination instead of subtraction.
    """

    def __init__(self, position: int, learned: bool) -> None:
        super().__init__()
        self.position = position
        self.convs = nn.ModuleList(
            [nn.Conv2d(1, 32, 5), nn.Conv2d(32, 64, 5), nn.Conv2d(64, 128, 3)]
        )
        self.drops = nn.ModuleList(nn.Dropout(p) for p in (0.05, 0.15, 0.25))
        width = (32, 64, 128)[position - 1]
        self.mix = nn.Conv2d(2 * width, width, 1, bias=False) if learned else None
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(1152, 512),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(512, 256),
            nn.ReLU(),
            nn.Dropout(0.25),
            nn.Linear(256, 2),
        )

    def stage(self, i: int, x: Tensor) -> Tensor:
        """Convolution, ReLU, pooling, dropout."""
        return self.drops[i](F.max_pool2d(F.relu(self.convs[i](x)), 2))

    def forward(self, pairs: Tensor) -> Tensor:
        """Return scores ``(B, 2)`` of pairs ``(B, 2, 1, 44, 44)``."""
        onset, apex = pairs[:, 0], pairs[:, 1]
        for i in range(self.position):
            onset, apex = self.stage(i, onset), self.stage(i, apex)
        if self.mix is None:
            x = F.relu(apex - onset)
        else:
            x = F.relu(self.mix(torch.cat([apex, onset], 1)))
        for i in range(self.position, 3):
            x = self.stage(i, x)
        return self.head(x)


def training_flops(position: int, learned: bool = True) -> float:
    """Floating-point operations of one training step for one pair, by formula.

    Two for each multiplication with addition, forward and backward (weights, and inputs
    but for those of the first layer); pooling, ReLU and dropout are left out.
    """
    sides, channels, kernels = (40, 16, 6), (1, 32, 64, 128), (5, 5, 3)
    total = 0.0
    for i in range(3):
        images = 2 if i < position else 1
        once = 2.0 * images * sides[i] ** 2 * channels[i] * channels[i + 1]
        total += once * kernels[i] ** 2 * (2 if i == 0 else 3)
    if learned:
        side, width = (20, 8, 3)[position - 1], channels[position]
        total += 3 * 2.0 * side**2 * 2 * width * width
    for inputs, outputs in ((1152, 512), (512, 256), (256, 2)):
        total += 3 * 2.0 * inputs * outputs
    return total
