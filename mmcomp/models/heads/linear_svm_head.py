"""A linear SVM, fitted by scikit-learn and stored as tensors."""

from collections.abc import Sequence
from typing import Any

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
        C (float | Sequence[float]): The penalty, or candidates. Of several, the best in
            an inner cross-validation **by subject** is chosen; ties go to the smallest.

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
            f'number of subjects is {count}; it must be at least 2 to choose C from '
            f'{list(C)}'
        )
    search = GridSearchCV(
        machine, {'linearsvc__C': sorted(C)}, cv=GroupKFold(min(INNER_FOLDS, count))
    )
    return search.fit(features, labels, groups=np.asarray(subjects)).best_estimator_


@MODELS.register_module()
class LinearSVMHead(nn.Module):
    """Linear SVM whose weights are buffers of the network.

    A stack is therefore loaded, tested and exported like any other network, without a
    pickle of scikit-learn. Standardisation is folded into the weights.

    Args:
        num_classes (int): Number of classes.
        in_channels (int, optional): Number of features D; None takes that of the
            training data, or of a checkpoint.
        C (float | Sequence[float]): See :func:`fit_linear_svm`. The paper does not say;
            1.0 on standardised features is our choice.
    """

    weight: torch.Tensor
    bias: torch.Tensor
    chosen_C: torch.Tensor

    def __init__(
        self,
        num_classes: int,
        in_channels: int | None,
        C: float | Sequence[float] = 1.0,
    ) -> None:
        super().__init__()
        values = [C] if isinstance(C, (int, float)) else list(C)
        if not values or min(values) <= 0:
            raise ValueError(
                f'C is {C!r}; it must be a positive number or a sequence of them'
            )
        self.C = C
        planes = 1 if num_classes == 2 else num_classes
        self.in_channels = in_channels
        self.register_buffer('weight', torch.zeros(planes, in_channels or 0))
        self.register_buffer('bias', torch.zeros(planes))
        self.register_buffer('chosen_C', torch.zeros(()))  # 0 until fitted

    @property
    def is_fitted(self) -> bool:
        """Whether :meth:`fit` was called, now or before the weights were saved."""
        return bool(self.chosen_C > 0)

    def check_fitted(self) -> None:
        """Check that the SVM is fitted.

        Raises:
            ValueError: If it is not.
        """
        if not self.is_fitted:
            raise ValueError(
                'the SVM of this stack is not fitted; train it with FitStackHook, or '
                'load the checkpoint of a trained stack'
            )

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
        self.weight = torch.from_numpy(weight).to(self.weight)
        self.bias.copy_(torch.from_numpy(bias))
        self.chosen_C.fill_(svm.C)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return decision values ``(B, num_classes)`` of features ``(B, D)``.

        For two classes these are plus and minus half the decision function, so that
        their softmax is its logistic function. That is not a probability.

        Raises:
            ValueError: If the SVM is not fitted.
        """
        if not torch.compiler.is_exporting():
            self.check_fitted()
        distance = nn.functional.linear(features, self.weight, self.bias)
        if distance.shape[1] == 1:
            distance = torch.cat([-distance, distance], 1) / 2
        return distance

    def _load_from_state_dict(
        self, state_dict: dict[str, torch.Tensor], prefix: str, *args: Any
    ) -> None:
        found = state_dict.get(f'{prefix}weight')
        if self.in_channels is None and found is not None:
            self.weight = self.weight.new_empty(found.shape)
        super()._load_from_state_dict(state_dict, prefix, *args)
