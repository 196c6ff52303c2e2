"""A deep Boltzmann machine against sums over all hidden states."""

import itertools

import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from mmcomp.models.fitted import dbm
from mmcomp.models.fitted.dbm import DBM
from mmcomp.models.fitted.dbm_classifier import (
    DBMClassifier,
    hidden_layers,
    run_network,
    start_network,
)
from mmcomp.models.fitted.rbm import RBM


def states(count):
    return np.array(list(itertools.product([0.0, 1.0], repeat=count)))


def machine(sizes=(4, 3, 2), seed=0, scale=0.7):
    rng = np.random.default_rng(seed)
    visible, first, second = sizes
    shapes = (visible, first), (first, second), visible, first, second
    return DBM(*(torch.tensor(scale * rng.normal(size=shape)) for shape in shapes))


def hidden_part(m, extra=0.0):
    """Return c1'h1 + h1'W2 h2 + c2'h2 + extra'h1, ``(..., states, states)``."""
    weight2, bias1, bias2 = (p.numpy() for p in (m.weight2, m.bias1, m.bias2))
    h1, h2 = states(len(bias1)), states(len(bias2))
    own = h1 @ weight2 @ h2.T + h2 @ bias2
    return own + (h1 @ np.expand_dims(bias1 + extra, -1))


def log_joint(m):
    """Return log p(h1, h2), over all states, and log Z less D / 2 log 2 pi."""
    weight1, b = m.weight1.numpy(), m.visible_bias.numpy()
    means = b + states(weight1.shape[1]) @ weight1.T
    gain = (np.square(means).sum(1) - np.square(b).sum()) / 2
    joint = hidden_part(m) + gain[:, None]
    return joint - logsumexp(joint), logsumexp(joint)


def log_likelihood(m, visible):
    weight1, b = m.weight1.numpy(), m.visible_bias.numpy()
    summed = logsumexp(hidden_part(m, visible @ weight1), axis=(1, 2))
    own = summed - np.square(visible - b).sum(1) / 2
    return own - log_joint(m)[1] - len(b) / 2 * np.log(2 * np.pi)


def bound(m, visible, first, second):
    """Return the lower bound of the log likelihood, less log Z."""
    weight1, weight2, b, bias1, bias2 = (p.numpy() for p in m.parameters)
    energy = np.square(visible - b).sum(1) / 2 - (visible @ weight1 * first).sum(1)
    energy -= first @ bias1 + (first @ weight2 * second).sum(1) + second @ bias2
    q = np.concatenate([first, second], 1)
    return -energy - (q * np.log(q) + (1 - q) * np.log(1 - q)).sum(1)


def random_images(count, size, seed=1):
    return np.random.default_rng(seed).normal(size=(count, size))


@pytest.mark.parametrize('scale', [0.3, 1, 3])
def test_mean_field_is_a_fixed_point(scale):
    m = machine((10, 8, 6), scale=scale)
    visible = torch.tensor(random_images(50, 10))
    first, second = m.mean_field(visible)
    above = torch.sigmoid(visible @ m.weight1 + second @ m.weight2.T + m.bias1)
    assert (first - above).abs().max() < 1e-6
    assert (second - torch.sigmoid(first @ m.weight2 + m.bias2)).abs().max() < 1e-6


def test_updates_raise_the_lower_bound_and_never_pass_the_likelihood():
    m = machine(scale=1)
    visible = random_images(30, 4)
    bounds = []
    for updates in range(8):
        q = m.mean_field(torch.tensor(visible), updates, tolerance=0)
        bounds.append(bound(m, visible, *(x.numpy() for x in q)))
    steps = np.diff(bounds, axis=0)
    assert (steps > -1e-12).all()
    assert steps[0].max() > 1e-3
    log_z = log_joint(m)[1] + 2 * np.log(2 * np.pi)
    assert (bounds[-1] - log_z <= log_likelihood(m, visible)).all()


def test_mean_field_without_feedback_is_the_posterior():
    m = machine()
    m.weight2.zero_()
    visible = random_images(5, 4)
    weights = np.exp(hidden_part(m, visible @ m.weight1.numpy()))
    weights /= weights.sum((1, 2), keepdims=True)
    first, second = m.mean_field(torch.tensor(visible))
    np.testing.assert_allclose(first, weights.sum(2) @ states(3), atol=1e-9)
    np.testing.assert_allclose(second, weights.sum(1) @ states(2), atol=1e-9)


def test_mean_field_starts_with_a_doubled_input():
    m = machine()
    visible = torch.tensor(random_images(5, 4))
    first, _ = m.mean_field(visible, updates=0)
    expected = torch.sigmoid(2 * visible @ m.weight1 + m.bias1)
    torch.testing.assert_close(first, expected)


def test_no_images():
    first, second = machine().mean_field(torch.zeros(0, 4, dtype=torch.float64))
    assert first.shape == (0, 3)
    assert second.shape == (0, 2)


def test_gibbs_samples_follow_the_model():
    """A step from the model's own distribution keeps its moments."""
    m = machine((2, 2, 2), scale=1)
    rng = np.random.default_rng(0)
    joint = np.exp(log_joint(m)[0]).ravel()
    chosen = rng.choice(16, 200_000, p=joint / joint.sum())
    first, second = (states(2)[i] for i in np.unravel_index(chosen, (4, 4)))
    means = m.visible_bias.numpy() + first @ m.weight1.numpy().T
    visible = means + rng.normal(size=means.shape)
    torch.manual_seed(0)
    # Of h1, only its distribution given v and h2 matters, so this is stationary in v
    # and h2 jointly.
    new = m.gibbs(torch.tensor(visible), torch.tensor(second))
    before = np.concatenate([visible, first, second], 1)
    after = np.concatenate(new, 1)
    np.testing.assert_allclose(after.mean(0), before.mean(0), atol=0.02)
    np.testing.assert_allclose(np.cov(after.T), np.cov(before.T), atol=0.02)


def blobs(count, seed=0, size=4):
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.0, 1.0], (count, 1))
    return torch.tensor(signs * np.ones(size) + 0.5 * rng.normal(size=(count, size)))


def test_pretraining_joins_two_machines(monkeypatch):
    trained = []

    def record(machine, data, **recipe):
        trained.append((machine, data, recipe))
        machine.hidden_bias += 1
        if isinstance(machine, dbm.GaussianRBM):
            machine.weight += 1

    monkeypatch.setattr(dbm, 'contrastive_divergence', record)
    data = blobs(10)
    m = DBM.pretrain(data, (3, 2), (0.1, 0.2), 5, 8)
    (lower, first, down), (upper, second, up) = trained
    assert type(lower) is dbm.GaussianRBM
    assert type(upper) is RBM
    assert first is data
    torch.testing.assert_close(second, torch.sigmoid(2 * data @ lower.weight + 1))
    common = dict(epochs=5, batch_size=8, momentum=(0.5, 0.9), weight_decay=2e-4)
    assert down == dict(lr=0.1, up=2, **common)
    assert up == dict(lr=0.2, down=2, **common)
    torch.testing.assert_close(m.bias1, (1 + upper.visible_bias) / 2)
    assert m.weight1 is lower.weight
    assert m.weight2 is upper.weight
    assert m.visible_bias is lower.visible_bias
    assert m.bias2 is upper.hidden_bias


@pytest.mark.parametrize('seed', range(3))
def test_both_trainings_raise_the_exact_likelihood(seed):
    torch.manual_seed(seed)
    data = blobs(200, seed)
    start = DBM.pretrain(data, (3, 2), (1e-9, 1e-9), 1, 32)
    m = DBM.pretrain(data, (3, 2), (0.005, 0.02), 20, 32)
    before, pretrained = (log_likelihood(x, data.numpy()).mean() for x in (start, m))
    m.train_jointly(data, 40, 0.02, 32)
    after = log_likelihood(m, data.numpy()).mean()
    assert pretrained > before + 0.1
    assert after > pretrained + 0.1
    # Two blobs of 4 units: the best that any model can do is about -log 2 and noise.
    assert after < -np.log(2) - 2 * np.log(2 * np.pi * np.e * 0.25)


def pairs(count=240, seed=0):
    """Return images of 3 x 3 pixels; the sign of a product decides."""
    rng = np.random.default_rng(seed)
    features = 0.3 * rng.normal(size=(count, 9))
    signs = rng.choice([-1, 1], (count, 2))
    features[:, :3] += signs[:, :1]
    features[:, 3:6] += signs[:, 1:]
    return features.astype(np.float32), (signs.prod(1) > 0).astype(int)


def fitted(factor=1.0, **kwargs):
    torch.manual_seed(0)
    features, labels = pairs()
    model = DBMClassifier(2, **{'hidden': (32, 16), 'lr': 0.03, **kwargs})
    model.fit(factor * features, labels, ['s'] * len(labels), {})
    return model


def test_network_starts_as_the_mean_field():
    m = machine((10, 8, 6))
    visible = torch.tensor(random_images(50, 10))
    first, second = m.mean_field(visible, tolerance=1e-12)
    network = start_network(m, 2)
    layers = hidden_layers(network, visible, second)
    torch.testing.assert_close(layers[0], first)
    torch.testing.assert_close(layers[1], second)
    assert not run_network(network, visible, second).any()


@pytest.mark.parametrize('joint_epochs', [0, 3])
def test_a_product_is_learned(joint_epochs):
    model = fitted(joint_epochs=joint_epochs)
    features, labels = pairs(seed=1)
    assert (model(torch.tensor(features)).argmax(1).numpy() == labels).mean() > 0.95


def test_training_moves_the_network_and_not_the_machine():
    model = fitted(epochs=1, lr=0.1)
    moved = (model.weight1 - model.machine_weight1).abs().max()
    assert moved > 0.1
    torch.manual_seed(0)
    features, _ = pairs()
    scaled = (features - features.mean(0)) / features.std(0)
    same = DBM.pretrain(torch.tensor(scaled), (32, 16), (0.001, 0.02), 40, 32)
    torch.testing.assert_close(model.machine_weight1, same.weight1, atol=1e-4, rtol=0)


def test_scores_by_hand():
    model = fitted()
    features = pairs(seed=1)[0]
    visible = torch.tensor((features - model.mean.numpy()) / model.scale.numpy())
    second = DBM(
        model.machine_weight1,
        model.machine_weight2,
        model.machine_visible_bias,
        model.machine_bias1,
        model.machine_bias2,
    ).mean_field(visible)[1]
    inputs = visible @ model.weight1 + second @ model.feedback + model.bias1
    top = torch.sigmoid(torch.sigmoid(inputs) @ model.weight2 + model.bias2)
    scores = top @ model.weight3 + model.bias3
    torch.testing.assert_close(model(torch.tensor(features)), scores)


def test_units_of_features_do_not_matter_and_seeds_repeat():
    features = torch.tensor(pairs(seed=1)[0])
    torch.testing.assert_close(fitted(1024.0)(1024 * features), fitted()(features))


@pytest.mark.parametrize(
    ('rates', 'message'),
    [
        ({'pretrain_lr': (9.0, 0.1)}, 'pretrain_lr is 9.0; it must be smaller'),
        ({'joint_lr': 99.0, 'joint_epochs': 9}, 'joint_lr is 99.0; it must be smaller'),
    ],
)
def test_training_that_diverges_is_an_error(rates, message):
    with pytest.raises(ValueError, match=f'^{message}'):
        fitted(**rates)


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        ({'hidden': 200}, 'hidden is 200; it must be 2 numbers'),
        ({'hidden': (200, 0)}, 'hidden is 0; it must be a whole number of at least 1'),
        ({'pretrain_lr': [0.1]}, r'pretrain_lr is \[0.1\]; it must be 2 numbers'),
        ({'pretrain_lr': [0.1, 0]}, 'pretrain_lr is 0; it must be a number above 0'),
        ({'dropout': (0, 0)}, r'dropout is \(0, 0\); it must be 3 numbers'),
        ({'dropout': (0, 1, 0)}, 'dropout is .*; each must be from 0 to below 1'),
        ({'joint_epochs': -1}, 'joint_epochs is -1; it must be a whole number of at '),
        ({'weight_decay': -1}, 'weight_decay is -1; it must be at least 0'),
        ({'num_classes': 1}, 'num_classes is 1; it must be at least 2'),
    ],
)
def test_wrong_arguments(kwargs, message):
    with pytest.raises(ValueError, match=f'^{message}'):
        DBMClassifier(**{'num_classes': 2, **kwargs})


def test_a_state_is_loaded_and_checked():
    model, other = fitted(pretrain_epochs=1, epochs=1), DBMClassifier(2)
    other.load_state_dict(model.state_dict())
    other.check_buffers()
    features = torch.tensor(pairs()[0])
    assert torch.equal(other(features), model(features))


@pytest.mark.parametrize(
    ('buffers', 'message'),
    [
        ({'machine_bias1': lambda x: x[:1]}, 'shape of machine_bias1 is'),
        ({'feedback': lambda x: x.T}, 'shape of feedback is'),
        ({'bias3': lambda x: x[:1]}, r'shape of bias3 is \(1,\); it must be \(2,\)'),
        ({'scale': lambda x: 0 * x}, 'scale is 0 at least; it must be above 0'),
    ],
)
def test_loaded_buffers_that_do_not_belong_together(buffers, message):
    model = fitted(pretrain_epochs=1, epochs=1)
    for name, change in buffers.items():
        setattr(model, name, change(getattr(model, name)))
    with pytest.raises(ValueError, match=f'^{message}'):
        model.check_buffers()
