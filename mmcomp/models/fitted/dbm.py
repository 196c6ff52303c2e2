"""A deep Boltzmann machine of two layers."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .checks import check_finite
from .gaussian_rbm import GaussianRBM
from .rbm import RBM, batches, contrastive_divergence, sample, statistics

MOMENTUM = (0.5, 0.9)
WEIGHT_DECAY = 2e-4
CHAINS = 64


class DBM:
    """Deep Boltzmann machine: Gaussian visible units, two layers of binary ones.

    Its energy is ``E(v, h1, h2) = |v - b|^2 / 2 - v'W1 h1 - c1'h1 - h1'W2 h2 - c2'h2``.

    Args:
        weight1 (Tensor): W1, ``(D, H1)``.
        weight2 (Tensor): W2, ``(H1, H2)``.
        visible_bias (Tensor): b, ``(D,)``.
        bias1 (Tensor): c1, ``(H1,)``.
        bias2 (Tensor): c2, ``(H2,)``.
    """

    def __init__(
        self,
        weight1: Tensor,
        weight2: Tensor,
        visible_bias: Tensor,
        bias1: Tensor,
        bias2: Tensor,
    ) -> None:
        self.weight1 = weight1
        self.weight2 = weight2
        self.visible_bias = visible_bias
        self.bias1 = bias1
        self.bias2 = bias2

    @property
    def parameters(self) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """W1, W2, b, c1 and c2."""
        return self.weight1, self.weight2, self.visible_bias, self.bias1, self.bias2

    @classmethod
    def pretrain(
        cls,
        data: Tensor,
        hidden: Sequence[int],
        lr: Sequence[float],
        epochs: int,
        batch_size: int,
    ) -> 'DBM':
        """Train the layers one after the other by CD-1, and join them.

        Each layer alone lacks what its hidden units later get from the other. So the
        lower machine doubles its upward input, and the upper one its downward input;
        the first hidden units get the mean of the biases that they have in both.

        Args:
            data (Tensor): ``(N, D)``.
            hidden (Sequence[int]): H1 and H2.
            lr (Sequence[float]): Learning rates of the lower and the upper machine.
            epochs (int): Passes over the data, of each.
            batch_size (int): Size of a batch.
        """
        recipe: dict[str, Any] = dict(
            epochs=epochs,
            batch_size=batch_size,
            momentum=MOMENTUM,
            weight_decay=WEIGHT_DECAY,
        )
        lower = GaussianRBM.start(data, hidden[0])
        contrastive_divergence(lower, data, lr=lr[0], up=2, **recipe)
        check_finite(lower.parameters, pretrain_lr=lr[0])
        features = lower.hidden(data, 2)
        upper = RBM.start(features, hidden[1])
        contrastive_divergence(upper, features, lr=lr[1], down=2, **recipe)
        check_finite(upper.parameters, pretrain_lr=lr[1])
        return cls(
            lower.weight,
            upper.weight,
            lower.visible_bias,
            (lower.hidden_bias + upper.visible_bias) / 2,
            upper.hidden_bias,
        )

    def mean_field(
        self, visible: Tensor, updates: int = 1000, tolerance: float = 1e-6
    ) -> tuple[Tensor, Tensor]:
        """Return the mean-field probabilities ``(N, H1)`` and ``(N, H2)``.

        Args:
            visible (Tensor): ``(N, D)``.
            updates (int): Most updates of each layer.
            tolerance (float): Probabilities that change by less have converged.
        """
        inputs = visible @ self.weight1 + self.bias1
        first = torch.sigmoid(2 * inputs - self.bias1)
        second = torch.sigmoid(first @ self.weight2 + self.bias2)
        for _ in range(updates):
            last = first
            first = torch.sigmoid(inputs + second @ self.weight2.mT)
            second = torch.sigmoid(first @ self.weight2 + self.bias2)
            if not ((first - last).abs() >= tolerance).any():
                break
        return first, second

    @torch.no_grad()
    def train_jointly(
        self, data: Tensor, epochs: int, lr: float, batch_size: int
    ) -> None:
        """Train both layers in place by persistent contrastive divergence.

        States of data come from 10 mean-field updates, states of the model from 64
        chains of Gibbs samples. The learning rate falls to 0 linearly.

        Args:
            data (Tensor): ``(N, D)``.
            epochs (int): Passes over the data.
            lr (float): First learning rate.
            batch_size (int): Size of a batch.
        """
        total = epochs * -(-len(data) // batch_size)
        fantasy = data[torch.randint(len(data), (CHAINS,)).to(data.device)]
        second = sample(self.mean_field(fantasy, updates=10)[1])
        for count, chosen in enumerate(batches(data, batch_size, epochs)):
            visible = data[chosen]
            hidden = self.mean_field(visible, updates=10, tolerance=0)
            gradients = self._statistics(visible, *hidden)
            fantasy, first, second = self.gibbs(fantasy, second)
            expected = self._statistics(fantasy, first, second)
            rate = lr * (1 - count / total)
            for p, data_part, model_part in zip(self.parameters, gradients, expected):
                p.add_(data_part - model_part, alpha=rate)
        check_finite(self.parameters, joint_lr=lr)

    def gibbs(self, visible: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return random v, h1 and h2 that follow v and h2 in a Gibbs chain."""
        inputs = visible @ self.weight1 + second @ self.weight2.mT + self.bias1
        first = sample(torch.sigmoid(inputs))
        visible = self.visible_bias + first @ self.weight1.mT
        second = sample(torch.sigmoid(first @ self.weight2 + self.bias2))
        return visible + torch.randn_like(visible), first, second

    @staticmethod
    def _statistics(visible: Tensor, first: Tensor, second: Tensor) -> list[Tensor]:
        weight1, bias, bias1 = statistics(visible, first)
        weight2, _, bias2 = statistics(first, second)
        return [weight1, weight2, bias, bias1, bias2]
