"""Cells of training pairs: one class, and one value of each privileged column."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

#: Cells with fewer pairs are left out (our choice).
MIN_PAIRS = 8


class Cell(NamedTuple):
    """Training pairs that a model of their own is fitted to.

    Attributes:
        label: Their class.
        values: What they have in the privileged columns; empty if all pairs of the
            class are one cell.
        pairs: Their positions, ``(n,)``.
        log_share: Log of the part of the class that they are.
    """

    label: int
    values: tuple[str, ...]
    pairs: np.ndarray
    log_share: float


def make_cells(
    labels: np.ndarray,
    num_classes: int,
    columns: Mapping[str, Sequence[str]],
    given: str | Sequence[str] | None = None,
) -> list[Cell]:
    """Divide the training pairs of each class by privileged columns.

    Cells of fewer than :data:`MIN_PAIRS` pairs are left out. A class without a cell
    gets one of all its pairs.

    Args:
        labels (np.ndarray): ``(N,)``, class indices.
        num_classes (int): Number of classes.
        columns (Mapping[str, Sequence[str]]): Columns of the pair table, N values each.
        given (str | Sequence[str] | None): Names of the privileged columns. Of several,
            each combination of values is a cell. None: each class is one cell.

    Returns:
        list[Cell]: Ordered by class, then values.

    Raises:
        ValueError: If a class has no pair, or if a column is absent or has no value for
            a pair.

    Examples:
        >>> emotion = ['joy'] * 12 + ['fear'] * 4
        >>> [cell] = make_cells(np.zeros(16, int), 1, {'emotion': emotion}, 'emotion')
        >>> cell.values, len(cell.pairs), round(float(np.exp(cell.log_share)), 2)
        (('joy',), 12, 0.75)
    """
    names = column_names(given)
    values = list(zip(*(_column(columns, name) for name in names), strict=True))
    cells = []
    for label in range(num_classes):
        own = np.flatnonzero(np.asarray(labels) == label)
        if not len(own):
            raise ValueError(f'class {label} has no training pair')
        groups: dict[tuple[str, ...], list[int]] = {}
        for pair in own.tolist():
            groups.setdefault(values[pair] if names else (), []).append(pair)
        kept = {
            key: np.array(pairs)
            for key, pairs in sorted(groups.items())
            if len(pairs) >= MIN_PAIRS
        }
        for key, pairs in (kept or {(): own}).items():
            cells.append(Cell(label, key, pairs, float(np.log(len(pairs) / len(own)))))
    return cells


def column_names(given: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return names of columns that may be given as one name, several or None."""
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


def _column(columns: Mapping[str, Sequence[str]], name: str) -> Sequence[str]:
    if name not in columns:
        raise ValueError(
            f'the training pairs have no column {name!r}; '
            f'they have {", ".join(map(repr, columns)) or "none"}'
        )
    values = columns[name]
    empty = sum(not str(value).strip() for value in values)
    if empty:
        raise ValueError(
            f'column {name!r} is empty for {empty} of {len(values)} training pairs; '
            'each must have a value'
        )
    return values
