import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import kruskal, multivariate_normal

from mmcomp.models.fitted.bayes import (
    MAX_PARENTS,
    RIDGE,
    BayesianNetworkClassifier,
    bic,
    learn_edges,
    regress,
)


def edges_of(size, *pairs):
    edges = np.zeros((size, size), bool)
    for parent, child in pairs:
        edges[parent, child] = True
    return edges


def is_acyclic(edges):
    """Whether variables without parents can be taken away until none is left."""
    edges = edges.copy()
    left = np.ones(len(edges), bool)
    for _ in edges:
        left &= edges[left].any(0)
    return not left.any()


def correlated(count, size, seed):
    """Return samples of a Gaussian in which everything depends on everything."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, size)) @ rng.normal(size=(size, size))


def fitted(features, labels, columns, **settings):
    classifier = BayesianNetworkClassifier(**settings)
    classifier.fit(features, labels, [''] * len(labels), columns)
    return classifier


@pytest.mark.parametrize(
    'pairs', [(), [(0, 1)], [(2, 0), (3, 0), (0, 1), (2, 1), (3, 1)]]
)
def test_bic_equals_pgmpy(pairs):
    structure_score = pytest.importorskip(
        'pgmpy.structure_score', reason='pgmpy is of the extra dev'
    )
    data = pd.DataFrame(correlated(60, 4, seed=3), columns=list('abcd')) + 2
    edges = edges_of(4, *pairs)
    reference = structure_score.BICGauss(data)
    expected = sum(
        reference.local_score('abcd'[child], tuple(np.array(list('abcd'))[own]))
        for child, own in enumerate(edges.T)
    )
    found = bic(np.cov(data.T, bias=True), len(data), edges)
    assert found == pytest.approx(expected, rel=1e-9)


def test_bic_of_two_variables_by_hand():
    # Variances 1 and 2; given the first, the second has 2 - 1 = 1 left.
    covariance = np.array([[1.0, 1.0], [1.0, 2.0]])
    each = -10 / 2 * (np.log(2 * np.pi) + 1)
    alone = 2 * each - 10 / 2 * np.log(2) - 4 / 2 * np.log(10)
    assert bic(covariance, 10, edges_of(2)) == pytest.approx(alone)
    joined = 2 * each - 5 / 2 * np.log(10)
    assert bic(covariance, 10, edges_of(2, (0, 1))) == pytest.approx(joined)


def test_an_edge_is_added_where_it_pays_for_its_coefficient():
    # It raises the likelihood by log(4 / 3) / 2 a sample and costs log(count) / 2:
    # 6 log(4 / 3) = 1.73 < log(6) = 1.79, and 7 log(4 / 3) = 2.01 > log(7) = 1.95.
    covariance = np.array([[1.0, 0.5], [0.5, 1.0]])
    assert not learn_edges(covariance, 6).any()
    np.testing.assert_array_equal(learn_edges(covariance, 7), edges_of(2, (0, 1)))


def test_a_regression_equals_least_squares():
    data = correlated(50, 4, seed=0)
    data -= data.mean(0)
    edges = edges_of(4, (0, 3), (2, 3))
    coefficients, variances = regress(np.cov(data.T, bias=True), edges)
    expected, residuals, *_ = np.linalg.lstsq(data[:, [0, 2]], data[:, 3])
    np.testing.assert_allclose(coefficients[[0, 2], 3], expected)
    assert variances[3] == pytest.approx(residuals[0] / 50)
    assert np.count_nonzero(coefficients) == 2
    np.testing.assert_allclose(variances[:3], data[:, :3].var(0))


def test_the_structure_of_a_known_network_is_found():
    rng = np.random.default_rng(0)
    count = 5000
    a, b, c = rng.normal(size=(3, count))
    # Each edge points the only way that explains the data: 3 depends on two causes
    # that are independent, and 4 and 5 would make these dependent if they were causes.
    d = 0.8 * a - 0.7 * b + 0.5 * rng.normal(size=count)
    e = d + 0.7 * rng.normal(size=count)
    f = 0.6 * e + 0.9 * c + 0.4 * rng.normal(size=count)
    covariance = np.cov([a, b, c, d, e, f], bias=True)
    expected = edges_of(6, (0, 3), (1, 3), (3, 4), (4, 5), (2, 5))
    np.testing.assert_array_equal(learn_edges(covariance, count), expected)


@pytest.mark.parametrize('seed', [*range(6), 18, 32])  # the last two reverse edges
def test_no_single_change_of_the_edges_found_raises_the_bic(seed):
    covariance = np.cov(correlated(200, 6, seed).T, bias=True)
    found = learn_edges(covariance, 200)
    assert found.any()
    best = bic(covariance, 200, found)
    for parent, child in np.argwhere(~np.eye(6, dtype=bool)):
        flipped, reversed_ = found.copy(), found.copy()
        flipped[parent, child] ^= True
        reversed_[[parent, child], [child, parent]] = found[
            [child, parent], [parent, child]
        ]
        for edges in (flipped, reversed_):
            if is_acyclic(edges) and edges.sum(0).max() <= MAX_PARENTS:
                assert bic(covariance, 200, edges) <= best + 1e-8


@pytest.mark.parametrize('seed', range(5))
def test_networks_have_no_cycle_and_few_parents(seed):
    edges = learn_edges(np.cov(correlated(1000, 19, seed).T, bias=True), 1000)
    assert is_acyclic(edges)
    assert edges.sum(0).max() == MAX_PARENTS


def test_likelihoods_equal_scipys_of_the_implied_covariance():
    features = correlated(90, 5, seed=1) * [1, 2, 3, 4, 100] + 7
    labels = np.repeat([0, 1], [50, 40])
    classifier = fitted(features, labels, {}, given=None)
    standard = (features - features.mean(0)) / features.std(0)
    likelihoods = classifier.log_likelihoods(torch.tensor(features).float()).numpy()
    for label, found in enumerate(likelihoods.T):
        own = standard[labels == label]
        covariance = np.cov(own.T, bias=True) + RIDGE * np.eye(5)
        edges = learn_edges(covariance, len(own))
        assert edges.any()
        coefficients, variances = regress(covariance, edges)
        # x = x B + e, so x = e (1 - B)^-1.
        solved = np.linalg.inv(np.eye(5) - coefficients)
        implied = solved.T @ np.diag(variances) @ solved
        expected = multivariate_normal(own.mean(0), implied).logpdf(standard)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_a_network_of_all_edges_implies_the_covariance_itself():
    covariance = np.cov(correlated(40, 4, seed=2).T, bias=True)
    coefficients, variances = regress(covariance, np.triu(np.ones((4, 4), bool), 1))
    solved = np.linalg.inv(np.eye(4) - coefficients)
    np.testing.assert_allclose(solved.T @ np.diag(variances) @ solved, covariance)


def test_scores_are_the_log_of_a_mixture_of_networks_by_hand():
    classifier = BayesianNetworkClassifier()
    classifier.mean = torch.tensor([1.0])
    classifier.scale = torch.tensor([2.0])
    classifier.shares = torch.tensor([[0.25, 0.75, 0], [0, 0, 1]])
    classifier.means = torch.tensor([[0.0], [2], [1]])
    classifier.coefficients = torch.zeros(3, 1, 1)
    classifier.variances = torch.tensor([[1.0], [4], [1]])
    # 3 is 1 when standardised; phi(0) = .398942, phi(1) = .241971, phi(.5) = .352065.
    scores = classifier(torch.tensor([[3.0]]))
    expected = np.log([[0.25 * 0.241971 + 0.75 * 0.352065 / 2, 0.398942]])
    np.testing.assert_allclose(scores.numpy(), expected, rtol=1e-5)


def test_a_network_is_fitted_to_each_cell_of_class_and_value():
    labels = np.repeat([0, 1], [20, 16])
    emotion = ['joy', 'fear'] * 10 + ['joy'] * 6 + ['fear'] * 10
    features = np.arange(36.0)[:, None] ** 2
    classifier = fitted(features, labels, {'emotion': emotion}, given='emotion')
    standard = (features[:, 0] - features.mean()) / features.std()
    # Of class 1, six pairs of joy are too few.
    cells = [standard[1:20:2], standard[0:20:2], standard[26:]]
    np.testing.assert_allclose(
        classifier.shares, [[0.5, 0.5, 0], [0, 0, 10 / 16]], rtol=1e-6
    )
    np.testing.assert_allclose(
        classifier.means[:, 0], [cell.mean() for cell in cells], rtol=1e-5
    )
    np.testing.assert_allclose(
        classifier.variances[:, 0], [cell.var() + RIDGE for cell in cells], rtol=1e-5
    )


def test_networks_of_each_emotion_tell_classes_that_the_mean_does_not():
    rng = np.random.default_rng(0)
    labels, joy = rng.integers(0, 2, (2, 400))
    # What is large in one emotion is small in the other.
    features = rng.normal(0, 0.3, (400, 2))
    features[:, 0] += joy * 4
    features[:, 1] += np.where(joy, 1, -1) * (2 * labels - 1)
    columns = {'emotion': np.where(joy, 'joy', 'fear').tolist()}
    given = fitted(features, labels, columns, given='emotion')
    predicted = given(torch.tensor(features).float()).argmax(1).numpy()
    assert (predicted == labels).mean() > 0.99


def test_p_values_are_of_kruskal_and_wallis_and_what_does_not_differ_is_left_out():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 40)
    features = rng.normal(size=(80, 4))
    features[:, 1] += labels
    features[:, 2] = features[:, 1] + rng.normal(0, 0.1, 80)
    features[:, 3] = 5  # never varies
    classifier = fitted(features, labels, {}, given=None, significance=0.001)
    expected = [kruskal(x[:40], x[40:]).pvalue for x in features.T[:3]]
    np.testing.assert_allclose(classifier.p_values, [*expected, 1], rtol=1e-5)
    assert expected[0] > 0.01 > 0.001 > max(expected[1:])
    assert classifier.coefficients[:, 1:3, 1:3].any()
    assert not classifier.coefficients[:, 0].any()
    changed = torch.tensor(features).float()
    scores = classifier(changed).softmax(1)
    assert scores.isfinite().all()
    changed[:, 0] += torch.arange(80) / 40
    torch.testing.assert_close(classifier(changed).softmax(1), scores)
    with pytest.raises(ValueError, match=r'significance is 1e-30; it must be above'):
        fitted(features, labels, {}, given=None, significance=1e-30)


def test_a_privileged_column_that_is_absent_is_named():
    with pytest.raises(ValueError, match="no column 'gender'; they have 'emotion'"):
        fitted(np.zeros((4, 2)), np.array([0, 0, 1, 1]), {'emotion': ['joy'] * 4})


@pytest.mark.parametrize('significance', [0, -1, 1.5])
def test_a_level_that_is_no_probability_is_refused(significance):
    with pytest.raises(ValueError, match=f'significance is {significance}; it must be'):
        BayesianNetworkClassifier(significance=significance)


def test_a_constant_feature_does_not_matter():
    features = np.float32(correlated(90, 3, seed=1))
    features[:, 2] = 0.1
    labels = np.repeat([0, 1], [50, 40])
    without = fitted(features[:, :2], labels, {}, given=None)
    classifier = fitted(features, labels, {}, given=None)
    assert classifier.p_values[2] == 1
    scores = classifier(torch.from_numpy(features)).softmax(1)
    expected = without(torch.from_numpy(features[:, :2])).softmax(1)
    torch.testing.assert_close(scores, expected)


@pytest.mark.parametrize(
    ('name', 'value', 'message'),
    [
        ('scale', torch.zeros(3), 'scale is 0 at least'),
        ('variances', -torch.ones(2, 3), 'variances is -1 at least'),
        ('coefficients', torch.zeros(1, 3, 3), r'shape of coefficients is \(1, 3, 3\)'),
        ('shares', torch.ones(2, 2), 'each model must be of one class'),
        ('shares', torch.eye(2)[:, :1], r'shape of shares is \(2, 1\)'),
    ],
)
def test_buffers_that_do_not_belong_together_are_refused(name, value, message):
    labels = np.repeat([0, 1], [50, 40])
    classifier = fitted(correlated(90, 3, seed=1), labels, {}, given=None)
    classifier.check_buffers()
    setattr(classifier, name, value)
    with pytest.raises(ValueError, match=message):
        classifier.check_buffers()
