"""Every shipped config builds, trains and predicts."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from mmengine.config import Config
from mmpretrain.structures import DataSample
from runs import CONFIGS, FITTED_CONFIGS, MIXED_CONFIG, NETWORKS, build

from mmcomp.apis import PairInferencer, get_model, list_models
from mmcomp.config import LOADERS
from mmcomp.registry import MODELS
from mmcomp.synthetic import ensure_dataset

NAMES = sorted(path.stem for path in CONFIGS.glob('*.py'))
STACKS = ['compcnn_comb-svm', 'compcnn_sub-svm']
FREE_TRUNKS = ['siamese-resnet18_comb@layer2', 'siamese-vit_comb@layer2']


def test_all_are_there():
    singles = [f'compcnn_{o}@{i}' for o in ('comb', 'sub') for i in (1, 2, 3)]
    assert sorted([*singles, 'diffcnn', *STACKS, *FREE_TRUNKS]) == NETWORKS
    assert {*NETWORKS, *FITTED_CONFIGS, MIXED_CONFIG} == {*NAMES}


@pytest.mark.parametrize('name', STACKS)
def test_members_of_a_stack_are_the_single_configs(name):
    members = Config.fromfile(CONFIGS / f'{name}.py').model.members
    assert list(members) == [f'{name[:-4]}@{i}' for i in (1, 2, 3)]
    for own, member in members.items():
        single = Config.fromfile(CONFIGS / f'{own}.py').model
        single.pop('data_preprocessor')
        assert member.to_dict() == single.to_dict()


@pytest.mark.parametrize('name', [name for name in NETWORKS if name not in STACKS])
def test_config_takes_a_step_and_predicts(name):
    """One step lowers the loss of its own batch, and changes every weight."""
    torch.manual_seed(0)
    cfg = Config.fromfile(CONFIGS / f'{name}.py')
    assert cfg.default_scope == 'mmpretrain'
    model = MODELS.build(cfg.model)
    model.init_weights()
    data = dict(
        inputs=torch.randint(0, 256, (4, 2, 1, 44, 44), dtype=torch.uint8),
        data_samples=[DataSample().set_gt_label(i % 2) for i in range(4)],
    )
    model.eval()  # no dropout, so that the two losses compare
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(2):
        batch = model.data_preprocessor(data, training=False)
        loss = model(**batch, mode='loss')['loss']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[1] < losses[0]
    assert all(p.grad is not None for p in model.parameters())
    scores = torch.stack([p.pred_score for p in model.test_step(data)])
    torch.testing.assert_close(scores.sum(1), torch.ones(4))


@pytest.fixture(scope='module')
def rendered(tmp_path_factory):
    """Pair table of 72 rendered pairs of 6 subjects."""
    return ensure_dataset('tiny', tmp_path_factory.mktemp('rendered'))


@pytest.mark.slow
@pytest.mark.parametrize('name', FITTED_CONFIGS)
def test_peer_from_pairs_to_predictions(name, rendered, tmp_path):
    """Its checkpoint says the same of the images of the test subjects."""
    cfg = Config.fromfile(CONFIGS / f'{name}.py')
    cfg.work_dir = str(tmp_path)
    for loader in LOADERS:
        data = cfg[loader].dataset
        data.update(preset='tiny', data_root=str(rendered.parents[1]))
        data.split.n_splits = 3
    build(cfg).train()
    tested = pd.read_csv(tmp_path / 'predictions.csv').set_index('sample_id')
    assert len(tested) == 24
    peer = PairInferencer(cfg, str(tmp_path / 'epoch_1.pth'), aligned=True)
    results = {Path(own['apex']).stem[:-5]: own for own in peer(str(rendered))}
    for sample, row in tested.iterrows():
        scores = results[sample]['pred_scores']
        assert scores['posed'] == pytest.approx(row['score_posed'], abs=1e-4)


@pytest.mark.slow
def test_mixed_stack_from_pairs_to_predictions(rendered, tmp_path):
    """Its network is that of the single config; both members have a table."""
    cfg = Config.fromfile(CONFIGS / f'{MIXED_CONFIG}.py')
    single = Config.fromfile(CONFIGS / 'compcnn_comb@2.py').model
    single.pop('data_preprocessor')
    assert cfg.model.members['compcnn_comb@2'].to_dict() == single.to_dict()
    cfg.work_dir = str(tmp_path)
    cfg.train_cfg.max_epochs = cfg.train_cfg.val_interval = 1
    cfg.param_scheduler = None
    for loader in LOADERS:
        data = cfg[loader].dataset
        data.update(preset='tiny', data_root=str(rendered.parents[1]))
        data.split.n_splits = 3
    build(cfg).train()
    for name in ('predictions', 'predictions-geometry', 'predictions-compcnn_comb@2'):
        assert len(pd.read_csv(tmp_path / f'{name}.csv')) == 24
    tested = pd.read_csv(tmp_path / 'predictions.csv').set_index('sample_id')
    stack = PairInferencer(cfg, str(tmp_path / 'epoch_1.pth'), aligned=True)
    results = {Path(own['apex']).stem[:-5]: own for own in stack(str(rendered))}
    for sample, row in tested.iterrows():
        scores = results[sample]['pred_scores']
        assert scores['posed'] == pytest.approx(row['score_posed'], abs=1e-4)


def test_model_index_names_every_config():
    """MMPretrain's hub knows our networks by name, with sizes that are true."""
    assert set(NAMES) <= set(list_models())
    for name in ('compcnn_comb@2', 'compcnn_sub-svm'):
        model = get_model(name, device='cpu')
        parameters = sum(p.numel() for p in model.parameters())
        assert model._metainfo.metadata.parameters == parameters


@pytest.mark.parametrize('name', ['compcnn_comb@2', 'siamese-vit_comb@layer2'])
def test_mmpretrain_get_model(name):
    model = get_model(str(CONFIGS / f'{name}.py'), device='cpu')
    assert type(model).__name__ == 'PairClassifier'
    assert model(torch.rand(1, 2, 1, 44, 44)).shape == (1, 2)
