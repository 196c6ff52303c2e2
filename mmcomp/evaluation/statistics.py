"""Statistics over prediction tables: nothing here knows a network.

A *prediction table* is a DataFrame with the columns of :mod:`mmcomp.columns`: a row for
each test pair of each model, fold and seed. Errors are fractions here; reports turn
them into percent. With several seeds an error is the mean over seeds, as the paper
averages over them (its footnote 1).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from mmcomp.columns import ID, LABEL, PREDICTED, SCORE, SEED, SUBJECT

from . import functional

EXACT_SUBJECTS = 14  # up to here all 2^n flips are enumerated


class Interval(NamedTuple):
    """A confidence interval of a fraction."""

    low: float
    high: float


class Comparison(NamedTuple):
    """Two models on the same samples; ``difference`` is error of a minus error of b."""

    difference: float
    only_a_wrong: int
    only_b_wrong: int
    mcnemar_p: float
    permutation_p: float


def is_wrong(table: pd.DataFrame) -> pd.Series:
    """Whether each prediction is wrong."""
    return table[LABEL] != table[PREDICTED]


def error(table: pd.DataFrame) -> float:
    """Pooled error: wrong over all predictions of all folds, mean over seeds."""
    return float(is_wrong(table).mean())


def error_by_seed(table: pd.DataFrame) -> pd.Series:
    """Pooled error of each seed."""
    return is_wrong(table).groupby(table[SEED]).mean()


def wilson_interval(wrong: int, total: int, level: float = 0.95) -> Interval:
    """Wilson's interval of an error, which takes samples for independent.

    They are not where subjects give several: see :func:`bootstrap_interval`.
    """
    low, high = proportion_confint(wrong, total, 1 - level, method='wilson')
    return Interval(float(low), float(high))


def bootstrap_interval(
    table: pd.DataFrame, level: float = 0.95, rounds: int = 4000, seed: int = 0
) -> Interval:
    """Percentile interval of the error when whole subjects are drawn again.

    Subjects are the clusters (Davison and Hinkley 1997, section 3.8): all samples of a
    drawn subject come with it, so that the interval speaks of new people.
    """
    sums = _by_subject(table)
    rng = np.random.default_rng(seed)
    count = len(sums)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=rounds)
    errors = (drawn @ sums['wrong'].to_numpy()) / (drawn @ sums['total'].to_numpy())
    low, high = np.quantile(errors, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def class_metrics(table: pd.DataFrame, classes: Sequence[str]) -> dict[str, float]:
    """``uar``, ``uf1`` and ``auc`` as fractions, pooled over folds, mean over seeds.

    Args:
        table: A prediction table of one model.
        classes: Names of the classes, in the order of their scores.
    """
    index = {name: i for i, name in enumerate(classes)}
    rows = []
    for _, own in table.groupby(SEED):
        labels, predicted = (own[c].map(index).to_numpy() for c in (LABEL, PREDICTED))
        scores = own[[SCORE + name for name in classes]].to_numpy()
        rows.append(
            dict(
                uar=functional.uar(labels, predicted),
                uf1=functional.uf1(labels, predicted),
                auc=functional.auc(labels, scores),
            )
        )
    return pd.DataFrame(rows).mean().to_dict()


def error_by(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Error within each value of a column.

    Returns:
        DataFrame: ``wrong``, ``total`` (over all seeds) and ``error``, by value.
    """
    grouped = is_wrong(table).groupby(table[column])
    result = grouped.agg(wrong='sum', total='count')
    result['error'] = result['wrong'] / result['total']
    return result


def compare(
    a: pd.DataFrame, b: pd.DataFrame, rounds: int = 20_000, seed: int = 0
) -> Comparison:
    """Compare two models by paired tests.

    McNemar's exact test takes samples for independent and uses the first seed that both
    have. The permutation test exchanges both models on all samples of a subject at
    once, uses the mean over all common seeds, and enumerates where subjects are few.

    Args:
        a, b: Prediction tables of the two models.
        rounds: Random flips where there are too many to enumerate.
        seed: Of those.

    Raises:
        ValueError: If the models were not tested on the same samples.
    """
    seeds = sorted(set(a[SEED]) & set(b[SEED]))
    if not seeds:
        raise ValueError(
            f'no common seed: {sorted(set(a[SEED]))} and {sorted(set(b[SEED]))}'
        )
    wrong = pd.DataFrame(
        {'a': _wrong_by_sample(a, seeds), 'b': _wrong_by_sample(b, seeds)}
    )
    if wrong.isna().any(axis=None):
        missing = wrong.index[wrong.isna().any(axis=1)]
        raise ValueError(
            f'{len(missing)} samples were tested by one of the models only, such as '
            f'{missing[0]}'
        )
    first = wrong.xs(seeds[0], level=SEED).astype(bool)
    only_a = int((first['a'] & ~first['b']).sum())
    only_b = int((first['b'] & ~first['a']).sum())
    difference = wrong['a'].astype(float) - wrong['b'].astype(float)
    sums = difference.groupby(level=SUBJECT).sum().to_numpy()
    return Comparison(
        difference=float(difference.mean()),
        only_a_wrong=only_a,
        only_b_wrong=only_b,
        mcnemar_p=mcnemar_p(only_a, only_b),
        permutation_p=flip_test_p(sums, rounds, seed),
    )


def mcnemar_p(only_a_wrong: int, only_b_wrong: int) -> float:
    """Two-sided p of McNemar's exact (binomial) test."""
    if only_a_wrong + only_b_wrong == 0:
        return 1.0
    table = [[0, only_a_wrong], [only_b_wrong, 0]]
    return float(mcnemar(table, exact=True).pvalue)


def flip_test_p(differences: np.ndarray, rounds: int = 20_000, seed: int = 0) -> float:
    """Two-sided p that signs of the subjects' differences are fair coins.

    Args:
        differences: ``(N,)``, the sum of wrong_a - wrong_b of each subject.
        rounds: Random flips, where more than 14 subjects differ.
        seed: Of those.
    """
    differences = np.asarray(differences, float)
    differences = differences[differences != 0]
    count = len(differences)
    if count == 0:
        return 1.0
    observed = abs(differences.sum()) - 1e-9
    if count <= EXACT_SUBJECTS:
        signs = 1 - 2 * ((np.arange(2**count)[:, None] >> np.arange(count)) & 1)
        return float((abs(signs @ differences) >= observed).mean())
    signs = np.random.default_rng(seed).choice([-1, 1], (rounds, count))
    extreme = (abs(signs @ differences) >= observed).sum()
    return float((1 + extreme) / (1 + rounds))


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Holm's correction for many comparisons."""
    if not len(p_values):
        return np.array([])
    return multipletests(p_values, method='holm')[1]


def majority_error(table: pd.DataFrame) -> float:
    """Error of always answering the most frequent class of the tested samples."""
    return functional.majority_error(table.drop_duplicates(ID)[LABEL])


def summarize(
    table: pd.DataFrame, classes: Sequence[str], level: float = 0.95
) -> dict[str, float | None]:
    """All figures of one model: one row of the report.

    Returns:
        dict: ``wrong``, ``total`` (over all seeds), ``error``, the intervals
        ``wilson_low/high`` (of one seed's size) and ``bootstrap_low/high``, ``seeds``,
        ``seed_sd``, ``uar``, ``uf1``, ``auc``, ``folds``, ``subjects``.
    """
    wrong, total = int(is_wrong(table).sum()), len(table)
    by_seed = error_by_seed(table)
    size = total / len(by_seed)
    wilson = wilson_interval(wrong / len(by_seed), size, level)
    bootstrap = bootstrap_interval(table, level)
    return dict(
        wrong=wrong,
        total=total,
        error=wrong / total,
        wilson_low=wilson.low,
        wilson_high=wilson.high,
        bootstrap_low=bootstrap.low,
        bootstrap_high=bootstrap.high,
        seeds=len(by_seed),
        seed_sd=float(by_seed.std(ddof=1)) if len(by_seed) > 1 else None,
        subjects=table[SUBJECT].nunique(),
        **class_metrics(table, classes),
    )


def roc_points(table: pd.DataFrame, positive: str) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rates of one model over all seeds, for a plot."""
    from sklearn.metrics import roc_curve

    false, true, _ = roc_curve(table[LABEL] == positive, table[SCORE + positive])
    return false, true


def _by_subject(table: pd.DataFrame) -> pd.DataFrame:
    return is_wrong(table).groupby(table[SUBJECT]).agg(wrong='sum', total='count')


def _wrong_by_sample(table: pd.DataFrame, seeds: Sequence[int]) -> pd.Series:
    own = table[table[SEED].isin(seeds)]
    wrong = is_wrong(own)
    wrong.index = pd.MultiIndex.from_frame(own[[SEED, SUBJECT, ID]])
    return wrong
