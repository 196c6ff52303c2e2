"""Metrics of the field as pure functions of arrays, in fractions.

``labels`` and ``predicted`` are class indices of shape ``(N,)``. All raise ValueError
for empty or unequal input.
"""

import numpy as np

# scikit-learn is imported where it is used: that takes a second, and a training needs
# it only at its end.


def _check(labels, predicted) -> tuple[np.ndarray, np.ndarray]:
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    if len(labels) == 0 or len(labels) != len(predicted):
        raise ValueError(
            f'{len(labels)} labels and {len(predicted)} predictions; as many of each '
            'are needed, and at least one'
        )
    return labels, predicted


def error_counts(labels, predicted) -> tuple[int, int]:
    """How many predictions are wrong, and how many there are."""
    labels, predicted = _check(labels, predicted)
    return int((labels != predicted).sum()), len(labels)


def majority_error(labels) -> float:
    """Error of always answering the most frequent class of these labels."""
    labels, _ = _check(labels, labels)
    return float(1 - np.unique(labels, return_counts=True)[1].max() / len(labels))


def uar(labels, predicted) -> float:
    """Unweighted average recall: the mean of the classes' recalls.

    A class without samples has no recall and is left out of the mean.
    """
    from sklearn.metrics import recall_score

    labels, predicted = _check(labels, predicted)
    classes = np.unique(labels)
    return float(recall_score(labels, predicted, labels=classes, average='macro'))


def uf1(labels, predicted) -> float:
    """Unweighted F1: the mean of 2 TP / (2 TP + FP + FN) over the classes.

    A class that is predicted but has no samples counts with 0; one that is neither has
    no F1 and is left out.
    """
    from sklearn.metrics import f1_score

    labels, predicted = _check(labels, predicted)
    classes = np.union1d(labels, predicted)
    return float(f1_score(labels, predicted, labels=classes, average='macro'))


def auc(labels, scores) -> float:
    """Area under the ROC curve; for more than two classes the mean of one against rest.

    Args:
        labels: ``(N,)``, class indices.
        scores: ``(N, K)``, a score for each class.

    Returns:
        float: NaN if fewer than two classes have samples.
    """
    from sklearn.metrics import roc_auc_score

    labels, scores = _check(labels, scores)
    classes = np.unique(labels)
    if len(classes) < 2:
        return float('nan')
    if scores.shape[1] == 2:
        return float(roc_auc_score(labels, scores[:, 1]))
    return float(np.mean([roc_auc_score(labels == c, scores[:, c]) for c in classes]))
