"""Gaussian machines against integrals, mixtures and sums over hidden states."""

import itertools

import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from mmcomp.models.fitted import gaussian_rbm, rbm
from mmcomp.models.fitted.gaussian_rbm import GaussianRBM, GaussianRBMClassifier


def states(count):
    return np.array(list(itertools.product([0.0, 1.0], repeat=count)))


def machine(visible=4, hidden=3, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    weight = scale * rng.normal(size=(visible, hidden))
    values = weight, rng.normal(size=visible), rng.normal(size=hidden)
    return GaussianRBM(*map(torch.tensor, values))


def mixture(parameters, features):
    """Return log p(v): a mixture of a normal distribution for each hidden state."""
    weight, b, c = (np.asarray(p, float) for p in parameters)
    h = states(len(c))
    means = b + h @ weight.T
    shares = h @ c + (np.square(means).sum(1) - np.square(b).sum()) / 2
    shares = shares - logsumexp(shares)
    distance = np.square(np.asarray(features)[:, None] - means).sum(2)
    normal = -distance / 2 - len(b) / 2 * np.log(2 * np.pi)
    return logsumexp(shares + normal, axis=1)


def log_likelihood(m, visible):
    return -m.free_energy(visible) - m.log_partition()


def test_log_partition_equals_the_integral():
    m = machine(visible=2)
    weight, b, c = (p.numpy() for p in m.parameters)
    axis = np.linspace(-12, 12, 241)
    v = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    energy = [np.square(v - b).sum(1) / 2 - c @ h - v @ weight @ h for h in states(3)]
    log_z = logsumexp(-np.stack(energy)) + 2 * np.log(axis[1] - axis[0])
    assert m.log_partition().item() == pytest.approx(log_z)


def test_likelihoods_equal_the_mixture():
    m = machine()
    v = torch.tensor(np.random.default_rng(1).normal(size=(20, 4)))
    expected = mixture(m.parameters, v)
    np.testing.assert_allclose(log_likelihood(m, v), expected)


def test_stacked_machines_equal_single_ones():
    machines = [machine(seed=seed) for seed in range(3)]
    stack = GaussianRBM.stack(machines)
    v = torch.tensor(np.random.default_rng(1).normal(size=(20, 4)))
    expected = torch.stack([log_likelihood(m, v) for m in machines])
    likelihood = -stack.free_energy(v) - stack.log_partition()[:, None]
    torch.testing.assert_close(likelihood, expected)


def test_gradient_is_the_difference_of_statistics():
    m = machine()
    for p in m.parameters:
        p.requires_grad_()
    data = torch.tensor(np.random.default_rng(1).normal(size=(7, 4)))
    log_likelihood(m, data).mean().backward()
    own = rbm.statistics(data, m.hidden(data))
    h = torch.tensor(states(3))
    with torch.no_grad():
        means = m.visible(h)
        shares = (h @ m.hidden_bias + means.square().sum(1) / 2).softmax(0)
    expected = (means.T * shares @ h, shares @ means, shares @ h)
    for p, data_part, model_part in zip(m.parameters, own, expected):
        torch.testing.assert_close(p.grad, (data_part - model_part).detach())


def test_the_model_is_stationary_under_cd():
    """On data of its own distribution, a step is 0: this needs noise in both layers."""
    m = machine(visible=2, hidden=2, scale=0.8)
    rng = np.random.default_rng(0)
    weight, b, c = (p.numpy().copy() for p in m.parameters)
    h = states(2)
    shares = np.exp(h @ c + np.square(b + h @ weight.T).sum(1) / 2)
    chosen = rng.choice(4, 200_000, p=shares / shares.sum())
    data = b + h[chosen] @ weight.T + rng.normal(size=(200_000, 2))
    torch.manual_seed(0)
    rbm.contrastive_divergence(
        m, torch.tensor(data), epochs=1, lr=1, batch_size=200_000
    )
    for p, before in zip(m.parameters, (weight, b, c)):
        np.testing.assert_allclose(p, before, atol=0.02)


@pytest.mark.parametrize('seed', range(5))
def test_cd_raises_the_exact_likelihood(seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.5, 1.5], (60, 1))
    data = torch.tensor(signs * np.ones(6) + 0.5 * rng.normal(size=(60, 6)))
    m = GaussianRBM.start(data, 2)
    before = log_likelihood(m, data).mean()
    rbm.contrastive_divergence(m, data, epochs=100, lr=0.01, batch_size=16)
    assert log_likelihood(m, data).mean() > before + 2


def test_annealed_importance_sampling_is_near_the_exact_value():
    torch.manual_seed(0)
    m = machine(visible=20, hidden=12, scale=0.4)
    value, error = m.estimate_log_partition()
    assert 0 < error < 0.2
    assert abs(value - m.log_partition()) < error


def test_95_of_100_intervals_hold_the_exact_value():
    torch.manual_seed(0)
    m = machine(visible=6, hidden=8, scale=0.6)
    stack = GaussianRBM.stack([m] * 100)
    values, errors = stack.estimate_log_partition(100, 50)
    inside = (values - m.log_partition()).abs() < errors
    assert 90 <= inside.sum() <= 99
    assert 0.05 < errors.mean() < 0.5


def pairs(count=200, seed=0):
    """Return features of two classes and two emotions: neither class is one blob."""
    rng = np.random.default_rng(seed)
    labels, kinds = rng.integers(0, 2, (2, count))
    centres = np.array([[[0, 0, 2], [3, 3, -2]], [[0, 3, 2], [3, 0, -2]]])
    features = centres[labels, kinds] + 0.5 * rng.normal(size=(count, 3))
    emotion = np.array(['joy', 'fear'])[kinds].tolist()
    return features.astype(np.float32), labels, {'emotion': emotion}


def fitted(factor=1.0, **kwargs):
    torch.manual_seed(0)
    features, labels, columns = pairs()
    model = GaussianRBMClassifier(2, **{'hidden': 3, 'epochs': 20, **kwargs})
    model.fit(factor * features, labels, ['s'] * len(labels), columns)
    return model


def expected_scores(model, features):
    scaled = (features - model.mean.numpy()) / model.scale.numpy()
    parts = (model.weight, model.visible_bias, model.hidden_bias)
    likelihood = [mixture(p, scaled) for p in zip(*(x.numpy() for x in parts))]
    return np.array(likelihood).T


def test_the_best_machine_of_a_class_decides():
    model = fitted()
    features, labels, columns = pairs()
    # Machines are ordered by class, then value: fear, joy, fear, joy.
    likelihood = expected_scores(model, features)
    share = np.array(
        [
            np.mean(np.array(columns['emotion'])[labels == label] == value)
            for label in range(2)
            for value in ('fear', 'joy')
        ]
    )
    best = (likelihood + np.log(share)).reshape(-1, 2, 2).max(2)
    np.testing.assert_allclose(model(torch.tensor(features)), best, atol=1e-3)


def test_features_are_standardised():
    features, _, _ = pairs()
    model = fitted()
    np.testing.assert_allclose(model.mean, features.mean(0), atol=1e-5)
    np.testing.assert_allclose(model.scale, features.std(0), rtol=1e-5)
    features = torch.tensor(features)
    torch.testing.assert_close(fitted(1024.0)(1024 * features), model(features))


def test_a_constant_feature_does_no_harm():
    data = torch.full((7, 1), 0.1)
    assert gaussian_rbm.mean_and_scale(data)[1].item() == 1


def test_privileged_columns_help_and_are_not_needed_in_testing():
    features, labels, _ = pairs(seed=1)
    errors = {
        given: (
            fitted(given=given, hidden=1)(torch.tensor(features)).argmax(1).numpy()
            != labels
        ).mean()
        for given in ('emotion', None)
    }
    assert errors['emotion'] < 0.02
    assert errors['emotion'] < errors[None]


def test_small_cells_are_left_out():
    features, labels, _ = pairs(60)
    labels[:] = 1
    labels[:10] = 0
    emotion = ['joy'] * 5 + ['fear'] * 5 + ['joy'] * 43 + ['fear'] * 7
    model = GaussianRBMClassifier(2, hidden=2, epochs=1)
    model.fit(features, labels, ['s'] * 60, {'emotion': emotion})
    # Class 0 has no cell of 8 pairs and gets one machine; class 1 keeps joy.
    np.testing.assert_allclose(model.shares, [[1, 0], [0, 43 / 50]], rtol=1e-6)


def test_without_a_privileged_column_there_is_a_machine_for_each_class():
    model = fitted(given=None)
    assert model.shares.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ('columns', 'message'),
    [
        ({}, "no column 'emotion'"),
        ({'emotion': [''] * 200}, "column 'emotion' is empty"),
        ({'emotion': ['joy'] * 200}, "column 'emotion' has one value, 'joy'"),
    ],
)
def test_privileged_columns_that_do_not_suffice(columns, message):
    features, labels, _ = pairs()
    model = GaussianRBMClassifier(2)
    with pytest.raises(ValueError, match=message):
        model.fit(features, labels, ['s'] * 200, columns)


def test_many_hidden_units_are_estimated(monkeypatch):
    exact = fitted()
    monkeypatch.setattr(gaussian_rbm, 'MAX_EXACT', 2)
    estimated = fitted()
    torch.testing.assert_close(estimated.weight, exact.weight)
    difference = (estimated.log_partition - exact.log_partition).abs()
    assert 0 < difference.max() < 0.3


def test_an_uncertain_estimate_is_reported(monkeypatch):
    monkeypatch.setattr(gaussian_rbm, 'MAX_EXACT', 2)
    monkeypatch.setattr(
        GaussianRBM,
        'estimate_log_partition',
        lambda machines: (torch.zeros(4), torch.tensor([0.1, 0.7, 0, 0])),
    )
    with pytest.warns(UserWarning, match='log Z is uncertain by 0.7'):
        fitted()


def test_training_that_diverges_is_an_error():
    message = 'lr is 50.0; it must be smaller, as training diverged'
    with pytest.raises(ValueError, match=message):
        fitted(lr=50.0)


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        ({'given': ''}, "given is ''; it must be a column, or None"),
        ({'given': ['emotion']}, 'given is .*; it must be a column, or None'),
        ({'hidden': 0}, 'hidden is 0; it must be a whole number of at least 1'),
        ({'lr': -1}, 'lr is -1; it must be a number above 0'),
    ],
)
def test_wrong_arguments(kwargs, message):
    with pytest.raises(ValueError, match=f'^{message}'):
        GaussianRBMClassifier(2, **kwargs)


def test_a_state_is_loaded_and_checked():
    model, other = fitted(), GaussianRBMClassifier(2)
    other.load_state_dict(model.state_dict())
    other.check_buffers()
    features = torch.tensor(pairs()[0])
    assert torch.equal(other(features), model(features))


@pytest.mark.parametrize(
    ('buffers', 'message'),
    [
        ({'scale': lambda x: x[:1]}, r'shape of scale is \(1,\); it must be \(3,\)'),
        ({'hidden_bias': lambda x: x[:, :1]}, 'shape of hidden_bias is'),
        ({'log_partition': lambda x: x[:1]}, 'shape of log_partition is'),
        ({'shares': lambda x: x[:1]}, 'shape of shares is'),
        ({'scale': lambda x: 0 * x}, 'scale is 0 at least; it must be above 0'),
        ({'shares': lambda x: x + 1}, 'shares is .* must be of one class'),
        ({'shares': lambda x: -x}, 'shares is .* must be of one class'),
    ],
)
def test_loaded_buffers_that_do_not_belong_together(buffers, message):
    model = fitted()
    for name, change in buffers.items():
        setattr(model, name, change(getattr(model, name)))
    with pytest.raises(ValueError, match=f'^{message}'):
        model.check_buffers()
