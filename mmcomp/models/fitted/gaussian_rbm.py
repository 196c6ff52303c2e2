"""Restricted Boltzmann machines of real-valued features, with privileged columns."""

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmcomp.registry import MODELS

from .base import FittedClassifier
from .cells import make_cells
from .checks import (
    check_counts,
    check_finite,
    check_positive,
    check_scale,
    check_shapes,
    check_shares,
)
from .rbm import MAX_EXACT, RBM, binary_states, contrastive_divergence, sample

#: Wider intervals of an estimated log Z are reported.
MAX_ERROR = 0.5


class GaussianRBM(RBM):
    """Restricted Boltzmann machine with Gaussian visible units of unit variance.

    Its energy is ``E(v, h) = |v - b|^2 / 2 - c'h - v'Wh``.
    """

    @staticmethod
    def bias_of(data: Tensor) -> Tensor:
        """Return the visible bias of a machine without weights that fits the data."""
        return data.mean(0)

    def visible(self, hidden: Tensor, factor: float = 1.0) -> Tensor:
        """Return means ``(..., N, D)`` of visible units, given hidden ones."""
        inputs = factor * (hidden @ self.weight.mT)
        return inputs + self.visible_bias.unsqueeze(-2)

    def sample_visible(self, hidden: Tensor, factor: float = 1.0) -> Tensor:
        """Return random visible units, given hidden ones."""
        mean = self.visible(hidden, factor)
        return mean + torch.randn_like(mean)

    def log_partition(self) -> Tensor:
        """Return log Z, summed over all states of the hidden units.

        ``log Z = D / 2 log 2 pi + log sum_h exp(c'h + (|b + Wh|^2 - |b|^2) / 2)``
        """
        states = binary_states(self.hidden_bias.shape[-1]).to(self.weight)
        bias = self.visible_bias.unsqueeze(-2) @ self.weight
        bias = bias + self.hidden_bias.unsqueeze(-2)
        inputs = states @ (self.weight.mT @ self.weight) / 2 + bias
        return self._log_normal() + torch.logsumexp((states * inputs).sum(-1), -1)

    @torch.no_grad()
    def estimate_log_partition(
        self, temperatures: int = 1000, chains: int = 100
    ) -> tuple[Tensor, Tensor]:
        """Estimate log Z by annealed importance sampling from W = 0.

        Args:
            temperatures (int): Steps from 0 to W.
            chains (int): Independent samples.

        Returns:
            tuple[Tensor, Tensor]: The estimate, and half of the width of its 95 %
            confidence interval, by the delta method.
        """
        shape = (*self.weight.shape[:-2], chains, self.weight.shape[-2])
        bias = self.visible_bias.unsqueeze(-2)
        hidden_bias = self.hidden_bias.unsqueeze(-2)
        visible = bias + torch.randn(shape).to(self.weight)
        log_weights = torch.zeros(shape[:-1]).to(self.weight)
        for step in range(temperatures):
            inputs = visible @ self.weight
            colder = (step + 1) / temperatures * inputs + hidden_bias
            warmer = step / temperatures * inputs + hidden_bias
            log_weights += (F.softplus(colder) - F.softplus(warmer)).sum(-1)
            hidden = sample(torch.sigmoid(colder))
            visible = self.visible(hidden, (step + 1) / temperatures)
            visible += torch.randn_like(visible)
        start = self._log_normal() + F.softplus(self.hidden_bias).sum(-1)
        weights = (log_weights - log_weights.amax(-1, keepdim=True)).exp()
        error = weights.std(-1) / weights.mean(-1) / math.sqrt(chains)
        estimate = torch.logsumexp(log_weights, -1) - math.log(chains)
        return start + estimate, 1.96 * error

    def _log_normal(self) -> float:
        return self.visible_bias.shape[-1] / 2 * math.log(2 * math.pi)

    def _visible_part(self, visible: Tensor) -> Tensor:
        return -(visible - self.visible_bias.unsqueeze(-2)).square().sum(-1) / 2


@MODELS.register_module()
class GaussianRBMClassifier(FittedClassifier):
    """Gaussian machines for cells of a class; the largest likelihood decides.

    After Wang, Wu and Ji, "Capturing global spatial patterns for distinguishing posed
    and spontaneous expressions" (2016). Several machines with continuous visible units,
    given gender or expression, which are known in training only; that the machine of
    the largest likelihood decides; and annealed importance sampling are theirs. Ours,
    as their text could not be read: the energy with unit variances, all sizes and
    rates, CD-1, the exact partition function of up to 14 hidden units, the log of a
    cell's share of its class that is added to its likelihood, and that cells of fewer
    than 8 pairs are left out (a class that has no other gets one machine).

    Args:
        num_classes (int): Number of classes.
        given (str | None): Privileged column of the pair table, such as 'emotion' or
            'gender': there is a machine for each class and value. None: one machine
            for each class.
        hidden (int): Hidden units of each machine.
        lr (float): Learning rate of CD-1.
        epochs (int): Passes over the pairs of a cell.
        batch_size (int): Size of a batch.
    """

    fitted_buffers: ClassVar[Mapping[str, int]] = dict(
        mean=1,
        scale=1,
        weight=3,
        visible_bias=2,
        hidden_bias=2,
        log_partition=1,
        shares=2,
    )
    mean: Tensor
    scale: Tensor
    weight: Tensor
    visible_bias: Tensor
    hidden_bias: Tensor
    log_partition: Tensor
    shares: Tensor

    def __init__(
        self,
        num_classes: int,
        given: str | None = 'emotion',
        hidden: int = 8,
        lr: float = 0.005,
        epochs: int = 100,
        batch_size: int = 16,
    ) -> None:
        super().__init__(num_classes)
        check_counts(hidden=hidden, epochs=epochs, batch_size=batch_size)
        check_positive(lr=lr)
        if given is not None and (not isinstance(given, str) or not given):
            raise ValueError(f'given is {given!r}; it must be a column, or None')
        self.given, self.hidden, self.lr = given, hidden, lr
        self.epochs, self.batch_size = epochs, batch_size

    def fit(
        self,
        features: np.ndarray,
        labels: np.ndarray,
        subjects: Sequence[str],
        columns: Mapping[str, Sequence[str]],
    ) -> None:
        """Train a machine with the pairs of each cell; see the base class.

        Raises:
            ValueError: Also if the privileged column is absent, empty for a pair, or
                has one value only.
        """
        cells = make_cells(labels, self.num_classes, columns, self.given)
        if self.given is not None and len(set(columns[self.given])) == 1:
            raise ValueError(
                f'column {self.given!r} has one value, {columns[self.given][0]!r}, in '
                'all training pairs; it must have at least 2'
            )
        data = torch.as_tensor(features, dtype=torch.float32).to(self.weight.device)
        self.mean, self.scale = mean_and_scale(data)
        data = (data - self.mean) / self.scale
        shares = data.new_zeros(self.num_classes, len(cells))
        machines = []
        for index, cell in enumerate(cells):
            own = data[torch.as_tensor(cell.pairs).to(data.device)]
            machine = GaussianRBM.start(own, self.hidden)
            contrastive_divergence(
                machine,
                own,
                epochs=self.epochs,
                lr=self.lr,
                batch_size=self.batch_size,
            )
            check_finite(machine.parameters, lr=self.lr)
            machines.append(machine)
            shares[cell.label, index] = math.exp(cell.log_share)
        stack = GaussianRBM.stack(machines)
        self.weight, self.visible_bias, self.hidden_bias = stack.parameters
        self.log_partition = _log_partition(stack)
        self.shares = shares

    def forward(self, features: Tensor) -> Tensor:
        """Return log likelihoods and log shares of the best machine of each class."""
        machines = GaussianRBM(self.weight, self.visible_bias, self.hidden_bias)
        energy = machines.free_energy((features - self.mean) / self.scale)
        likelihood = -energy.mT - self.log_partition
        return (likelihood[:, None] + self.shares.log()).amax(2)

    def check_together(self) -> None:
        """Check that loaded buffers belong together; see the base class."""
        size, (count, _, hidden) = len(self.mean), self.weight.shape
        check_shapes(
            self,
            {
                'scale': (size,),
                'weight': (count, size, hidden),
                'visible_bias': (count, size),
                'hidden_bias': (count, hidden),
                'log_partition': (count,),
                'shares': (self.num_classes, count),
            },
        )
        check_scale(self.scale)
        check_shares(self.shares)


def mean_and_scale(data: Tensor) -> tuple[Tensor, Tensor]:
    """Return means and standard deviations ``(F,)`` of ``(N, F)``; 1 for constants."""
    deviation = data.std(0, correction=0)
    varies = deviation > 1e-6 * data.abs().amax(0)  # beyond rounding
    return data.mean(0), torch.where(varies, deviation, 1.0)


def _log_partition(machines: GaussianRBM) -> Tensor:
    if machines.hidden_bias.shape[-1] <= MAX_EXACT:
        return machines.log_partition()
    value, error = machines.estimate_log_partition()
    if not error.max() <= MAX_ERROR:
        warnings.warn(
            f'log Z is uncertain by {error.max():.2g}; fewer hidden units or epochs '
            'make it more certain',
            stacklevel=3,
        )
    return value
