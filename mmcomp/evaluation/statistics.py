"""Statistics over prediction tables: nothing here knows a network.

A *prediction table* is a DataFrame with the columns of :mod:`mmcomp.columns`: a row for
each test pair of each network, fold and seed. Errors are fractions here; reports turn
them into percent. With several seeds an error is the mean over seeds, as the paper
averages over them (its footnote 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from mmcomp.columns import ID, LABEL, PREDICTED, SCORE, SEED, SUBJECT

from . import functional

EXACT_SUBJECTS = 14  # up to here all 2^n flips are enumerated


class Interval(NamedTuple):
    """A confidence interval of a fraction; NaN where there is none."""

    low: float
    high: float


class PairedTest(NamedTuple):
    """Paired tests of two networks on the same samples.

    Attributes:
        difference: Error of a minus error of b.
        only_a_wrong, only_b_wrong: Samples that only one of them got wrong.
        mcnemar_p, permutation_p: p values, two-sided.
    """

    difference: float
    only_a_wrong: int
    only_b_wrong: int
    mcnemar_p: float
    permutation_p: float


def is_wrong(table: pd.DataFrame) -> pd.Series:
    """Return whether each prediction is an error.

    Examples:
        >>> table = pd.DataFrame({'label': ['a', 'b'], 'predicted': ['a', 'a']})
        >>> is_wrong(table).tolist()
        [False, True]
    """
    return table[LABEL] != table[PREDICTED]


def error(table: pd.DataFrame) -> float:
    """Return the pooled error: errors over all predictions of all folds and seeds.

    Examples:
        >>> table = pd.DataFrame({'label': list('abab'), 'predicted': list('abaa')})
        >>> error(table)
        0.25
    """
    return float(is_wrong(table).mean())


def error_by_seed(table: pd.DataFrame) -> pd.Series:
    """Return the pooled error of each seed."""
    return is_wrong(table).groupby(table[SEED]).mean()


def wilson_interval(wrong: float, total: float, level: float = 0.95) -> Interval:
    """Return Wilson's interval (1927) of an error. It takes samples as independent.

    They are not where subjects give several: see :func:`bootstrap_interval`.

    Examples:
        The paper's best network makes 21 errors in 1028 pairs:

        >>> low, high = wilson_interval(21, 1028)
        >>> f'{low:.4f} {high:.4f}'
        '0.0134 0.0310'
    """
    low, high = proportion_confint(wrong, total, 1 - level, method='wilson')
    return Interval(float(low), float(high))


def bootstrap_interval(
    table: pd.DataFrame, level: float = 0.95, rounds: int = 4000, seed: int = 0
) -> Interval:
    """Return the percentile interval of the error over resampled subjects.

    Subjects are the clusters (Davison and Hinkley 1997, section 3.8): all samples of a
    drawn subject come with it, so the interval holds for new people.

    One subject has no interval. Where all subjects have the same error, such as none,
    resampling would give a width of zero: the interval is then Clopper and Pearson's
    (1934) for subjects that are all right or all wrong, the widest there can be.

    Examples:
        Ten subjects without an error: up to 1 - .025^(1/10).

        >>> subjects = [f's{i}' for i in range(10)]
        >>> table = pd.DataFrame({'subject': subjects, 'label': 'a', 'predicted': 'a'})
        >>> low, high = bootstrap_interval(table)
        >>> f'{low:.4f} {high:.4f}'
        '0.0000 0.3085'
    """
    sums = _by_subject(table)
    if len(sums) < 2:
        return Interval(np.nan, np.nan)
    rng = np.random.default_rng(seed)
    count = len(sums)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=rounds)
    errors = (drawn @ sums['wrong'].to_numpy()) / (drawn @ sums['total'].to_numpy())
    if np.ptp(sums['wrong'] / sums['total']) == 0:
        low, high = proportion_confint(
            errors[0] * count, count, 1 - level, method='beta'
        )
    else:
        low, high = np.quantile(errors, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def class_metrics(table: pd.DataFrame, classes: Sequence[str]) -> dict[str, float]:
    """Return ``uar``, ``uf1`` and ``auc`` pooled over folds, as means over seeds.

    Args:
        table: A prediction table of one network.
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
    return {str(name): value for name, value in pd.DataFrame(rows).mean().items()}


def compare(
    a: pd.DataFrame, b: pd.DataFrame, rounds: int = 20_000, seed: int = 0
) -> PairedTest:
    """Compare two networks by paired tests.

    McNemar's exact test takes samples for independent and uses the first seed that both
    have. The permutation test exchanges both networks on all samples of a subject at
    once, uses the mean over all common seeds, and enumerates where subjects are few.

    Args:
        a, b: Prediction tables of the two networks.
        rounds: Random flips where there are too many to enumerate.
        seed: Of those.

    Raises:
        ValueError: If the networks were not tested on the same samples.
    """
    seeds = sorted(set(a[SEED]) & set(b[SEED]))
    if not seeds:
        raise ValueError(
            f'seeds are {sorted(set(a[SEED]))} and {sorted(set(b[SEED]))}; at least '
            'one must be common to both'
        )
    wrong = pd.DataFrame(
        {'a': _wrong_by_sample(a, seeds), 'b': _wrong_by_sample(b, seeds)}
    )
    if wrong.isna().any(axis=None):
        missing = wrong.index[wrong.isna().any(axis=1)]
        raise ValueError(
            f'{len(missing)} samples were tested by one of the networks only, such as '
            f'{missing[0]}; both must be tested on the same samples'
        )
    first = wrong[wrong.index.get_level_values(SEED) == seeds[0]]
    a_wrong, b_wrong = first.to_numpy(bool).T
    only_a, only_b = int((a_wrong & ~b_wrong).sum()), int((b_wrong & ~a_wrong).sum())
    difference = wrong['a'].astype(float) - wrong['b'].astype(float)
    sums = difference.groupby(level=SUBJECT).sum().to_numpy()
    return PairedTest(
        difference=float(difference.mean()),
        only_a_wrong=only_a,
        only_b_wrong=only_b,
        mcnemar_p=mcnemar_p(only_a, only_b),
        permutation_p=flip_test_p(sums, rounds, seed),
    )


def mcnemar_p(only_a_wrong: int, only_b_wrong: int) -> float:
    """Return the two-sided p of McNemar's exact (binomial) test.

    Examples:
        Five samples, all in favour of one network, have p = 2 / 2^5:

        >>> mcnemar_p(0, 5)
        0.0625
    """
    if only_a_wrong + only_b_wrong == 0:
        return 1.0
    table = [[0, only_a_wrong], [only_b_wrong, 0]]
    return float(mcnemar(table, exact=True).pvalue)


def flip_test_p(differences: ArrayLike, rounds: int = 20_000, seed: int = 0) -> float:
    """Return the two-sided p of the subjects' differences under random signs.

    Args:
        differences: ``(N,)``, the sum of wrong_a - wrong_b of each subject.
        rounds: Random flips, where more than 14 subjects differ.
        seed: Of those.

    Examples:
        Of the eight sign flips two reach the observed sum of 6, in absolute value:

        >>> flip_test_p([1, 2, 3])
        0.25
    """
    values = np.asarray(differences, float)
    values = values[values != 0]
    count = len(values)
    if count == 0:
        return 1.0
    observed = abs(values.sum()) - 1e-9
    if count <= EXACT_SUBJECTS:
        signs = 1 - 2 * ((np.arange(2**count)[:, None] >> np.arange(count)) & 1)
        return float((abs(signs @ values) >= observed).mean())
    signs = np.random.default_rng(seed).choice([-1, 1], (rounds, count))
    extreme = (abs(signs @ values) >= observed).sum()
    return float((1 + extreme) / (1 + rounds))


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Return p values after Holm's correction (1979) for multiple comparisons.

    Examples:
        >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
        [0.03, 0.06, 0.06]
    """
    if not len(p_values):
        return np.array([])
    return multipletests(p_values, method='holm')[1]


@dataclass(frozen=True)
class Summary:
    """The numbers of one network: one row of the report. Errors are fractions.

    Attributes:
        wrong, total: Errors and predictions, over all seeds.
        error: Pooled error.
        wilson_low, wilson_high: Wilson's interval for the size of one seed.
        bootstrap_low, bootstrap_high: Interval over resampled subjects; NaN for one
            subject.
        seeds: Number of seeds.
        seed_sd: Standard deviation of the error over seeds; None for one seed.
        subjects: Number of tested subjects.
        uar, uf1, auc: See :func:`class_metrics`.
    """

    wrong: int
    total: int
    error: float
    wilson_low: float
    wilson_high: float
    bootstrap_low: float
    bootstrap_high: float
    seeds: int
    seed_sd: float | None
    subjects: int
    uar: float
    uf1: float
    auc: float


def summarize(
    table: pd.DataFrame, classes: Sequence[str], level: float = 0.95
) -> Summary:
    """Return all numbers of one network from its prediction table."""
    wrong, total = int(is_wrong(table).sum()), len(table)
    by_seed = error_by_seed(table)
    size = total / len(by_seed)
    wilson = wilson_interval(wrong / len(by_seed), size, level)
    bootstrap = bootstrap_interval(table, level)
    return Summary(
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
    """Return false and true positive rates of one network over all seeds."""
    from sklearn.metrics import roc_curve

    false, true, _ = roc_curve(table[LABEL] == positive, table[SCORE + positive])
    return false, true


def _by_subject(table: pd.DataFrame) -> pd.DataFrame:
    grouped = is_wrong(table).groupby(table[SUBJECT])
    return pd.DataFrame({'wrong': grouped.sum(), 'total': grouped.count()})


def _wrong_by_sample(table: pd.DataFrame, seeds: Sequence[int]) -> pd.Series:
    own = table[table[SEED].isin(seeds)]
    wrong = is_wrong(own)
    wrong.index = pd.MultiIndex.from_frame(own[[SEED, SUBJECT, ID]])
    return wrong
