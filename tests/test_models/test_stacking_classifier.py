"""StackingClassifier and its SVM against scikit-learn and members alone."""

import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from mmcomp.checkpoint import CheckpointError
from mmcomp.models import LinearSVMHead
from mmcomp.registry import MODELS


def member(after='stages.0', **kwargs):
    return dict(
        type='mmcomp.PairClassifier',
        backbone=dict(
            type='mmcomp.SiameseBackbone',
            trunk=dict(type='mmcomp.CompCNNTrunk', channels=(4, 6, 8)),
            comparison=dict(type='mmcomp.LinearCombination'),
            after=after,
            input_shape=(1, 44, 44),
        ),
        head=dict(
            type='mmcomp.MLPClsHead',
            num_classes=2,
            in_channels=72,
            hidden_channels=(10, 7),
            **kwargs,
        ),
    )


def build(**kwargs):
    torch.manual_seed(0)
    members = {f'm@{i}': member(f'stages.{i}') for i in range(3)}
    cfg = dict(type='mmcomp.StackingClassifier', members=members)
    return MODELS.build({**cfg, **kwargs})


def batch(count=24, seed=0, side=44):
    """Random pairs of six subjects whose class is the sign of a bright apex."""
    generator = torch.Generator().manual_seed(seed)
    pairs = torch.randint(0, 100, (count, 2, 1, side, side), generator=generator)
    pairs[::2, 1, :, : side // 2] += 100
    samples = [
        DataSample(metainfo=dict(subject=f's{i % 6}')).set_gt_label(i % 2)
        for i in range(count)
    ]
    return dict(inputs=pairs.to(torch.uint8), data_samples=samples)


def features_of(model, data):
    inputs = model.data_preprocessor(data, False)['inputs']
    with torch.no_grad():
        return inputs, model.extract_feat(inputs).numpy()


def labels_and_subjects(data):
    labels = np.array([int(s.gt_label) for s in data['data_samples']])
    return labels, [s.subject for s in data['data_samples']]


def test_stored_svm_decides_as_scikit_learn():
    model = build().eval()
    data = batch()
    model.fit_svms([data])
    inputs, features = features_of(model, batch(40, seed=1))
    own, _ = labels_and_subjects(data)
    reference = make_pipeline(StandardScaler(), LinearSVC(max_iter=10_000))
    reference.fit(features_of(model, data)[1], own)
    expected = reference.decision_function(features)
    decisions = model(inputs)
    torch.testing.assert_close(
        decisions[:, 1] - decisions[:, 0],
        torch.from_numpy(expected).float(),
        atol=1e-4,
        rtol=1e-3,
    )
    predictions = model.predict(inputs)
    predicted = [int(p.pred_label) for p in predictions]
    assert predicted == (expected > 0).astype(int).tolist()
    scores = torch.stack([p.pred_score for p in predictions])
    logistic = 1 / (1 + np.exp(-expected))
    np.testing.assert_allclose(scores[:, 1].detach(), logistic, atol=1e-4)


def test_three_classes_decide_as_scikit_learn():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 90)
    features = rng.normal(size=(90, 5)) + labels[:, None]
    head = LinearSVMHead(3, 5)
    head.fit(features, labels)
    reference = make_pipeline(StandardScaler(), LinearSVC(max_iter=10_000))
    expected = reference.fit(features, labels).decision_function(features)
    np.testing.assert_allclose(
        head(torch.from_numpy(features).float()), expected, atol=1e-3
    )


def test_c_is_chosen_by_subject():
    rng = np.random.default_rng(1)
    labels = np.tile([0, 1], 30)
    subjects = [f's{i % 10}' for i in range(60)]
    features = rng.normal(size=(60, 20)) + 0.3 * labels[:, None]
    grid = [10.0, 0.001, 0.1]
    head = LinearSVMHead(2, 20, C=grid)
    head.fit(features, labels, subjects)
    machine = make_pipeline(StandardScaler(), LinearSVC(max_iter=10_000))
    search = GridSearchCV(machine, {'linearsvc__C': sorted(grid)}, cv=GroupKFold(5))
    search.fit(features, labels, groups=subjects)
    assert float(head.chosen_C) == pytest.approx(search.best_params_['linearsvc__C'])
    with pytest.raises(ValueError, match='subjects is 1; it must be at least 2'):
        head.fit(features, labels, ['s'] * 60)


def test_c_is_not_chosen_on_known_subjects():
    """Features that tell who it is help only where the subject is known."""
    rng = np.random.default_rng(5)
    subjects = np.tile(np.arange(20), 10)
    habit = rng.permutation(np.tile([0, 1], 10))[subjects]
    labels = np.where(rng.random(200) < 0.85, habit, 1 - habit)
    who = np.eye(20)[subjects] + rng.normal(0, 0.1, (200, 20))
    features = np.hstack([who, labels[:, None] + rng.normal(0, 1.2, (200, 1))])
    grid = [0.001, 0.1, 10.0]
    machine = make_pipeline(StandardScaler(), LinearSVC(max_iter=10_000))
    chosen = []
    for folds, groups in ((GroupKFold(5), subjects), (5, None)):
        search = GridSearchCV(machine, {'linearsvc__C': grid}, cv=folds)
        search.fit(features, labels, groups=groups)
        chosen.append(search.best_params_['linearsvc__C'])
    assert chosen[0] != chosen[1]
    head = LinearSVMHead(2, 21, C=grid)
    head.fit(features, labels, [f's{i}' for i in subjects])
    assert float(head.chosen_C) == pytest.approx(chosen[0])


def test_svm_is_fitted_without_dropout():
    """On the features that a test would have, whatever the mode of the network."""
    model = build().eval()
    data = batch()
    model.fit_svms([data])
    expected = model.svms[0].weight.clone()
    model.train()
    model.fit_svms([data])
    assert model.training
    torch.testing.assert_close(model.svms[0].weight, expected)


def test_members_start_as_they_would_alone():
    stack = build()
    for i in range(3):
        torch.manual_seed(0)
        alone = MODELS.build(member(f'stages.{i}'))
        for own, other in zip(
            stack.copies[0][f'm@{i}'].parameters(), alone.parameters()
        ):
            assert torch.equal(own, other)


def test_member_trains_in_the_stack_as_alone():
    """Summed losses and an element-wise optimiser: the same weights, step by step."""
    stack = build(members={f'm@{i}': member(f'stages.{i}') for i in range(2)}).eval()
    torch.manual_seed(0)
    alone = MODELS.build(member('stages.1')).eval()  # no dropout
    for model in (stack, alone):
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        for step in range(4):
            data = model.data_preprocessor(batch(seed=step), True)
            loss = sum(model.loss(**data).values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    trained = stack.copies[0]['m@1']
    for own, other in zip(trained.parameters(), alone.parameters()):
        torch.testing.assert_close(own, other, atol=1e-6, rtol=1e-5)


def test_member_scores_are_the_members_own():
    model = build().eval()
    data = batch()
    model.fit_svms([data])
    inputs, _ = features_of(model, data)
    predictions = model.predict(inputs)
    for name, alone in model.copies[0].items():
        expected = alone(inputs).softmax(1)
        scores = torch.stack([p.member_scores[name] for p in predictions])
        torch.testing.assert_close(scores, expected)


def test_weights_with_svm_travel_in_the_state_dict():
    model = build().eval()
    assert not model.is_fitted
    with pytest.raises(ValueError, match='SVM of this stack is not fitted'):
        model.predict(torch.rand(1, 2, 1, 44, 44))
    model.fit_svms([batch()])
    other = build(members={f'm@{i}': member(f'stages.{i}') for i in range(3)}).eval()
    other.load_state_dict(model.state_dict())
    assert other.is_fitted
    inputs = torch.rand(3, 2, 1, 44, 44)
    torch.testing.assert_close(model(inputs), other(inputs))


def test_cross_fitted_copies_never_see_their_fold():
    """No gradient of a copy comes from its own fold, and its SVM from nothing else."""
    model = build(cross_fit=2).eval()
    model.assign_folds([['s0', 's1', 's2'], ['s3', 's4', 's5']])
    data = model.data_preprocessor(batch(), True)
    losses = model.loss(**data)
    assert losses.keys() == {f'm@{i}/{k}.loss' for i in range(3) for k in range(2)}
    for index, left_out in enumerate(({0, 1, 2}, {3, 4, 5})):
        kept = [i for i in range(24) if i % 6 not in left_out]
        own = [data['data_samples'][i] for i in kept]
        expected = model.copies[index]['m@0'].loss(data['inputs'][kept], own)['loss']
        torch.testing.assert_close(losses[f'm@0/{index}.loss'], expected)
    model.fit_svms([batch()])
    labels, _ = labels_and_subjects(batch())
    for index, fold in enumerate(({0, 1, 2}, {3, 4, 5})):
        rows = [i for i in range(24) if i % 6 in fold]
        with torch.no_grad():
            own = model._features(data['inputs'])[index]
            features = torch.cat([*own.values()], 1).numpy()
        head = LinearSVMHead(2, features.shape[1])
        head.fit(features[rows], labels[rows])
        torch.testing.assert_close(model.svms[index].weight, head.weight)
    decisions = [
        svm(torch.cat([*own.values()], 1))
        for svm, own in zip(model.svms, model._features(data['inputs']))
    ]
    torch.testing.assert_close(model(data['inputs']), (decisions[0] + decisions[1]) / 2)


def test_batch_of_the_left_out_fold_alone_still_gives_gradients():
    model = build(cross_fit=2)
    model.assign_folds([['s0', 's1', 's2', 's3', 's4', 's5'], []])
    losses = model.loss(**model.data_preprocessor(batch(), True))
    assert losses['m@0/0.loss'] == 0
    sum(losses.values()).backward()
    assert all(p.grad is not None for p in model.parameters())


def test_members_trained_apart(tmp_path):
    paths = {}
    for i in range(3):
        torch.manual_seed(10 + i)
        alone = MODELS.build(member(f'stages.{i}'))
        paths[f'm@{i}'] = str(tmp_path / f'{i}.pth')
        torch.save(alone.state_dict(), paths[f'm@{i}'])
    model = build(checkpoints=paths)
    for name, path in paths.items():
        for key, value in torch.load(path).items():
            assert torch.equal(model.copies[0][name].state_dict()[key], value)
    torch.save({'other': torch.ones(1)}, paths['m@1'])
    with pytest.raises(CheckpointError, match='belongs to another network'):
        build(checkpoints=paths)
    with pytest.raises(ValueError, match="is 'x'; it must be one of 'm@0', 'm@1'"):
        build(checkpoints={'x': paths['m@0']})


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(members={}), r'members is \{\}; it must name at least 1'),
        (dict(cross_fit=1), 'cross_fit is 1; it must be 0, or at least 2'),
        (
            dict(cross_fit=2, checkpoints={'m@0': 'x'}),
            'cross_fit is 2; it must be 0 for members',
        ),
        (dict(svm=dict(C=0)), 'C is 0; it must be a positive number'),
        (dict(svm=dict(C=[])), r'C is \[\]'),
        (
            dict(
                members={
                    'a': dict(member(), head=dict(type='mmpretrain.ClsHead'), neck=None)
                }
            ),
            "head of member 'a' is ClsHead; it must have",
        ),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        build(**kwargs)
