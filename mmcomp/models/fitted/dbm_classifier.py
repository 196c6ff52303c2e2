"""The network of Gan et al., which starts from a deep Boltzmann machine."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmcomp.registry import MODELS

from .base import FittedClassifier
from .checks import (
    check_counts,
    check_finite,
    check_positive,
    check_scale,
    check_shapes,
)
from .dbm import DBM
from .gaussian_rbm import mean_and_scale
from .rbm import batches

_MACHINE = (
    'machine_weight1',
    'machine_weight2',
    'machine_visible_bias',
    'machine_bias1',
    'machine_bias2',
)
_NETWORK = ('weight1', 'feedback', 'bias1', 'weight2', 'bias2', 'weight3', 'bias3')


@MODELS.register_module()
class DBMClassifier(FittedClassifier):
    """A network made of a deep Boltzmann machine, for difference images.

    After Gan, Wu, Wang and Ji, "Posed and spontaneous facial expression differentiation
    using deep Boltzmann machines" (2015). Difference images as input and a machine of
    two layers that is trained to distinguish the classes are theirs. Ours, as their
    text could not be read: all sizes and rates, and the two steps. First, a machine is
    trained without labels. Then a network starts from it: ``h1 = sigmoid(W1'v + A q2 +
    c1)``, ``h2 = sigmoid(W2'h1 + c2)`` and a softmax, where q2 are the mean-field
    probabilities of the machine's second layer and A starts from W2. So at first h1 and
    h2 are the mean-field probabilities.

    Args:
        num_classes (int): Number of classes.
        hidden (Sequence[int]): Units of the two layers.
        pretrain_lr (Sequence[float]): Learning rates of CD-1 of the two layers.
        pretrain_epochs (int): Passes over the training pairs, for each layer.
        joint_lr (float): First learning rate of the joint training.
        joint_epochs (int): Passes of persistent contrastive divergence in both layers;
            0 for none.
        lr (float): Learning rate of AdamW.
        weight_decay (float): Weight decay of AdamW.
        dropout (Sequence[float]): Of the input and the two layers.
        epochs (int): Passes of the network over the training pairs.
        batch_size (int): Size of a batch, always.
    """

    fitted_buffers: ClassVar[Mapping[str, int]] = dict(
        mean=1,
        scale=1,
        machine_weight1=2,
        machine_weight2=2,
        machine_visible_bias=1,
        machine_bias1=1,
        machine_bias2=1,
        weight1=2,
        feedback=2,
        bias1=1,
        weight2=2,
        bias2=1,
        weight3=2,
        bias3=1,
    )
    mean: Tensor
    scale: Tensor
    machine_weight2: Tensor

    def __init__(
        self,
        num_classes: int,
        hidden: Sequence[int] = (200, 100),
        pretrain_lr: Sequence[float] = (0.001, 0.02),
        pretrain_epochs: int = 40,
        joint_lr: float = 5e-4,
        joint_epochs: int = 0,
        lr: float = 1e-3,
        weight_decay: float = 1e-3,
        dropout: Sequence[float] = (0.1, 0.3, 0.3),
        epochs: int = 40,
        batch_size: int = 32,
    ) -> None:
        super().__init__(num_classes)
        for name, values, length in (
            ('hidden', hidden, 2),
            ('pretrain_lr', pretrain_lr, 2),
            ('dropout', dropout, 3),
        ):
            if not isinstance(values, (list, tuple)) or len(values) != length:
                raise ValueError(f'{name} is {values!r}; it must be {length} numbers')
        for units in hidden:
            check_counts(hidden=units)
        for rate in pretrain_lr:
            check_positive(pretrain_lr=rate)
        if not all(isinstance(p, (int, float)) and 0 <= p < 1 for p in dropout):
            raise ValueError(f'dropout is {dropout!r}; each must be from 0 to below 1')
        check_counts(
            pretrain_epochs=pretrain_epochs, epochs=epochs, batch_size=batch_size
        )
        check_counts(least=0, joint_epochs=joint_epochs)
        check_positive(joint_lr=joint_lr, lr=lr)
        if not isinstance(weight_decay, (int, float)) or not weight_decay >= 0:
            raise ValueError(f'weight_decay is {weight_decay!r}; it must be at least 0')
        self.hidden, self.pretrain_lr = tuple(hidden), tuple(pretrain_lr)
        self.pretrain_epochs, self.batch_size = pretrain_epochs, batch_size
        self.joint_lr, self.joint_epochs = joint_lr, joint_epochs
        self.lr, self.weight_decay, self.epochs = lr, weight_decay, epochs
        self.dropout = tuple(dropout)

    def fit(
        self,
        features: np.ndarray,
        labels: np.ndarray,
        subjects: Sequence[str],
        columns: Mapping[str, Sequence[str]],
    ) -> None:
        """Train the machine without labels, and the network; see the base class."""
        data = torch.as_tensor(features, dtype=torch.float32).to(self.mean.device)
        targets = torch.as_tensor(labels).long().to(data.device)
        self.mean, self.scale = mean_and_scale(data)
        data = (data - self.mean) / self.scale
        machine = DBM.pretrain(
            data, self.hidden, self.pretrain_lr, self.pretrain_epochs, self.batch_size
        )
        if self.joint_epochs:
            machine.train_jointly(
                data, self.joint_epochs, self.joint_lr, self.batch_size
            )
        for name, value in zip(_MACHINE, machine.parameters):
            setattr(self, name, value)
        start = start_network(machine, self.num_classes)
        network = self._train_network(start, machine, data, targets)
        for name, value in zip(_NETWORK, network):
            setattr(self, name, value)

    def forward(self, features: Tensor) -> Tensor:
        """Return scores before the softmax, ``(N, num_classes)``."""
        visible = (features - self.mean) / self.scale
        machine = DBM(*(getattr(self, name) for name in _MACHINE))
        network = [getattr(self, name) for name in _NETWORK]
        return run_network(network, visible, machine.mean_field(visible)[1])

    def check_together(self) -> None:
        """Check that loaded buffers belong together; see the base class."""
        size, (first, second) = len(self.mean), self.machine_weight2.shape
        check_shapes(
            self,
            {
                'scale': (size,),
                'machine_weight1': (size, first),
                'machine_visible_bias': (size,),
                'machine_bias1': (first,),
                'machine_bias2': (second,),
                'weight1': (size, first),
                'feedback': (second, first),
                'bias1': (first,),
                'weight2': (first, second),
                'bias2': (second,),
                'weight3': (second, self.num_classes),
                'bias3': (self.num_classes,),
            },
        )
        check_scale(self.scale)

    def _train_network(
        self,
        start: Sequence[Tensor],
        machine: DBM,
        data: Tensor,
        targets: Tensor,
    ) -> list[Tensor]:
        """Train the network by AdamW; return its parameters."""
        with torch.enable_grad():
            second = machine.mean_field(data)[1]
            network = [p.clone().requires_grad_() for p in start]
            optimizer = torch.optim.AdamW(
                network, lr=self.lr, weight_decay=self.weight_decay, fused=True
            )
            for chosen in batches(data, self.batch_size, self.epochs):
                scores = run_network(
                    network, data[chosen], second[chosen], self.dropout
                )
                optimizer.zero_grad()
                F.cross_entropy(scores, targets[chosen]).backward()
                optimizer.step()
        check_finite(network, lr=self.lr)
        return [p.detach() for p in network]


def start_network(machine: DBM, num_classes: int) -> list[Tensor]:
    """Return the network's parameters before training; the softmax starts from 0."""
    weight1, weight2, _, bias1, bias2 = machine.parameters
    output = bias2.new_zeros(len(bias2), num_classes)
    return [weight1, weight2.mT, bias1, weight2, bias2, output, output[0]]


def hidden_layers(
    network: Sequence[Tensor],
    visible: Tensor,
    second: Tensor,
    dropout: Sequence[float] = (0, 0, 0),
) -> tuple[Tensor, Tensor]:
    """Return the network's hidden layers ``(N, H1)`` and ``(N, H2)``."""
    weight1, feedback, bias1, weight2, bias2 = network[:5]
    inputs = F.dropout(visible, dropout[0]) @ weight1
    first = torch.sigmoid(inputs + second @ feedback + bias1)
    return first, torch.sigmoid(F.dropout(first, dropout[1]) @ weight2 + bias2)


def run_network(
    network: Sequence[Tensor],
    visible: Tensor,
    second: Tensor,
    dropout: Sequence[float] = (0, 0, 0),
) -> Tensor:
    """Return the network's scores ``(N, num_classes)``.

    Args:
        network (Sequence[Tensor]): Its parameters: W1, A, c1, W2, c2 and the softmax's
            weight and bias.
        visible (Tensor): ``(N, D)``.
        second (Tensor): Mean-field probabilities q2 of the machine, ``(N, H2)``.
        dropout (Sequence[float]): Of the input and the two layers.
    """
    top = hidden_layers(network, visible, second, dropout)[1]
    return F.dropout(top, dropout[2]) @ network[5] + network[6]
