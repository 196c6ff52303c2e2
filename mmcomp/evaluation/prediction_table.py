"""The prediction table: what a run said of each test pair.

All statistics and figures are computed from such tables alone.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from mmcomp.columns import FOLD, ID, LABEL, MODEL, PREDICTED, SCORE, SEED, SUBJECT
from mmcomp.files import replacing

SAMPLE_COLUMNS = (ID, SUBJECT, LABEL, PREDICTED)


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
    with replacing(path) as partial:
        table.to_csv(partial, index=False, float_format='%.9g', lineterminator='\n')


def read_prediction_tables(paths: Iterable) -> pd.DataFrame:
    """Read prediction tables and join them.

    Args:
        paths: CSV files as :func:`write_prediction_table` writes them.

    Returns:
        DataFrame: All rows; names and subjects are strings.

    Raises:
        ValueError: Naming the file, if columns are missing, files differ in classes, or
            one model and seed tested a sample more than once.
    """
    tables = []
    for path in paths:
        try:
            table = pd.read_csv(path, dtype={ID: str, SUBJECT: str, MODEL: str})
        except (OSError, ValueError) as error:
            raise ValueError(f'prediction table {str(path)!r}: {error}') from None
        missing = [c for c in (*SAMPLE_COLUMNS, MODEL, FOLD, SEED) if c not in table]
        if missing:
            raise ValueError(
                f'prediction table {str(path)!r}: no column {", ".join(missing)}'
            )
        if tables and score_classes(table) != score_classes(tables[0]):
            raise ValueError(
                f'prediction table {str(path)!r} has the classes '
                f'{score_classes(table)}, others have {score_classes(tables[0])}'
            )
        tables.append(table)
    if not tables:
        raise ValueError('there is no prediction table')
    joined = pd.concat(tables, ignore_index=True)
    twice = joined.duplicated([MODEL, SEED, ID])
    if twice.any():
        row = joined[twice].iloc[0]
        raise ValueError(
            f'{row[MODEL]} with seed {row[SEED]} tested the sample {row[ID]!r} more '
            'than once: these tables are not of one experiment'
        )
    return joined


def score_classes(table: pd.DataFrame) -> list[str]:
    """Names of the classes, in the order of the score columns."""
    return [c[len(SCORE) :] for c in table.columns if c.startswith(SCORE)]
