"""Binary machines against sums over all states."""

import itertools

import numpy as np
import pytest
import torch
from scipy.special import expit, logsumexp

from mmcomp.models.fitted import rbm
from mmcomp.models.fitted.rbm import RBM, RBMClassifier, contrastive_divergence

NONE: dict[str, list[str]] = {}


def states(count):
    return np.array(list(itertools.product([0.0, 1.0], repeat=count)))


def machine(visible=5, hidden=3, seed=0):
    rng = np.random.default_rng(seed)
    shapes = (visible, hidden), visible, hidden
    return RBM(*(torch.tensor(rng.normal(size=shape)) for shape in shapes))


def enumerated(m):
    """Return p(v, h) over all states, by its definition."""
    weight, b, c = (p.numpy() for p in m.parameters)
    v, h = states(len(b)), states(len(c))
    energy = -(v @ b)[:, None] - h @ c - np.einsum('vi,ij,hj->vh', v, weight, h)
    return np.exp(-energy - logsumexp(-energy)), logsumexp(-energy)


def log_likelihood(m, visible):
    return -m.free_energy(visible) - m.log_partition()


def test_likelihoods_equal_enumeration():
    m = machine()
    joint, log_z = enumerated(m)
    likelihood = log_likelihood(m, torch.tensor(states(5)))
    assert m.log_partition().item() == pytest.approx(log_z)
    np.testing.assert_allclose(likelihood, np.log(joint.sum(1)))
    assert likelihood.exp().sum().item() == pytest.approx(1)


def test_conditionals_equal_enumeration():
    m = machine()
    joint, _ = enumerated(m)
    hidden = joint / joint.sum(1, keepdims=True) @ states(3)
    np.testing.assert_allclose(m.hidden(torch.tensor(states(5))), hidden)
    visible = (joint / joint.sum(0)).T @ states(5)
    np.testing.assert_allclose(m.visible(torch.tensor(states(3))), visible)


def test_factors_multiply_inputs_and_not_biases():
    m = machine()
    double = RBM(2 * m.weight, m.visible_bias, m.hidden_bias)
    v, h = torch.tensor(states(5)), torch.tensor(states(3))
    torch.testing.assert_close(m.hidden(v, 2), double.hidden(v))
    torch.testing.assert_close(m.visible(h, 2), double.visible(h))


def test_stacked_machines_equal_single_ones():
    machines = [machine(seed=seed) for seed in range(3)]
    stack = RBM.stack(machines)
    v = torch.tensor(states(5))
    expected = torch.stack([m.free_energy(v) for m in machines])
    torch.testing.assert_close(stack.free_energy(v), expected)
    expected = torch.stack([m.log_partition() for m in machines])
    torch.testing.assert_close(stack.log_partition(), expected)


def test_gradient_is_the_difference_of_statistics():
    m = machine()
    for p in m.parameters:
        p.requires_grad_()
    data = torch.tensor(states(5)[[3, 7, 7, 21]])
    log_likelihood(m, data).mean().backward()
    with torch.no_grad():
        own = rbm.statistics(data, m.hidden(data))
    for p in m.parameters:
        p.requires_grad_(False)
    joint, _ = enumerated(m)
    expected = (
        np.einsum('vi,vh,hj->ij', states(5), joint, states(3)),
        joint.sum(1) @ states(5),
        joint.sum(0) @ states(3),
    )
    for p, data_part, model_part in zip(m.parameters, own, expected):
        np.testing.assert_allclose(p.grad, data_part - model_part, atol=1e-12)


@pytest.mark.parametrize(('up', 'down'), [(1, 1), (2, 1), (1, 2)])
def test_cd_follows_its_expected_gradient(up, down):
    """One step on many copies of two states, against sums over both layers."""
    m = machine(3, 2)
    data = states(3)[[2, 5]]
    weight, b, c = (p.numpy().copy() for p in m.parameters)
    v, h = states(3), states(2)

    def bernoulli(p, x):
        return np.prod(np.where(x[None] == 1, p[:, None], 1 - p[:, None]), 2)

    hidden = expit(up * data @ weight + c)
    chain = bernoulli(hidden, h) @ bernoulli(expit(down * h @ weight.T + b), v)
    fantasy = chain.mean(0)
    last = expit(up * v @ weight + c)
    expected = (
        data.T @ hidden / 2 - (v * fantasy[:, None]).T @ last - 0.01 * weight,
        data.mean(0) - fantasy @ v,
        hidden.mean(0) - fantasy @ last,
    )
    torch.manual_seed(0)
    copies = torch.tensor(data).repeat(100_000, 1)
    contrastive_divergence(
        m,
        copies,
        epochs=1,
        lr=1,
        batch_size=len(copies),
        weight_decay=0.01,
        up=up,
        down=down,
    )
    for p, before, step in zip(m.parameters, (weight, b, c), expected):
        np.testing.assert_allclose(p - before, step, atol=0.006)


def test_momentum(monkeypatch):
    signs = itertools.cycle([1.0, 0.0])  # data, then model

    def ones(visible, hidden):
        sign = next(signs)
        return [torch.full(s, sign) for s in ((2, 1), (2,), (1,))]

    monkeypatch.setattr(rbm, 'statistics', ones)
    m = RBM(torch.zeros(2, 1), torch.zeros(2), torch.zeros(1))
    contrastive_divergence(
        m, torch.zeros(3, 2), epochs=6, lr=0.1, batch_size=2, momentum=(0.5, 0.9)
    )
    step = position = 0.0
    for index in range(12):  # two batches an epoch
        step = (0.5 if index < 10 else 0.9) * step + 0.1
        position += step
    assert m.weight[0, 0].item() == pytest.approx(position)


@pytest.mark.parametrize('seed', range(5))
def test_cd_raises_the_exact_likelihood(seed):
    torch.manual_seed(seed)
    data = torch.tensor([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]] * 10).double()
    m = RBM.start(data, 2)
    torch.testing.assert_close(m.visible(torch.zeros(1, 2).double())[0], data.mean(0))
    before = log_likelihood(m, data).mean()
    contrastive_divergence(m, data, epochs=200, lr=0.1, batch_size=5)
    after = log_likelihood(m, data).mean()
    assert before.item() == pytest.approx(-6 * np.log(2), abs=0.01)
    assert after > -2.5  # the best is -log 2


def labelled(count=200, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    signs = rng.choice([-1, 1], count)  # of both features, together or opposed
    second = np.where(labels == 1, signs, -signs)
    noise = 0.3 * rng.normal(size=(count, 2))
    return (np.stack([signs, second], 1) + noise).astype(np.float32), labels


def fitted(factor=1.0):
    torch.manual_seed(0)
    features, labels = labelled()
    model = RBMClassifier(2, hidden=3, lr=0.2)
    model.fit(factor * features, labels, ['s'] * len(labels), NONE)
    return model


def test_events_by_hand():
    model = RBMClassifier(2)
    model.threshold = torch.tensor([1.0, 2.0])
    events = model.events(torch.tensor([[1.5, 1.5], [-1.5, -2.5], [1.0, -2.0]]))
    assert events.tolist() == [[1, 0, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0]]


def test_thresholds_are_half_the_standard_deviation():
    features, _ = labelled()
    np.testing.assert_allclose(fitted().threshold, features.std(0) / 2, rtol=1e-5)


def test_scores_are_log_likelihoods():
    model = fitted()
    features = torch.tensor([[1.0, 1.0], [-1.0, 0.0]])
    events = [0b1100, 0b0010]  # positions in the list of all states
    for label in range(2):
        parts = (model.weight, model.visible_bias, model.hidden_bias)
        joint, _ = enumerated(RBM(*(p[label].double() for p in parts)))
        np.testing.assert_allclose(
            model(features)[:, label], np.log(joint.sum(1)[events]), atol=1e-4
        )


def test_classes_that_only_the_interaction_distinguishes():
    model = fitted()
    features, labels = labelled(200, seed=1)
    assert (model(torch.tensor(features)).argmax(1).numpy() == labels).mean() > 0.9


def test_units_of_features_do_not_matter_and_seeds_repeat():
    features = torch.tensor(labelled()[0])
    torch.testing.assert_close(fitted(1024.0)(1024 * features), fitted()(features))


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        ({'hidden': 15}, 'hidden is 15; it must be at most 14'),
        ({'hidden': 0}, 'hidden is 0; it must be a whole number of at least 1'),
        ({'epochs': 2.5}, 'epochs is 2.5; it must be a whole number of at least 1'),
        ({'batch_size': '8'}, "batch_size is '8'; it must be a whole number of at "),
        ({'lr': 0}, 'lr is 0; it must be a number above 0'),
        ({'lr': float('nan')}, 'lr is nan; it must be a number above 0'),
    ],
)
def test_wrong_arguments(kwargs, message):
    with pytest.raises(ValueError, match=f'^{message}'):
        RBMClassifier(2, **kwargs)


def test_a_state_is_loaded_and_checked():
    model, other = fitted(), RBMClassifier(2)
    other.load_state_dict(model.state_dict())
    other.check_buffers()
    features = torch.tensor(labelled()[0])
    assert torch.equal(other(features), model(features))


@pytest.mark.parametrize(
    ('buffers', 'message'),
    [
        ({'threshold': lambda x: x[:1]}, 'shape of weight is'),
        ({'visible_bias': lambda x: x[:1]}, 'shape of visible_bias is'),
        ({'log_partition': lambda x: x[:1]}, 'shape of log_partition is'),
        ({'threshold': lambda x: -x}, 'threshold is -0.* at least; it must be at'),
    ],
)
def test_loaded_buffers_that_do_not_belong_together(buffers, message):
    model = fitted()
    for name, change in buffers.items():
        setattr(model, name, change(getattr(model, name)))
    with pytest.raises(ValueError, match=f'^{message}'):
        model.check_buffers()
