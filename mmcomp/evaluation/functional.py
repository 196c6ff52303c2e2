"""Metrics of the field as pure functions of arrays, in fractions.

``labels`` and ``predicted`` are class indices of shape ``(N,)``. All raise ValueError
if they are empty or differ in length.
"""

import numpy as np
from numpy.typing import ArrayLike

# scikit-learn is imported where it is used: that takes a second, and a training needs
# it only at its end.


def _check(labels: ArrayLike, predicted: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    if len(labels) == 0 or len(labels) != len(predicted):
        raise ValueError(
            f'{len(labels)} labels and {len(predicted)} predictions; there must be as '
            'many of each, and at least one'
        )
    return labels, predicted


def error_counts(labels: ArrayLike, predicted: ArrayLike) -> tuple[int, int]:
    """Return how many predictions are errors, and how many there are.

    Examples:
        >>> error_counts([0, 1, 1], [0, 1, 0])
        (1, 3)
    """
    labels, predicted = _check(labels, predicted)
    return int((labels != predicted).sum()), len(labels)


def majority_error(labels: ArrayLike) -> float:
    """Return the error of always answering the most frequent class of these labels.

    Examples:
        >>> majority_error([0, 0, 0, 1])
        0.25
    """
    labels, _ = _check(labels, labels)
    return float(1 - np.unique(labels, return_counts=True)[1].max() / len(labels))


def uar(labels: ArrayLike, predicted: ArrayLike) -> float:
    """Return the unweighted average recall: the mean of the classes' recalls.

    A class without samples has no recall and is left out of the mean.

    Examples:
        Recalls of 1/2 and 1:

        >>> uar([0, 0, 1, 1], [0, 1, 1, 1])
        0.75
    """
    from sklearn.metrics import recall_score

    labels, predicted = _check(labels, predicted)
    classes = np.unique(labels)
    return float(recall_score(labels, predicted, labels=classes, average='macro'))


def uf1(labels: ArrayLike, predicted: ArrayLike) -> float:
    """Return the unweighted F1: the mean of 2 TP / (2 TP + FP + FN) over the classes.

    A class that is predicted but has no samples counts with 0; one that is neither has
    no F1 and is left out.

    Examples:
        F1 of 2/3 and 4/5:

        >>> round(uf1([0, 0, 1, 1], [0, 1, 1, 1]), 4)
        0.7333
    """
    from sklearn.metrics import f1_score

    labels, predicted = _check(labels, predicted)
    classes = np.union1d(labels, predicted)
    return float(f1_score(labels, predicted, labels=classes, average='macro'))


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the area under the ROC curve.

    For more than two classes it is the mean over the classes of each against the rest.

    Args:
        labels: ``(N,)``, class indices.
        scores: ``(N, K)``, a score for each class.

    Returns:
        float: NaN if fewer than two classes have samples.

    Examples:
        Three of the four pairs of a sample of either class are in order:

        >>> auc([0, 0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.5, 0.5], [0.2, 0.8]])
        0.75
    """
    from sklearn.metrics import roc_auc_score

    labels, scores = _check(labels, scores)
    classes = np.unique(labels)
    if len(classes) < 2:
        return float('nan')
    if scores.shape[1] == 2:
        return float(roc_auc_score(labels, scores[:, 1]))
    return float(np.mean([roc_auc_score(labels == c, scores[:, c]) for c in classes]))
