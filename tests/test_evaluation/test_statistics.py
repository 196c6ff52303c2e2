"""Statistics against hand-computed cases, published examples and brute force."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mmcomp.evaluation import statistics


def make_table(wrong, subjects, seed=0, model='m', labels=None):
    """A prediction table of two classes from what is wrong."""
    wrong = np.asarray(wrong, bool)
    labels = np.arange(len(wrong)) % 2 if labels is None else np.asarray(labels)
    predicted = np.where(wrong, 1 - labels, labels)
    names = np.array(['posed', 'spontaneous'])
    score = np.where(predicted == 1, 0.8, 0.2)
    return pd.DataFrame(
        dict(
            sample_id=[f'p{i}' for i in range(len(wrong))],
            subject=subjects,
            label=names[labels],
            predicted=names[predicted],
            score_posed=1 - score,
            score_spontaneous=score,
            model=model,
            fold=0,
            seed=seed,
        )
    )


def test_wilson_interval_of_the_papers_table():
    """Wilson (1927) by the formula, for 21 wrong of 1028, the paper's best."""
    n, p, z = 1028, 21 / 1028, stats.norm.ppf(0.975)
    center = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    interval = statistics.wilson_interval(21, 1028)
    assert interval == pytest.approx((center - half, center + half))
    # Agresti and Coull (1998) give (0, 0.278) for 0 of 10.
    assert statistics.wilson_interval(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)


def test_mcnemar_of_known_cases():
    """Exact binomial: Agresti, Categorical Data Analysis, and by hand."""
    assert statistics.mcnemar_p(0, 0) == 1
    assert statistics.mcnemar_p(5, 5) == 1
    assert statistics.mcnemar_p(0, 5) == pytest.approx(2 / 2**5)
    expected = stats.binomtest(12, 12 + 3).pvalue
    assert statistics.mcnemar_p(12, 3) == pytest.approx(expected)
    assert statistics.mcnemar_p(3, 12) == pytest.approx(expected)


def test_holm_by_hand():
    """Holm (1979): ordered p times the number left, made monotone."""
    np.testing.assert_allclose(statistics.holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    assert len(statistics.holm([])) == 0


def test_flip_test_enumerates_few_subjects():
    differences = np.array([2, 1, -1, 3, 0, 1])
    observed = abs(differences.sum())
    flips = itertools.product([1, -1], repeat=6)
    sums = [abs(np.dot(f, differences)) for f in flips]
    expected = np.mean([s >= observed for s in sums])
    assert statistics.flip_test_p(differences) == pytest.approx(expected)
    assert statistics.flip_test_p(np.zeros(4)) == 1


def test_flip_test_of_many_subjects_is_close_to_the_normal_law():
    rng = np.random.default_rng(0)
    differences = rng.choice([-1, 0, 1, 2], 60)
    z = abs(differences.sum()) / np.sqrt((differences**2).sum())
    expected = 2 * stats.norm.sf(z)
    assert statistics.flip_test_p(differences) == pytest.approx(expected, abs=0.02)


def test_flip_test_keeps_its_level():
    """Under the null, p below .05 in about 5 % of cases."""
    rng = np.random.default_rng(1)
    p = [
        statistics.flip_test_p(rng.normal(size=20), rounds=500, seed=i)
        for i in range(400)
    ]
    assert 0.025 < np.mean(np.array(p) < 0.05) < 0.08


def test_bootstrap_by_subject_is_wider_where_subjects_agree():
    """Ten subjects that are all wrong or all right say little, however many pairs."""
    subjects = np.repeat([f's{i}' for i in range(10)], 20)
    clustered = make_table(np.repeat([1, 1, 0, 0, 0, 0, 0, 0, 0, 0], 20), subjects)
    wrong = np.tile([1, 1, 0, 0, 0, 0, 0, 0, 0, 0], 20)
    wrong[[2, 20]] = 1, 0  # one subject has an error more, another one less
    spread = make_table(wrong, subjects)
    wide, narrow = (statistics.bootstrap_interval(t) for t in (clustered, spread))
    assert narrow == pytest.approx((0.2, 0.2), abs=0.03)
    # Wrong subjects in a draw of ten are Binomial(10, 0.2).
    low, high = stats.binom.ppf([0.025, 0.975], 10, 0.2) / 10
    assert wide == pytest.approx((low, high), abs=0.05)


@pytest.mark.parametrize(
    ('wrong', 'interval'),
    [
        # Clopper and Pearson's intervals of 0, 10 and 5 of 10.
        ([0] * 40, (0, 0.3085)),
        ([1] * 40, (0.6915, 1)),
        ([1, 0, 1, 0] * 10, (0.1871, 0.8129)),
    ],
)
def test_equal_subjects_are_no_certainty(wrong, interval):
    table = make_table(wrong, np.repeat([f's{i}' for i in range(10)], 4))
    assert statistics.bootstrap_interval(table) == pytest.approx(interval, abs=1e-4)


@pytest.mark.parametrize('wrong', [[0, 0, 0, 0], [1, 0, 0, 0]])
def test_one_subject_has_no_interval(wrong):
    assert np.isnan(statistics.bootstrap_interval(make_table(wrong, ['s'] * 4))).all()
    row = statistics.summarize(make_table(wrong, ['s'] * 4), ['posed', 'spontaneous'])
    assert np.isnan([row.bootstrap_low, row.bootstrap_high]).all()


def test_error_of_two_seeds_is_their_mean():
    subjects = [f's{i % 4}' for i in range(40)]
    tables = [
        make_table([1] * 4 + [0] * 36, subjects, seed=0),
        make_table([1] * 8 + [0] * 32, subjects, seed=1),
    ]
    table = pd.concat(tables)
    assert statistics.error(table) == pytest.approx(0.15)
    row = statistics.summarize(table, ['posed', 'spontaneous'])
    assert (row.wrong, row.total, row.seeds) == (12, 80, 2)
    assert row.seed_sd == pytest.approx(np.std([0.1, 0.2], ddof=1))
    wilson = statistics.wilson_interval(6, 40)
    assert (row.wilson_low, row.wilson_high) == pytest.approx(tuple(wilson))
    assert statistics.error_by_seed(table).tolist() == pytest.approx([0.1, 0.2])


def test_summary_pools_folds_for_uar():
    labels = np.array([0] * 6 + [1] * 4)
    wrong = [0, 0, 0, 0, 1, 1, 0, 0, 0, 1]
    table = make_table(wrong, list('aabbccddee'), labels=labels)
    row = statistics.summarize(table, ['posed', 'spontaneous'])
    assert row.uar == pytest.approx((4 / 6 + 3 / 4) / 2)
    assert row.uf1 == pytest.approx((8 / 11 + 6 / 9) / 2)
    assert row.error == pytest.approx(0.3)


def test_error_is_pooled_over_folds_of_any_size():
    """One of two and none of eight are one of ten, not the mean of 1/2 and 0."""
    table = make_table([1, 0] + [0] * 8, list('aabbbbcccc'))
    table['fold'] = [0, 0] + [1] * 8
    assert statistics.error(table) == pytest.approx(0.1)
    row = statistics.summarize(table, ['posed', 'spontaneous'])
    assert row.error == pytest.approx(0.1)


def test_random_flips_never_give_a_p_of_zero():
    """The data themselves count as one of the flips (Phipson and Smyth 2010)."""
    assert statistics.flip_test_p(np.ones(40), rounds=99) == pytest.approx(1 / 100)


def test_compare_counts_and_tests():
    subjects = np.repeat(['a', 'b', 'c', 'd'], 5)
    a = make_table([1, 1, 1, 0, 0] * 4, subjects)
    b = make_table([0, 0, 1, 1, 0] * 4, subjects).sample(frac=1, random_state=0)
    found = statistics.compare(a, b)
    assert (found.only_a_wrong, found.only_b_wrong) == (8, 4)
    assert found.difference == pytest.approx(4 / 20)
    assert found.mcnemar_p == pytest.approx(stats.binomtest(8, 12).pvalue)
    # Each subject differs by 1: of 16 flips two reach the sum 4.
    assert found.permutation_p == pytest.approx(2 / 16)


def test_compare_uses_common_seeds_and_refuses_other_samples():
    subjects = list('aabb')
    a = pd.concat([make_table([1, 0, 0, 0], subjects, seed=s) for s in (0, 1)])
    b = make_table([0, 0, 0, 0], subjects, seed=1)
    found = statistics.compare(a, b)
    assert found.difference == pytest.approx(1 / 4)
    with pytest.raises(ValueError, match='one must be common to both'):
        statistics.compare(a, make_table([0, 0, 0, 0], subjects, seed=2))
    with pytest.raises(
        ValueError, match='1 samples were tested by one of the networks'
    ):
        statistics.compare(a, b.iloc[:3])
