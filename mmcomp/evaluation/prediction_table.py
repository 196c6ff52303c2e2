"""The prediction table: what a run said of each test pair.

All statistics and figures are computed from such tables alone.
"""

import os
from pathlib import Path
from typing import Sequence

import numpy as np
import pandas as pd

from mmcomp.columns import ID, LABEL, PREDICTED, SCORE, SUBJECT


def make_prediction_table(
    sample_ids: Sequence[str],
    subjects: Sequence[str],
    labels: np.ndarray,
    scores: np.ndarray,
    classes: Sequence[str],
) -> pd.DataFrame:
    """A row for each sample, without the columns that name the run.

    Args:
        sample_ids, subjects (Sequence[str]): Of N samples.
        labels (np.ndarray): ``(N,)``, class indices.
        scores (np.ndarray): ``(N, K)``.
        classes (Sequence[str]): Names of the K classes.

    Returns:
        DataFrame: ``sample_id``, ``subject``, ``label``, ``score_<class>`` for each
        class, and ``predicted``.
    """
    classes = np.asarray(classes)
    table = pd.DataFrame({ID: sample_ids, SUBJECT: subjects, LABEL: classes[labels]})
    for index, name in enumerate(classes):
        table[SCORE + name] = scores[:, index]
    table[PREDICTED] = classes[scores.argmax(1)]
    return table


def write_prediction_table(table: pd.DataFrame, path) -> None:
    """Write a table under another name and rename it, so that it is whole or absent."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'{path.name}.{os.getpid()}.tmp')
    table.to_csv(temporary, index=False, float_format='%.9g', lineterminator='\n')
    os.replace(temporary, path)
