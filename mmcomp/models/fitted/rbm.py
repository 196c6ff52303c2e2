"""Restricted Boltzmann machines of binary units, and Wu and Wang's classifier."""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmcomp.registry import MODELS

from .base import FittedClassifier
from .cells import make_cells
from .checks import check_counts, check_finite, check_positive, check_shapes

#: Most hidden units over whose states a partition function is summed.
MAX_EXACT = 14


class RBM:
    """Restricted Boltzmann machine with binary units in both layers.

    Its energy is ``E(v, h) = -b'v - c'h - v'Wh``. All parameters may have a leading
    dimension K: then these are K machines, and what is computed has it as well.

    Args:
        weight (Tensor): W, ``(D, H)``.
        visible_bias (Tensor): b, ``(D,)``.
        hidden_bias (Tensor): c, ``(H,)``.
    """

    def __init__(
        self, weight: Tensor, visible_bias: Tensor, hidden_bias: Tensor
    ) -> None:
        self.weight = weight
        self.visible_bias = visible_bias
        self.hidden_bias = hidden_bias

    @classmethod
    def start(cls, data: Tensor, hidden: int) -> Self:
        """Return a machine to train: small random weights, visible units as in data.

        Args:
            data (Tensor): Training data ``(N, D)``.
            hidden (int): Number of hidden units.
        """
        weight = 0.01 * torch.randn(data.shape[1], hidden).to(data)
        return cls(weight, cls.bias_of(data), weight.new_zeros(hidden))

    @classmethod
    def stack(cls, machines: Sequence[Self]) -> Self:
        """Return machines as one with a leading dimension."""
        return cls(*map(torch.stack, zip(*(m.parameters for m in machines))))

    @staticmethod
    def bias_of(data: Tensor) -> Tensor:
        """Return the visible bias of a machine without weights that fits the data."""
        return torch.logit((data.sum(0) + 1) / (len(data) + 2))

    @property
    def parameters(self) -> tuple[Tensor, Tensor, Tensor]:
        """W, b and c."""
        return self.weight, self.visible_bias, self.hidden_bias

    def hidden(self, visible: Tensor, factor: float = 1.0) -> Tensor:
        """Return probabilities ``(..., N, H)`` of hidden units, given visible ones.

        Args:
            visible (Tensor): ``(..., N, D)``.
            factor (float): Of the input from the visible units.
        """
        inputs = factor * (visible @ self.weight)
        return torch.sigmoid(inputs + self.hidden_bias.unsqueeze(-2))

    def visible(self, hidden: Tensor, factor: float = 1.0) -> Tensor:
        """Return means ``(..., N, D)`` of visible units, given hidden ones."""
        inputs = factor * (hidden @ self.weight.mT)
        return torch.sigmoid(inputs + self.visible_bias.unsqueeze(-2))

    def sample_visible(self, hidden: Tensor, factor: float = 1.0) -> Tensor:
        """Return random visible units, given hidden ones."""
        return sample(self.visible(hidden, factor))

    def free_energy(self, visible: Tensor) -> Tensor:
        """Return ``-log sum_h exp(-E(v, h))``, ``(..., N)``."""
        return -self._visible_part(visible) - self._hidden_part(visible)

    def log_partition(self) -> Tensor:
        """Return log Z, summed over all states of the hidden units."""
        states = binary_states(self.hidden_bias.shape[-1]).to(self.weight)
        inputs = states @ self.weight.mT + self.visible_bias.unsqueeze(-2)
        hidden = (states * self.hidden_bias.unsqueeze(-2)).sum(-1)
        return torch.logsumexp(hidden + F.softplus(inputs).sum(-1), -1)

    def _visible_part(self, visible: Tensor) -> Tensor:
        return (visible * self.visible_bias.unsqueeze(-2)).sum(-1)

    def _hidden_part(self, visible: Tensor) -> Tensor:
        inputs = visible @ self.weight + self.hidden_bias.unsqueeze(-2)
        return F.softplus(inputs).sum(-1)


def sample(probabilities: Tensor) -> Tensor:
    """Return random binary units, 1 with the given probabilities."""
    return (torch.rand_like(probabilities) < probabilities).to(probabilities.dtype)


def binary_states(count: int) -> Tensor:
    """Return all states of ``count`` binary units, ``(2 ** count, count)``."""
    return torch.arange(2**count)[:, None] >> torch.arange(count) & 1


def statistics(visible: Tensor, hidden: Tensor) -> list[Tensor]:
    """Return means of ``v h'``, v and h over N states.

    Their means in data, less those under the model, are the gradient of the mean log
    likelihood with respect to W, b and c.
    """
    return [visible.mT @ hidden / len(visible), visible.mean(0), hidden.mean(0)]


def batches(data: Tensor, size: int, epochs: int) -> Iterator[Tensor]:
    """Yield positions of random batches of data, for some epochs."""
    for _ in range(epochs):
        yield from torch.randperm(len(data)).to(data.device).split(size)


@torch.no_grad()
def contrastive_divergence(
    machine: RBM,
    data: Tensor,
    *,
    epochs: int,
    lr: float,
    batch_size: int,
    momentum: tuple[float, float] = (0.0, 0.0),
    weight_decay: float = 0.0,
    up: float = 1.0,
    down: float = 1.0,
) -> None:
    """Train a machine in place by contrastive divergence with one Gibbs step (CD-1).

    Both layers are sampled; the last hidden units count with their probabilities.

    Args:
        machine (RBM): One machine.
        data (Tensor): ``(N, D)``; binary, for a machine of binary units.
        epochs (int): Passes over the data.
        lr (float): Learning rate.
        batch_size (int): Size of a batch.
        momentum (tuple[float, float]): In the first 5 epochs, and later.
        weight_decay (float): Pulls weights, not biases, to 0.
        up (float): Factor of the hidden units' input.
        down (float): Factor of the visible units' input.
    """
    steps = [torch.zeros_like(p) for p in machine.parameters]
    first = 5 * -(-len(data) // batch_size)
    for count, chosen in enumerate(batches(data, batch_size, epochs)):
        visible = data[chosen]
        hidden = machine.hidden(visible, up)
        fantasy = machine.sample_visible(sample(hidden), down)
        gradients = statistics(visible, hidden)
        expected = statistics(fantasy, machine.hidden(fantasy, up))
        gradients[0] -= weight_decay * machine.weight
        for p, step, data_part, model_part in zip(
            machine.parameters, steps, gradients, expected
        ):
            step *= momentum[count >= first]
            p += step.add_(data_part - model_part, alpha=lr)


@MODELS.register_module()
class RBMClassifier(FittedClassifier):
    """A binary machine for each class; the largest likelihood decides.

    After Wu and Wang, "Posed and spontaneous expression recognition through restricted
    Boltzmann machine" (2016). Displacements of facial points, facial events
    taken from them, and one machine for each class are theirs. Ours, as their text
    could not be read: the events (two for each feature, ``d > s / 2`` and
    ``d < -s / 2``, where s is its standard deviation in training), all sizes and
    rates, CD-1, and the exact partition function.

    Args:
        num_classes (int): Number of classes.
        hidden (int): Hidden units of each machine, at most 14.
        lr (float): Learning rate of CD-1.
        epochs (int): Passes over the training pairs.
        batch_size (int): Size of a batch.
    """

    fitted_buffers: ClassVar[Mapping[str, int]] = dict(
        threshold=1, weight=3, visible_bias=2, hidden_bias=2, log_partition=1
    )
    threshold: Tensor
    weight: Tensor
    visible_bias: Tensor
    hidden_bias: Tensor
    log_partition: Tensor

    def __init__(
        self,
        num_classes: int,
        hidden: int = 12,
        lr: float = 0.05,
        epochs: int = 100,
        batch_size: int = 16,
    ) -> None:
        super().__init__(num_classes)
        check_counts(hidden=hidden, epochs=epochs, batch_size=batch_size)
        check_positive(lr=lr)
        if hidden > MAX_EXACT:
            raise ValueError(f'hidden is {hidden}; it must be at most {MAX_EXACT}')
        self.hidden, self.lr = hidden, lr
        self.epochs, self.batch_size = epochs, batch_size

    def fit(
        self,
        features: np.ndarray,
        labels: np.ndarray,
        subjects: Sequence[str],
        columns: Mapping[str, Sequence[str]],
    ) -> None:
        """Train a machine with the pairs of each class; see the base class."""
        data = torch.as_tensor(features, dtype=torch.float32).to(self.weight.device)
        self.threshold = data.std(0, correction=0) / 2
        events = self.events(data)
        machines = []
        for cell in make_cells(labels, self.num_classes, columns):
            own = events[torch.as_tensor(cell.pairs).to(events.device)]
            machine = RBM.start(own, self.hidden)
            contrastive_divergence(
                machine,
                own,
                epochs=self.epochs,
                lr=self.lr,
                batch_size=self.batch_size,
            )
            check_finite(machine.parameters, lr=self.lr)
            machines.append(machine)
        stack = RBM.stack(machines)
        self.weight, self.visible_bias, self.hidden_bias = stack.parameters
        self.log_partition = stack.log_partition()

    def events(self, features: Tensor) -> Tensor:
        """Return binary events ``(N, 2F)`` of features ``(N, F)``."""
        higher = features > self.threshold
        lower = features < -self.threshold
        return torch.cat([higher, lower], 1).to(features.dtype)

    def forward(self, features: Tensor) -> Tensor:
        """Return log likelihoods ``(N, num_classes)``."""
        machines = RBM(self.weight, self.visible_bias, self.hidden_bias)
        energy = machines.free_energy(self.events(features))
        return -energy.mT - self.log_partition

    def check_together(self) -> None:
        """Check that loaded buffers belong together; see the base class."""
        units, hidden = 2 * len(self.threshold), self.weight.shape[2]
        check_shapes(
            self,
            {
                'weight': (self.num_classes, units, hidden),
                'visible_bias': (self.num_classes, units),
                'hidden_bias': (self.num_classes, hidden),
                'log_partition': (self.num_classes,),
            },
        )
        if not (self.threshold >= 0).all():
            raise ValueError(
                f'threshold is {self.threshold.min():g} at least; it must be at least 0'
            )
