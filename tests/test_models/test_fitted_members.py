"""Stacks with members that are fitted at once."""

import numpy as np
import pytest
import torch
from fitted_parts import FITTED
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from test_stacking_classifier import batch as random_batch
from test_stacking_classifier import labels_and_subjects, member

from mmcomp.checkpoint import CheckpointError, check_fits
from mmcomp.registry import MODELS

PREPROCESSOR = dict(
    standardize='image', augment=dict(type='mmcomp.PairAugment', crop_size=44)
)


def batch(count=24, seed=0):
    return random_batch(count, seed, side=48)


def build(**kwargs):
    """A network on the normalised crop, and means of halves of the whole image."""
    torch.manual_seed(0)
    cfg = dict(
        type='mmcomp.StackingClassifier',
        members={'net': member(), 'halves': FITTED},
        data_preprocessor=PREPROCESSOR,
    )
    return MODELS.build({**cfg, **kwargs}).eval()


def fitted(**kwargs):
    model = build(**kwargs)
    if model.cross_fit:
        model.assign_folds([['s0', 's1'], ['s2', 's3'], ['s4', 's5']])
    model.fit_svms([batch()])
    return model


def halves(data):
    """The change of the mean of each half, by hand."""
    pairs = data['inputs'][:, :, 0].double().numpy()
    means = np.stack([pairs[:, :, :24].mean((2, 3)), pairs[:, :, 24:].mean((2, 3))])
    return (means[:, :, 1] - means[:, :, 0]).T


def prepared(data):
    """The pairs of a batch as the network sees them alone."""
    alone = MODELS.build(dict(type='mmcomp.PairDataPreprocessor', **PREPROCESSOR))
    return alone(dict(inputs=data['inputs']), False)['inputs']


def test_svm_joins_the_crop_s_features_and_those_of_the_whole_image():
    model, data = fitted(), batch(40, seed=1)
    inputs = model.data_preprocessor(data, False)['inputs']
    assert torch.equal(inputs, data['inputs'].float())
    net = model.copies[0]['net']
    with torch.no_grad():
        features = model.extract_feat(inputs).numpy()
        expected = net.extract_feat(prepared(data), stage='pre_logits').numpy()
    np.testing.assert_allclose(features[:, :7], expected, atol=1e-5)
    np.testing.assert_allclose(features[:, 7:], halves(data), atol=1e-4)
    known = batch()
    with torch.no_grad():
        learned = model.extract_feat(known['inputs'].float()).numpy()
    reference = make_pipeline(StandardScaler(), LinearSVC(max_iter=10_000))
    reference.fit(learned, labels_and_subjects(known)[0])
    decision = model(inputs)
    np.testing.assert_allclose(
        (decision[:, 1] - decision[:, 0]).detach(),
        reference.decision_function(features),
        atol=1e-3,
    )


def test_scores_of_members_are_their_own():
    model, data = fitted(), batch(8, seed=1)
    samples = model.predict(data['inputs'].float())
    alone = MODELS.build(FITTED)
    alone.fit([batch()], {})
    expected = alone(data['inputs'].float()).softmax(1)
    for sample, score in zip(samples, expected):
        assert set(sample.member_scores) == {'net', 'halves'}
        torch.testing.assert_close(sample.member_scores['halves'], score)
    net = model.copies[0]['net'](prepared(data)).softmax(1)
    torch.testing.assert_close(samples[0].member_scores['net'], net[0])


def test_copies_of_a_cross_fitted_stack_leave_out_their_fold():
    model, data = fitted(cross_fit=3), batch()
    labels, subjects = labels_and_subjects(data)
    for index, copy in enumerate(model.copies):
        fold = {f's{2 * index}', f's{2 * index + 1}'}
        own = np.array([subject not in fold for subject in subjects])
        expected = [halves(data)[own & (labels == i)].mean(0) for i in (0, 1)]
        np.testing.assert_allclose(copy['halves'].classifier.means, expected, atol=1e-4)


def test_random_choices_are_those_of_the_seed_and_nobody_else_s():
    model = build()
    torch.manual_seed(5)
    model.fit_svms([batch()], seed=3)
    after = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(model.copies[0]['halves'].classifier.random, torch.rand(1))
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(1))


def test_loss_is_that_of_the_network_alone():
    model = fitted()
    data = model.data_preprocessor(batch(), True)
    assert data['inputs'].shape[-1] == 44  # augmented, as ever
    assert model(**data, mode='loss').keys() == {'net.loss'}
    only = build(members={'halves': FITTED})
    with pytest.raises(ValueError, match=r'no loss; .*FitStackLoop'):
        only(**data, mode='loss')


def test_state_takes_the_sizes_of_a_checkpoint():
    model, other = fitted(), build()
    state = model.state_dict()
    check_fits(other, state, 'a.pth')
    other.load_state_dict(state)
    inputs = batch(8, seed=1)['inputs'].float()
    assert torch.equal(other(inputs), model(inputs))
    check_fits(model, build().state_dict(), 'new.pth')


@pytest.mark.parametrize(
    ('name', 'shape', 'message'),
    [
        ('svms.0.weight', (1, 4), r'is \(1, 4\); it must be \(1, 9\)'),
        ('svms.0.weight', (9,), r'is \(9,\); it must be \(1, 9\)'),
        ('svms.0.weight', (2, 9), r'is \(2, 9\); it must be \(1, 9\)'),
        ('copies.0.halves.filler.mean', (3,), r'is \(1, 9\); it must be \(1, 10\)'),
        ('copies.0.halves.classifier.means', (2, 3), 'do not fit together'),
        ('copies.0.net.head.fc.weight', (3, 3), 'of another shape'),
    ],
)
def test_states_of_strangers_are_refused(name, shape, message):
    state = {**fitted().state_dict(), name: torch.ones(shape)}
    with pytest.raises(CheckpointError, match=message):
        check_fits(build(), state, 'bad.pth')


def test_a_member_that_was_fitted_before_is_kept(tmp_path):
    alone = MODELS.build(FITTED)
    alone.fit([batch(12, seed=3)], {})
    torch.save(alone.state_dict(), tmp_path / 'halves.pth')
    model = fitted(checkpoints=dict(halves=str(tmp_path / 'halves.pth')))
    expected = alone.classifier.means
    assert torch.equal(model.copies[0]['halves'].classifier.means, expected)
