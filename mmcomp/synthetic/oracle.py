"""The error that remains when the true coefficients are known.

A classifier on the coefficients of the recipe, not on pictures, and tested on
subjects that it was not fitted on. No network that sees only the pictures should
be expected to do better.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from .expressions import EMOTIONS, SIDED, UNSIDED, sides
from .meta import read_meta

#: Folds by subject, or one for each subject where there are fewer.
FOLDS = 10


def oracle_error(dataset_dir: str | Path) -> dict[str, dict[str, int]]:
    """Read the oracle's error, which was computed when the set was made.

    Returns:
        For ``logistic`` and ``boosting`` the number of ``wrong`` pairs and the
        ``total``.
    """
    return read_meta(dataset_dir)['oracle']


def compute_oracle(coefficients: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Fit the oracle by cross-validation over subjects.

    Args:
        coefficients: The table ``coefficients.csv`` of a dataset.

    Returns:
        As ``oracle_error``.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    features, emotion = oracle_features(coefficients)
    # One slope for all emotions, and one more for each.
    products = (emotion[:, :, None] * features[:, None, :]).reshape(len(features), -1)
    cases = {
        'logistic': (
            make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=5000)),
            np.hstack([emotion, features, products]),
        ),
        'boosting': (
            HistGradientBoostingClassifier(random_state=0),
            np.hstack([emotion, features]),
        ),
    }
    label = coefficients['label'].to_numpy()
    subject = coefficients['subject'].to_numpy()
    folds = GroupKFold(min(FOLDS, len(np.unique(subject))))
    errors = {}
    # Threads that wait for each other take minutes on a busy machine.
    with threadpool_limits(1):
        for name, (model, values) in cases.items():
            guess = cross_val_predict(model, values, label, groups=subject, cv=folds)
            errors[name] = {'wrong': int((guess != label).sum()), 'total': len(label)}
    return errors


def oracle_features(coefficients: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Describe the expressions by features.

    Returns:
        Mean activation of each muscle, signed and absolute asymmetry ``(N, K)``,
        and the emotion, one-hot ``(N, 6)``.
    """

    def column(muscle: str) -> np.ndarray:
        return coefficients[f'expression.{muscle}'].to_numpy()

    left, right = (
        np.stack([column(sides(muscle)[side]) for muscle in SIDED], axis=1)
        for side in (0, 1)
    )
    middle = np.stack([column(muscle) for muscle in UNSIDED], axis=1)
    tilt = (left - right).sum(axis=1) / np.maximum((left + right).sum(axis=1), 1e-6)
    features = np.column_stack([(left + right) / 2, middle, tilt, np.abs(tilt)])
    emotion = coefficients['emotion'].to_numpy()[:, None] == np.array(EMOTIONS)
    return features, emotion.astype(np.float64)
