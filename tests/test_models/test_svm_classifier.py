import numpy as np
import pytest
import torch
from scipy.stats import f_oneway
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from mmcomp.models.fitted.svm import SVMClassifier, anova_f
from mmcomp.registry import MODELS


def problem(classes=2, count=90, width=7, seed=0):
    """Overlapping classes in features of different scales; 9 subjects."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    centers = generator.normal(0, 1, (classes, width))
    features = centers[labels] + generator.normal(0, 1.5, (count, width))
    features = features * 10.0 ** np.arange(-2, width - 2) + 5
    subjects = [f's{index // 10}' for index in range(count)]
    return features.astype(np.float32), labels, subjects


def fitted(features, labels, subjects, **kwargs):
    classifier = SVMClassifier(num_classes=labels.max() + 1, **kwargs)
    classifier.fit(features, labels, subjects, {})
    return classifier


@pytest.mark.parametrize('classes', [2, 3, 4])
@pytest.mark.parametrize('kernel', ['linear', 'rbf'])
def test_decisions_are_those_of_scikit_learn(kernel, classes):
    features, labels, subjects = problem(classes)
    classifier = fitted(features, labels, subjects, kernel=kernel, C=3.0, gamma=1.0)
    pipeline = make_pipeline(
        StandardScaler(), SVC(kernel=kernel, C=3.0, tol=1e-6, break_ties=True)
    )
    pipeline.fit(features.astype(float), labels)
    new = problem(classes, seed=1)[0]
    expected = pipeline.decision_function(new.astype(float))
    scores = classifier(torch.from_numpy(new)).numpy()
    assert scores.shape == (len(new), classes)
    assert scores.dtype == np.float32
    if classes == 2:
        np.testing.assert_allclose(scores[:, 1] - scores[:, 0], expected, atol=1e-5)
        np.testing.assert_allclose(scores.sum(1), 0, atol=1e-6)
    else:
        np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert (scores.argmax(1) == pipeline.predict(new.astype(float))).all()
    assert (
        classifier(torch.from_numpy(features)).argmax(1) == labels
    ).float().mean() > 0.6


@pytest.mark.parametrize('kernel', ['linear', 'rbf'])
def test_two_class_scores_grow_with_the_decision(kernel):
    """The softmax of the second class is the logistic function of the decision."""
    features, labels, subjects = problem()
    classifier = fitted(features, labels, subjects, kernel=kernel, C=1.0, gamma=1.0)
    scores = classifier(torch.from_numpy(features))
    decision = scores[:, 1] - scores[:, 0]
    torch.testing.assert_close(scores.softmax(1)[:, 1], decision.sigmoid())
    assert decision[labels == 1].mean() > decision[labels == 0].mean()


def test_a_gaussian_kernel_by_hand():
    """One pair of each class, at -1 and 1 when standardised: both support vectors.

    Both coefficients are a = 1 / (1 - k), k = exp(-4 gamma), where C is no less.
    """
    features = np.array([[2.0], [6.0]])
    classifier = fitted(features, np.array([0, 1]), ['a', 'b'], C=10.0, gamma=0.25)
    a = 1 / (1 - np.exp(-1))
    np.testing.assert_allclose(sorted(classifier.coefficients[0]), [-a, a], rtol=1e-6)
    scores = classifier(torch.tensor([[6.0], [4.0], [5.0]], dtype=torch.double))
    expected = a * (np.exp(-0.25 * 0.25) - np.exp(-0.25 * 2.25))
    np.testing.assert_allclose(scores[:, 1] - scores[:, 0], [1, 0, expected], atol=1e-6)


def test_f_is_that_of_scipy_and_0_for_a_constant():
    features, labels, _ = problem(3)
    features[:, 2] = 4
    expected = [
        f_oneway(*(column[labels == k] for k in range(3))).statistic
        if place != 2
        else 0
        for place, column in enumerate(features.T.astype(float))
    ]
    np.testing.assert_allclose(anova_f(features.astype(float), labels), expected)


def test_selection_is_of_the_block_only():
    """Of the first six, 1 and 3 differ most between classes; the last one is kept."""
    generator = np.random.default_rng(0)
    labels = np.arange(60) % 2
    features = generator.normal(0, 1, (60, 7))
    features[:, 1] += 5 * labels
    features[:, 3] -= 4 * labels
    features[:, 6] += 6 * labels
    classifier = fitted(
        features, labels, ['a'] * 60, select=2, keep=1, C=1.0, gamma=1.0
    )
    assert classifier.selected.tolist() == [1, 3, 6]
    scores = classifier(torch.from_numpy(features))
    ignored = features.copy()
    ignored[:, [0, 2, 4, 5]] = 99
    torch.testing.assert_close(classifier(torch.from_numpy(ignored)), scores)
    kept = [1, 3, 6]
    alone = fitted(features[:, kept], labels, ['a'] * 60, C=1.0, gamma=1.0)
    scores_alone = alone(torch.from_numpy(features[:, kept]))
    torch.testing.assert_close(scores_alone, scores, rtol=0, atol=1e-5)


@pytest.mark.parametrize('seed', range(3))
def test_choice_is_that_of_a_grid_search_by_subject(seed):
    features, labels, subjects = problem(3, seed=seed)
    width = features.shape[1]
    classifier = fitted(features, labels, subjects, C=(10, 0.1, 1), gamma=(2, 0.1, 0.5))
    grid = {'svc__C': [0.1, 1, 10], 'svc__gamma': [g / width for g in (0.1, 0.5, 2)]}
    search = GridSearchCV(
        make_pipeline(StandardScaler(), SVC()), grid, cv=GroupKFold(5)
    )
    search.fit(features.astype(float), labels, groups=subjects)
    assert classifier.penalty.item() == search.best_params_['svc__C']
    assert classifier.gamma.item() == pytest.approx(search.best_params_['svc__gamma'])


def test_selection_does_not_see_the_inner_test_subjects(monkeypatch):
    """Each choice uses as many subjects as it may, and no others."""
    features, labels, subjects = problem()
    seen = []
    best = SVMClassifier._best

    def spy(self, features, labels):
        seen.append(len(features))
        return best(self, features, labels)

    monkeypatch.setattr(SVMClassifier, '_best', spy)
    fitted(features, labels, subjects, select=3, C=(1, 10), gamma=1.0)
    assert seen == [70, 70, 70, 70, 80, 90]


def test_inner_folds_of_one_class_do_not_count():
    """Each subject has one class: nothing to choose by, so the smallest are taken."""
    features, labels, _ = problem()
    subjects = [f's{label}' for label in labels]
    classifier = fitted(features, labels, subjects, C=(10, 1), gamma=(1, 0.5))
    assert classifier.penalty.item() == 1
    assert classifier.gamma.item() == pytest.approx(0.5 / 7)


def test_state_is_tensors_that_others_load():
    features, labels, subjects = problem(3)
    settings = dict(type='mmcomp.SVMClassifier', num_classes=3, select=4, C=1, gamma=1)
    classifier = MODELS.build(settings)
    assert not classifier.is_fitted
    classifier.fit(features, labels, subjects, {})
    assert classifier.is_fitted
    other = MODELS.build(settings)
    other.load_state_dict(classifier.state_dict())
    other.check_buffers()
    inputs = torch.from_numpy(features)
    torch.testing.assert_close(other(inputs), classifier(inputs), rtol=0, atol=0)
    with pytest.raises(ValueError, match=r'number of features is 6; it must be 7'):
        other(inputs[:, :6])


@pytest.mark.parametrize(
    ('name', 'change', 'message'),
    [
        ('selected', lambda value: value + 4, 'selected is 4 to 10; it must be 0 to 6'),
        ('selected', lambda value: value - 1, 'selected is -1 to 5'),
        ('selected', lambda value: value.double(), 'integers'),
        ('std', lambda value: value * 0, 'std is 0.0 at least; it must be above 0'),
        ('std', lambda value: value[1:], r'shape of std is \(6,\); it must be \(7,\)'),
        ('vectors', lambda value: value[1:], 'shape of coefficients is'),
        ('intercept', lambda value: value[1:], 'shape of intercept is'),
    ],
)
def test_buffers_of_strangers_are_checked(name, change, message):
    classifier = fitted(*problem(3), C=1.0, gamma=1.0)
    setattr(classifier, name, change(getattr(classifier, name)))
    with pytest.raises(ValueError, match=message):
        classifier.check_buffers()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(kernel='poly'), r"kernel is 'poly'; it must be one of 'linear', 'rbf'"),
        (dict(C=0), 'C is 0; it must be a positive number'),
        (dict(C=()), r'C is \(\); it must be'),
        (dict(gamma=(1, -1)), r'gamma is \(1, -1\); it must be'),
        (dict(select=0), 'select is 0; it must be at least 1, or None'),
        (dict(keep=-1), 'keep is -1; it must be at least 0'),
    ],
)
def test_arguments_that_are_not_allowed(arguments, message):
    with pytest.raises(ValueError, match=message):
        SVMClassifier(2, **arguments)


def test_pairs_that_do_not_suffice():
    features, labels, subjects = problem()
    with pytest.raises(
        ValueError, match='pairs of class 1 is 0; it must be at least 1'
    ):
        SVMClassifier(2).fit(features, labels * 0, subjects, {})
    with pytest.raises(
        ValueError, match='number of subjects is 1; it must be at least'
    ):
        SVMClassifier(2).fit(features, labels, ['a'] * len(labels), {})
    with pytest.raises(ValueError, match='select is 5; it must be at most 4'):
        SVMClassifier(2, select=5, keep=3).fit(features, labels, subjects, {})
