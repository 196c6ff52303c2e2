"""States of every classifier that a stranger may have made: refused, or of use."""

import numpy as np
import pytest
import torch
from fitted_parts import FITTED

from mmcomp.checkpoint import CheckpointError, check_fits
from mmcomp.registry import MODELS

CLASSIFIERS = {
    'nearest': dict(type='mmcomp.NearestMean'),
    'linear': dict(type='mmcomp.SVMClassifier', kernel='linear'),
    'rbf': dict(type='mmcomp.SVMClassifier', kernel='rbf', C=1.0, gamma=1.0),
    'rbm': dict(type='mmcomp.RBMClassifier', hidden=3, epochs=1),
    'gaussian': dict(type='mmcomp.GaussianRBMClassifier', given=None, epochs=1),
    'dbm': dict(
        type='mmcomp.DBMClassifier', hidden=(6, 4), pretrain_epochs=1, epochs=1
    ),
    'bayes': dict(type='mmcomp.BayesianNetworkClassifier', given=None),
}

#: What may have become of a buffer.
CHANGES = {
    'longer': lambda x: torch.cat([x, x]),
    'shorter': lambda x: x[:-1],
    'wider': lambda x: torch.cat([x, x], -1),
    'deeper': lambda x: x[None],
    'transposed': lambda x: x.mT if x.ndim > 1 else x[:, None],
    'one': lambda x: x.flatten()[:1].reshape((1,) * x.ndim),
    'empty': lambda x: x[:0],
    'zero': torch.zeros_like,
    'negative': lambda x: -x - 1,
    'huge': lambda x: torch.full_like(x, 10**14),
    'tiny': lambda x: torch.full_like(x, -(10**14)),
    'too large': lambda x: torch.full_like(x, 10**17),
    'whole': lambda x: x.long(),
    'double': lambda x: x.double(),
    'half': lambda x: x.half(),
    'complex': lambda x: x.to(torch.complex64),
}


@pytest.fixture(scope='module')
def pairs():
    """Pairs of 4x4 images whose difference tells the class, and a little noise."""
    rng = np.random.default_rng(0)
    images = rng.integers(90, 110, (40, 2, 1, 4, 4))
    images[::2, 1, :, :2] += 60
    images[1::2, 1, :, 2:] += 60
    return torch.from_numpy(images).float()


@pytest.fixture(scope='module', params=CLASSIFIERS)
def model(request, pairs):
    torch.manual_seed(0)
    model = build(CLASSIFIERS[request.param])
    model.config = CLASSIFIERS[request.param]
    features, labels = model.describe(pairs), np.arange(40) % 2
    subjects = [f's{i // 4}' for i in range(40)]
    model.fit_features(features, labels, subjects, {})
    return model


def build(classifier):
    return MODELS.build({**FITTED, 'classifier': classifier}).eval()


@torch.no_grad()
def test_a_fitted_state_is_accepted_and_says_the_same(model, pairs):
    other = build(model.config)
    check_fits(other, model.state_dict(), 'good.pth')
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(pairs), model(pairs))


@torch.no_grad()
@pytest.mark.parametrize('change', CHANGES)
def test_a_changed_state_is_refused_or_of_use(model, change, pairs):
    """No error but the one sentence of a CheckpointError or ValueError."""
    state = model.state_dict()
    messages = []
    refused = 0
    for name, value in state.items():
        other = build(model.config)
        changed = {**state, name: CHANGES[change](value).contiguous()}
        try:
            check_fits(other, changed, 'bad.pth')
        except CheckpointError as error:
            messages.append(str(error))
            refused += 1
            continue
        other.load_state_dict(changed)
        try:
            scores = other(pairs)
        except ValueError as error:
            messages.append(str(error))
        else:
            assert scores.shape == (40, 2)
            assert scores.isfinite().all()
    assert not any('\n' in message for message in messages)
    if change in ('deeper', 'empty', 'half', 'complex'):
        assert refused == len(state)
