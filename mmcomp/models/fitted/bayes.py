"""Linear Gaussian Bayesian networks, one for each cell of training pairs."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from mmcomp.columns import EMOTION, GENDER
from mmcomp.registry import MODELS

from .base import FittedClassifier
from .cells import column_names, make_cells
from .checks import check_scale, check_shapes, check_shares
from .gaussian_rbm import mean_and_scale

#: Most parents that a feature has (our choice).
MAX_PARENTS = 3
#: Added to the variances of standardised features (our choice).
RIDGE = 0.05
_ADD, _DELETE, _REVERSE = range(3)


def learn_edges(
    covariance: np.ndarray, count: int, max_parents: int = MAX_PARENTS
) -> np.ndarray:
    """Learn which variables of a Gaussian network depend on which.

    Starting without edges, the edge that raises :func:`bic` most is added, deleted or
    reversed, until none does. There are no cycles.

    Args:
        covariance (np.ndarray): ``(F, F)``, positive definite.
        count (int): Number of samples that it is from.
        max_parents (int): Most parents that a variable has.

    Returns:
        np.ndarray: ``(F, F)``, bool; the row is the parent, the column the child.
    """
    size = len(covariance)
    edges = np.zeros((size, size), bool)
    # What adding (deleting) the edge from the row to the column changes the BIC by.
    added, deleted = np.zeros((2, size, size))
    changed = np.arange(size)
    while True:
        for i in changed.tolist():
            parents = np.flatnonzero(edges[:, i])
            added[:, i], deleted[:, i] = _changes(covariance, count, parents, i)
        paths = _paths(edges)
        room = edges.sum(0) < max_parents
        allowed = np.stack(
            [
                ~edges & ~paths.T & ~np.eye(size, dtype=bool) & room,
                edges,
                edges & ~(edges @ paths) & room[:, None],
            ]
        )
        gains = np.stack([added, deleted, deleted + added.T])
        # Both directions of a first edge gain the same but for rounding, which must
        # not choose between them: it differs between processors.
        gains = np.where(allowed, gains.round(9), -np.inf)
        move, parent, child = np.unravel_index(gains.argmax(), gains.shape)
        if gains[move, parent, child] <= 0:
            return edges
        edges[parent, child] = move == _ADD
        edges[child, parent] = move == _REVERSE
        changed = np.array([parent, child])


def regress(covariance: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Regress each variable of a network on its parents.

    Args:
        covariance (np.ndarray): ``(F, F)``, positive definite.
        edges (np.ndarray): ``(F, F)``, bool, from row to column.

    Returns:
        tuple[np.ndarray, np.ndarray]: Coefficients ``(F, F)``, of the row for the
        column, and variances of the residuals ``(F,)``.
    """
    coefficients = np.zeros(covariance.shape)
    for child in range(len(covariance)):
        parents = np.flatnonzero(edges[:, child])
        coefficients[parents, child] = np.linalg.solve(
            covariance[np.ix_(parents, parents)], covariance[parents, child]
        )
    variances = np.diag(covariance) - (coefficients * covariance).sum(0)
    return coefficients, variances


def bic(covariance: np.ndarray, count: int, edges: np.ndarray) -> float:
    """Return the Bayesian information criterion of a network; more is better.

    It is the log likelihood of the samples less ``log(count) / 2`` for each parameter:
    a mean, a variance and the coefficients of each variable.

    Args:
        covariance (np.ndarray): ``(F, F)``, of ``count`` samples, divided by ``count``.
        count (int): Number of samples.
        edges (np.ndarray): ``(F, F)``, bool, from row to column.
    """
    _, variances = regress(covariance, edges)
    likelihood = -count / 2 * (np.log(2 * np.pi * variances) + 1).sum()
    return float(likelihood - (2 * len(edges) + edges.sum()) / 2 * np.log(count))


def _changes(
    covariance: np.ndarray, count: int, parents: np.ndarray, child: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return what adding, and deleting, each parent changes a child's BIC by."""
    own = covariance[parents]
    inverse = np.linalg.inv(own[:, parents])
    weights = inverse @ own[:, child]
    left = covariance[child, child] - weights @ own[:, child]
    # What the parents leave of the other variables, and
    # what they leave of their covariance with the child.
    rest = np.diag(covariance) - (own * (inverse @ own)).sum(0)
    shared = covariance[child] - weights @ own
    other = np.ones(len(covariance), bool)
    other[[*parents, child]] = False
    added, deleted = np.zeros((2, len(covariance)))
    lowered = left - shared[other] ** 2 / rest[other]
    raised = left + weights**2 / np.diag(inverse)
    added[other] = -(count * np.log(lowered / left) + np.log(count)) / 2
    deleted[parents] = -(count * np.log(raised / left) - np.log(count)) / 2
    return added, deleted


def _paths(edges: np.ndarray) -> np.ndarray:
    """Return from which variable (row) edges lead to which (column)."""
    paths = edges
    for _ in range(len(edges).bit_length()):
        paths = paths | (paths @ paths)
    return paths


@MODELS.register_module()
class BayesianNetworkClassifier(FittedClassifier):
    """Several linear Gaussian Bayesian networks of each class.

    After Wang, Wu, He, Wang and Ji 2015 (Machine Vision and Applications), who give
    geometric features, tests of which of them differ between posed and spontaneous
    expressions, and several networks of each class, given gender and expression, which
    are known in training only. The text is not public, and the rest is our choice: the
    search for edges (:func:`learn_edges`), at most 3 parents, a ridge of 0.05 on the
    covariance of standardised features, and the decision. The score of a class is the
    log of its density, the mixture of its networks; each weighs what its cell is of the
    class (:mod:`mmcomp.models.fitted.cells`). Classes are equally likely before.

    The test is that of Kruskal and Wallis, of each feature by itself. Its p-values are
    in the buffer ``p_values``, and their number below the level is logged. They take
    pairs for independent, although a subject has many.

    Args:
        num_classes (int): Number of classes.
        given (str | Sequence[str] | None): Columns of the pair table that are known in
            training only. Of several, each combination of values has its network.
        significance (float | None): Features of which the test's p-value is not below
            this are left out. None: all are used.
    """

    fitted_buffers: ClassVar[Mapping[str, int]] = {
        'mean': 1,
        'scale': 1,
        'p_values': 1,
        'shares': 2,
        'means': 2,
        'coefficients': 3,
        'variances': 2,
    }
    mean: Tensor  # (F,)
    scale: Tensor  # (F,)
    p_values: Tensor  # (F,)
    shares: Tensor  # (num_classes, K networks); 0 if a network is of another class
    means: Tensor  # (K, F), of standardised features
    coefficients: Tensor  # (K, F, F), of the row for the column
    variances: Tensor  # (K, F), of the residuals

    def __init__(
        self,
        num_classes: int = 2,
        given: str | Sequence[str] | None = (EMOTION, GENDER),
        significance: float | None = None,
    ) -> None:
        super().__init__(num_classes)
        if significance is not None and not 0 < significance <= 1:
            raise ValueError(
                f'significance is {significance}; it must be None or above 0 and at '
                'most 1'
            )
        self.given = column_names(given)
        self.significance = significance

    def fit(
        self,
        features: np.ndarray,
        labels: np.ndarray,
        subjects: Sequence[str],
        columns: Mapping[str, Sequence[str]],
    ) -> None:
        """Learn a network of each cell of class and privileged values."""
        cells = make_cells(labels, self.num_classes, columns, self.given)
        p_values = difference_p_values(features, labels)
        data = torch.as_tensor(features, dtype=torch.float64)
        mean, scale = mean_and_scale(data)
        standard = ((data - mean) / scale).numpy()
        used = self._used(p_values)
        shares = np.zeros((self.num_classes, len(cells)))
        means = np.zeros((len(cells), len(mean)))
        variances = np.ones_like(means)
        coefficients = np.zeros((*means.shape, len(mean)))
        for i, cell in enumerate(cells):
            shares[cell.label, i] = np.exp(cell.log_share)
            # A feature left out is the same in all networks, so it never matters.
            own = standard[np.ix_(cell.pairs, used)]
            covariance = np.cov(own.T, bias=True) + RIDGE * np.eye(len(used))
            edges = learn_edges(covariance, len(own))
            means[i, used] = own.mean(0)
            coefficients[i][np.ix_(used, used)], variances[i, used] = regress(
                covariance, edges
            )
        found = dict(
            mean=mean,
            scale=scale,
            p_values=p_values,
            shares=shares,
            means=means,
            coefficients=coefficients,
            variances=variances,
        )
        for name, value in found.items():
            setattr(self, name, torch.as_tensor(value).float())

    def log_likelihoods(self, features: Tensor) -> Tensor:
        """Return the log density of features under each network, ``(N, K)``.

        Args:
            features (Tensor): ``(N, F)``; the density is that of the standardised ones.
        """
        standard = (features - self.mean) / self.scale
        centred = standard[:, None] - self.means
        residuals = centred - torch.einsum('nkp,kpc->nkc', centred, self.coefficients)
        logs = torch.log(2 * torch.pi * self.variances)
        return -(residuals**2 / self.variances + logs).sum(-1) / 2

    def forward(self, features: Tensor) -> Tensor:
        """Return the log density of features in each class, ``(N, num_classes)``."""
        likelihoods = self.log_likelihoods(features)[:, None] + torch.log(self.shares)
        return torch.logsumexp(likelihoods, -1)

    def check_together(self) -> None:
        """Check that loaded buffers belong together; see the base class."""
        count, size = self.means.shape
        check_shapes(
            self,
            dict(
                mean=(size,),
                scale=(size,),
                p_values=(size,),
                shares=(self.num_classes, count),
                coefficients=(count, size, size),
                variances=(count, size),
            ),
        )
        check_scale(self.scale)
        check_shares(self.shares)
        if not (self.variances > 0).all():
            raise ValueError(
                f'variances is {self.variances.min():g} at least; it must be above 0'
            )

    def _used(self, p_values: np.ndarray) -> np.ndarray:
        """Return the positions of the features to use; log how many differ."""
        level = 0.05 if self.significance is None else self.significance
        differing = np.flatnonzero(p_values < level)
        print_log(
            f'{len(differing)} of {len(p_values)} features differ between the classes '
            f'(Kruskal-Wallis, p < {level:g})',
            logger='current',
        )
        if self.significance is None:
            return np.arange(len(p_values))
        if not len(differing):
            raise ValueError(
                f'significance is {level:g}; it must be above {p_values.min():.3g}, '
                'the least p-value of the features'
            )
        return differing


def difference_p_values(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return p-values of the Kruskal-Wallis test of each feature between the classes.

    Args:
        features (np.ndarray): ``(N, F)``.
        labels (np.ndarray): ``(N,)``, class indices.

    Returns:
        np.ndarray: p-values ``(F,)``; 1 for a feature with one value only.
    """
    from scipy.stats import kruskal

    p_values = np.ones(features.shape[1])
    varies = np.ptp(features, 0) > 0
    groups = [features[labels == label][:, varies] for label in np.unique(labels)]
    p_values[varies] = kruskal(*groups, axis=0).pvalue
    return p_values
