"""Support vector machines, fitted by scikit-learn and stored as tensors."""

import warnings
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from mmcomp.models.heads.linear_svm_head import INNER_FOLDS
from mmcomp.registry import MODELS

from .base import FittedClassifier
from .checks import check_shapes

KERNELS = ('linear', 'rbf')


def _values(name: str, given: float | Sequence[float]) -> list[float]:
    """Return candidates, the smallest first; raise ValueError if one is not above 0."""
    values = [given] if isinstance(given, (int, float)) else list(given)
    if not values or not min(values) > 0:
        raise ValueError(
            f'{name} is {given!r}; it must be a positive number or a sequence of them'
        )
    return sorted(values)


def anova_f(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the F of an analysis of variance of each of ``(N, F)`` features.

    That of a feature without any variance is 0.
    """
    from sklearn.feature_selection import f_classif

    with np.errstate(divide='ignore', invalid='ignore'), warnings.catch_warnings():
        warnings.filterwarnings('ignore', '(?s)Features .* are constant')
        return np.nan_to_num(f_classif(features, labels)[0])


def one_against_rest(decisions: Tensor, num_classes: int) -> Tensor:
    """Turn decisions between two classes into one for each class.

    As scikit-learn does: votes, and less than a vote for the sum of the decisions.

    Args:
        decisions (Tensor): ``(N, K (K - 1) / 2)``, of the classes (0, 1), (0, 2), ...;
            positive for the first.
        num_classes (int): K.

    Returns:
        Tensor: ``(N, K)``.
    """
    votes = decisions.new_zeros(len(decisions), num_classes)
    sums = torch.zeros_like(votes)
    for decision, (i, j) in zip(decisions.T, combinations(range(num_classes), 2)):
        votes[:, i] += decision >= 0
        votes[:, j] += decision < 0
        sums[:, i] += decision
        sums[:, j] -= decision
    return votes + sums / (3 * (sums.abs() + 1))


def _kernel(rows: np.ndarray, columns: np.ndarray, gamma: float) -> np.ndarray:
    """Return the kernel of all pairs; linear where gamma is 0."""
    products = rows @ columns.T
    if not gamma:
        return products
    squares = [(vectors**2).sum(1) for vectors in (rows, columns)]
    return np.exp(-gamma * (squares[0][:, None] - 2 * products + squares[1]))


def _standardize(
    features: np.ndarray, selected: np.ndarray, mean: np.ndarray, std: np.ndarray
) -> np.ndarray:
    return (features[:, selected] - mean[selected]) / std[selected]


def _machine(C: float, tol: float = 1e-3):
    """Return an SVM; its kernel is computed by us, which is several times faster."""
    from sklearn.svm import SVC

    return SVC(C=C, kernel='precomputed', tol=tol)


def _pairwise(machine, num_classes: int) -> np.ndarray:
    """Return the coefficients of support vectors in each decision of two classes."""
    of_class = np.repeat(np.arange(num_classes), machine.n_support_)
    dual = machine.dual_coef_
    if num_classes == 2:
        return dual
    rows = []
    for i, j in combinations(range(num_classes), 2):
        rows.append(dual[j - 1] * (of_class == i) + dual[i] * (of_class == j))
    return np.array(rows)


@MODELS.register_module()
class SVMClassifier(FittedClassifier):
    r"""SVM with a linear or a Gaussian kernel.

    Features are standardised as in training. Several classes are compared one against
    one, as :class:`sklearn.svm.SVC` does, with its decision function of shape 'ovr'.

    A Gaussian kernel's support vectors are kept exactly. A fixed Nystroem map would be
    smaller, but another machine than scikit-learn's, with landmarks and a rank to
    choose; and with about a thousand training pairs of a few hundred features the
    vectors take a few megabytes. Of a linear kernel, weights are enough.

    Args:
        num_classes (int): Number of classes.
        kernel (str): 'linear', or 'rbf': :math:`\exp(-\gamma |a - b|^2)`.
        C (float | Sequence[float]): The penalty, or candidates.
        gamma (float | Sequence[float]): Of kernel 'rbf', or candidates. It is divided
            by the number of features that are used: 1 is scikit-learn's 'scale'.
        select (int, optional): Keep so many features: those that differ most between
            classes in training, by the F of an analysis of variance.
        keep (int): Number of features at the end that are kept without selection, in
            addition.

    Of several candidates, those of the best accuracy in an inner cross-validation **by
    subject** are chosen; ties go to the smallest C, then the smallest gamma. Features
    are selected and standardised in each of its folds anew.

    Raises:
        ValueError: If an argument is not allowed.
    """

    fitted_buffers: ClassVar[Mapping[str, int]] = {
        'vectors': 2,
        'coefficients': 2,
        'intercept': 1,
        'gamma': 1,
        'penalty': 1,
        'mean': 1,
        'std': 1,
        'selected': 1,
    }
    vectors: Tensor
    coefficients: Tensor
    intercept: Tensor
    gamma: Tensor
    penalty: Tensor
    mean: Tensor
    std: Tensor
    selected: Tensor

    def __init__(
        self,
        num_classes: int,
        kernel: str = 'rbf',
        C: float | Sequence[float] = (0.3, 1.0, 3.0, 10.0),
        gamma: float | Sequence[float] = (0.1, 0.3, 1.0),
        select: int | None = None,
        keep: int = 0,
    ) -> None:
        super().__init__(num_classes)
        if kernel not in KERNELS:
            raise ValueError(
                f'kernel is {kernel!r}; it must be one of '
                f'{", ".join(map(repr, KERNELS))}'
            )
        if select is not None and select < 1:
            raise ValueError(f'select is {select}; it must be at least 1, or None')
        if keep < 0:
            raise ValueError(f'keep is {keep}; it must be at least 0')
        self.kernel = kernel
        self.C = _values('C', C)
        self.gammas = _values('gamma', gamma) if kernel == 'rbf' else [0.0]
        self.select, self.keep = select, keep

    def fit(
        self,
        features: np.ndarray,
        labels: np.ndarray,
        subjects: Sequence[str],
        columns: Mapping[str, Sequence[str]],
    ) -> None:
        """Fit to training pairs; see :meth:`FittedClassifier.fit`.

        Raises:
            ValueError: If a class has no pairs, there are fewer features than to be
                selected, or there are candidates and fewer than two subjects.
        """
        features, labels = np.asarray(features, float), np.asarray(labels)
        for label in range(self.num_classes):
            if label not in labels:
                raise ValueError(
                    f'number of training pairs of class {label} is 0; it must be at '
                    'least 1'
                )
        C, gamma = self._choose(features, labels, subjects)
        selected, mean, std = self._prepare(features, labels)
        vectors = _standardize(features, selected, mean, std)
        gamma /= len(selected)
        kernel = _kernel(vectors, vectors, gamma)
        machine = _machine(C, tol=1e-6).fit(kernel, labels)
        weights = _pairwise(machine, self.num_classes)
        vectors = vectors[machine.support_]
        if self.kernel == 'linear':
            vectors, weights = weights @ vectors, np.eye(len(weights))
        found = dict(
            vectors=vectors,
            coefficients=weights,
            intercept=machine.intercept_,
            gamma=[gamma],
            penalty=[C],
            mean=mean,
            std=std,
            selected=selected,
        )
        for name, value in found.items():
            device = getattr(self, name).device
            setattr(self, name, torch.as_tensor(np.array(value), device=device))

    def forward(self, features: Tensor) -> Tensor:
        """Return decision values ``(N, num_classes)`` of features ``(N, F)``.

        For two classes these are plus and minus half the decision function, so that
        their softmax is its logistic function. That is not a probability.
        """
        if features.shape[1] != len(self.mean):
            raise ValueError(
                f'number of features is {features.shape[1]}; it must be '
                f'{len(self.mean)}, as in training'
            )
        known = ((features.double() - self.mean) / self.std)[:, self.selected]
        if self.kernel == 'linear':
            similarity = known @ self.vectors.T
        else:
            similarity = torch.exp(-self.gamma * torch.cdist(known, self.vectors) ** 2)
        decision = similarity @ self.coefficients.T + self.intercept
        if self.num_classes == 2:
            decision = torch.cat([-decision, decision], 1) / 2
        else:
            decision = one_against_rest(decision, self.num_classes)
        return decision.to(features.dtype)

    def check_together(self) -> None:
        """Check that loaded buffers belong together; see the base class."""
        planes = self.num_classes * (self.num_classes - 1) // 2
        size, width = len(self.mean), self.vectors.shape[1]
        check_shapes(
            self,
            {
                'vectors': (len(self.vectors), len(self.selected)),
                'coefficients': (planes, len(self.vectors)),
                'intercept': (planes,),
                'gamma': (1,),
                'penalty': (1,),
                'std': (size,),
                'selected': (width,),
            },
        )
        low, high = int(self.selected.min()), int(self.selected.max())
        if self.selected.is_floating_point() or low < 0 or high >= size:
            raise ValueError(
                f'selected is {low} to {high}; it must be 0 to {size - 1}, integers'
            )
        if not (self.std > 0).all():
            raise ValueError(
                f'std is {float(self.std.min())} at least; it must be above 0'
            )

    def _choose(
        self, features: np.ndarray, labels: np.ndarray, subjects: Sequence[str]
    ) -> tuple[float, float]:
        """Choose C and gamma by subjects."""
        candidates = [(C, gamma) for C in self.C for gamma in self.gammas]
        if len(candidates) == 1:
            return candidates[0]
        from sklearn.model_selection import GroupKFold

        count = len(set(subjects))
        if count < 2:
            raise ValueError(
                f'number of subjects is {count}; it must be at least 2 to choose C or '
                'gamma'
            )
        scores = np.zeros(len(candidates))
        folds = GroupKFold(min(INNER_FOLDS, count))
        for train, test in folds.split(features, labels, np.asarray(subjects)):
            if len(set(labels[train])) < 2:
                continue  # nothing to choose by
            selected, mean, std = self._prepare(features[train], labels[train])
            vectors = _standardize(features, selected, mean, std)
            for gamma in self.gammas:
                kernel = _kernel(vectors, vectors[train], gamma / len(selected))
                for C in self.C:
                    machine = _machine(C).fit(kernel[train], labels[train])
                    scores[candidates.index((C, gamma))] += machine.score(
                        kernel[test], labels[test]
                    )
        return candidates[int(scores.argmax())]

    def _prepare(
        self, features: np.ndarray, labels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the features to use, and the mean and standard deviation of all."""
        std = features.std(0)
        return (
            self._best(features, labels),
            features.mean(0),
            np.where(std > 0, std, 1.0),
        )

    def _best(self, features: np.ndarray, labels: np.ndarray) -> np.ndarray:
        width = features.shape[1]
        everything = np.arange(width)
        if self.select is None:
            return everything
        block = width - self.keep
        if block < self.select:
            raise ValueError(
                f'select is {self.select}; it must be at most {block}, the number of '
                'features that may be selected'
            )
        order = np.argsort(-anova_f(features[:, :block], labels), kind='stable')
        return np.append(np.sort(order[: self.select]), everything[block:])
