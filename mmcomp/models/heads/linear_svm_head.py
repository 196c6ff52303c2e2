"""A linear SVM, fitted by scikit-learn and kept as tensors."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from mmcomp.registry import MODELS

INNER_FOLDS = 5


def fit_linear_svm(
    features: np.ndarray,
    labels: np.ndarray,
    subjects: Sequence[str] | None = None,
    C: float | Sequence[float] = 1.0,
):
    """Standardise features and fit a linear SVM.

    Args:
        features (np.ndarray): ``(N, D)``.
        labels (np.ndarray): ``(N,)``, class indices.
        subjects (Sequence[str], optional): Of the N samples; needed to choose C.
        C (float | Sequence[float]): The penalty, or penalties of which the best in an
            inner cross-validation **by subject** is taken, the smallest of equals.

    Returns:
        Pipeline: scaler and :class:`sklearn.svm.LinearSVC`, fitted.

    Raises:
        ValueError: If there are several C and fewer than two subjects.
    """
    from sklearn.model_selection import GridSearchCV, GroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    machine = make_pipeline(
        StandardScaler(), LinearSVC(max_iter=10_000, random_state=0)
    )
    if isinstance(C, (int, float)):
        return machine.set_params(linearsvc__C=C).fit(features, labels)
    count = len(set(subjects or ()))
    if count < 2:
        raise ValueError(
            f'choosing C of {list(C)} needs 2 subjects, but there are {count}'
        )
    search = GridSearchCV(
        machine, {'linearsvc__C': sorted(C)}, cv=GroupKFold(min(INNER_FOLDS, count))
    )
    return search.fit(features, labels, groups=np.asarray(subjects)).best_estimator_


@MODELS.register_module()
class LinearSVMHead(nn.Module):
    """Decides by a linear SVM; its weights are buffers of the network.

    So a stack is loaded, tested and exported like any other network, and no pickle of
    scikit-learn is stored. Standardisation is folded into the weights.

    Args:
        num_classes (int): Number of classes.
        in_channels (int): Number of features D.
        C (float | Sequence[float]): See :func:`fit_linear_svm`. The paper does not say;
            1.0 on standardised features is our choice.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        C: float | Sequence[float] = 1.0,
    ) -> None:
        super().__init__()
        values = [C] if isinstance(C, (int, float)) else list(C)
        if not values or min(values) <= 0:
            raise ValueError(
                f'C is {C!r}; a positive number or some of them are needed'
            )
        self.C = C
        planes = 1 if num_classes == 2 else num_classes
        self.register_buffer('weight', torch.zeros(planes, in_channels))
        self.register_buffer('bias', torch.zeros(planes))
        self.register_buffer('chosen_C', torch.zeros(()))  # 0 until fitted

    @property
    def is_fitted(self) -> bool:
        """Whether :meth:`fit` was called, now or before the weights were saved."""
        return bool(self.chosen_C > 0)

    def fit(
        self,
        features: np.ndarray,
        labels: np.ndarray,
        subjects: Sequence[str] | None = None,
    ) -> None:
        """Fit the SVM on features ``(N, D)``; see :func:`fit_linear_svm`."""
        scaler, svm = fit_linear_svm(features, labels, subjects, self.C)
        weight = svm.coef_ / scaler.scale_
        bias = svm.intercept_ - weight @ scaler.mean_
        self.weight.copy_(torch.from_numpy(weight))
        self.bias.copy_(torch.from_numpy(bias))
        self.chosen_C.fill_(svm.C)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Decision values ``(B, num_classes)`` of features ``(B, D)``.

        For two classes half the distance to the plane, with either sign: a softmax
        makes the logistic function of the distance of it. That is no probability.

        Raises:
            RuntimeError: If the SVM was never fitted.
        """
        if not torch.compiler.is_exporting() and not self.is_fitted:
            raise RuntimeError(
                'the SVM of this stack is not fitted: train with FitStackHook, or load '
                'a checkpoint of a trained stack'
            )
        distance = nn.functional.linear(features, self.weight, self.bias)
        if distance.shape[1] == 1:
            distance = torch.cat([-distance, distance], 1) / 2
        return distance
