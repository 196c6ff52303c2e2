"""The prediction table: what a network predicted for each test pair.

All statistics and plots are computed from such tables alone. Columns, in this order:

- ``sample_id``, ``subject``, ``label``, a ``score_<class>`` for each class,
  ``predicted``: the pair and its prediction;
- ``fold``, ``seed``, ``model``: the run and the name of the network;
- ``train_subjects``, ``control``, ``shift_px``: what makes it a variant of the network,
  empty where it does not apply;
- ``stack``, ``member``: in the table of a stack's member, the names of the stack and of
  the member (which is its ``model`` too); else empty.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mmcomp.columns import (
    CONTROL,
    FOLD,
    ID,
    LABEL,
    MEMBER,
    MODEL,
    PREDICTED,
    SCORE,
    SEED,
    SHIFT,
    STACK,
    SUBJECT,
    TRAIN_SUBJECTS,
    VARIANT,
)
from mmcomp.files import replacing
from mmcomp.tables import finite, parse_numbers, read_table

#: Read as they are written: a subject may be called '007' or 'NA'.
NAMES = (ID, SUBJECT, LABEL, PREDICTED, MODEL, CONTROL, STACK, MEMBER)
NUMBERS = (FOLD, SEED, TRAIN_SUBJECTS, SHIFT)


def make_prediction_table(
    sample_ids: Sequence[str],
    subjects: Sequence[str],
    labels: np.ndarray,
    scores: np.ndarray,
    classes: Sequence[str],
) -> pd.DataFrame:
    """Return a row for each sample, without the columns that name the run.

    Args:
        sample_ids, subjects (Sequence[str]): Of N samples.
        labels (np.ndarray): ``(N,)``, class indices.
        scores (np.ndarray): ``(N, K)``.
        classes (Sequence[str]): Names of the K classes.

    Returns:
        DataFrame: ``sample_id``, ``subject``, ``label``, ``score_<class>`` for each
        class, and ``predicted``.
    """
    names = np.asarray(classes)
    table = pd.DataFrame({ID: sample_ids, SUBJECT: subjects, LABEL: names[labels]})
    for index, name in enumerate(names):
        table[SCORE + name] = scores[:, index]
    table[PREDICTED] = names[scores.argmax(1)]
    return table


def write_prediction_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table under another name and rename it, so that it is whole or absent."""
    with replacing(path) as partial:
        table.to_csv(partial, index=False, float_format='%.9g', lineterminator='\n')


def read_prediction_tables(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read prediction tables and join them.

    Args:
        paths: As :func:`read_prediction_table` reads them.

    Returns:
        DataFrame: All rows.

    Raises:
        ValueError: As :func:`read_prediction_table` and
            :func:`join_prediction_tables` do.
    """
    return join_prediction_tables([(p, read_prediction_table(p)) for p in paths])


def read_prediction_table(path: str | Path) -> pd.DataFrame:
    """Read a prediction table.

    Args:
        path: A CSV file as :func:`write_prediction_table` writes it.

    Returns:
        DataFrame: Its rows. Ids and names are strings as written, '' where empty;
        ``train_subjects`` and ``shift_px`` are numbers, NaN where empty.

    Raises:
        ValueError: Naming file and line, if a column is missing (those of variants too,
            as in tables of earlier versions), a score is no number, a label is no
            class, or another class than the predicted one has the highest score.
    """
    rows = read_table(path, (*NAMES, *NUMBERS))
    columns: dict[str, list] = {}
    try:
        for name in rows[0].cells:
            if name.startswith(SCORE):
                columns[name] = parse_numbers(rows, name, finite)
            elif name in NUMBERS:
                columns[name] = parse_numbers(rows, name, _number)
            else:
                columns[name] = [row.cells[name] for row in rows]
        table = pd.DataFrame(columns)
        _check_predictions(table, [row.position for row in rows])
    except ValueError as error:
        raise ValueError(f'{path}, {error}') from None
    return table


def join_prediction_tables(
    tables: Sequence[tuple[str | Path, pd.DataFrame]],
) -> pd.DataFrame:
    """Join the prediction tables of an experiment.

    Args:
        tables: The path of each, for messages, and the table.

    Raises:
        ValueError: If there is none, they differ in classes, or one variant of a
            network tested a sample more than once with one seed, be it alone or as a
            member of a stack.
    """
    if not tables:
        raise ValueError('paths is empty; at least one prediction table is needed')
    classes = score_classes(tables[0][1])
    for path, table in tables:
        if score_classes(table) != classes:
            raise ValueError(
                f'{path}: the classes are {score_classes(table)}; they must be '
                f'{classes}, as in the others'
            )
    joined = pd.concat([table for _, table in tables], ignore_index=True)
    twice = joined.duplicated([MODEL, *VARIANT, SEED, ID])
    if twice.any():
        row = joined[twice].iloc[0]
        raise ValueError(
            f'{row[MODEL]} with seed {row[SEED]} tested the sample {row[ID]!r} more '
            'than once; the tables must be of one experiment'
        )
    return joined


def _check_predictions(table: pd.DataFrame, positions: Sequence[str]) -> None:
    """Compare labels and predictions with the scores."""
    classes = score_classes(table)
    for column in (LABEL, PREDICTED):
        for position, name in zip(positions, table[column]):
            if name not in classes:
                raise ValueError(
                    f'{position}: {column} is {name!r}; it must be one of '
                    f'{", ".join(map(repr, classes))}, the classes with scores'
                )
    scores = table[[SCORE + name for name in classes]].to_numpy(float)
    index = {name: i for i, name in enumerate(classes)}
    said = scores[np.arange(len(table)), [index[name] for name in table[PREDICTED]]]
    for i in map(int, np.flatnonzero(said < scores.max(1))):
        raise ValueError(
            f'{positions[i]}: {PREDICTED} is {table[PREDICTED][i]!r}; it must be '
            f'{classes[scores[i].argmax()]!r}, which has the highest score'
        )


def _number(cell: str) -> float:
    """Return an int where one is written; NaN of an empty cell."""
    if not cell:
        return np.nan
    return int(cell) if cell.lstrip('-').isdigit() else float(cell)


def score_classes(table: pd.DataFrame) -> list[str]:
    """Return the names of the classes, in the order of the score columns."""
    return [c[len(SCORE) :] for c in table.columns if c.startswith(SCORE)]
