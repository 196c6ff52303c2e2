"""Whole runs of a stack with a member that is fitted at once."""

import pandas as pd
import pytest
import torch
from fitted_parts import FITTED
from runs import build, small_config, without_chance

from mmcomp.checkpoint import load_plain_checkpoint

pytestmark = pytest.mark.slow  # whole runs, files or clips

STACK = 'svms.', 'copies.0.halves.'


@pytest.fixture(scope='module')
def table(make_pair_table, tmp_path_factory):
    return make_pair_table(tmp_path_factory.mktemp('pairs'), subjects=6, pairs=3)


def stack_config(table, folder, **options):
    """CompCNN-Sub@2 and the means of halves, stacked."""
    cfg = small_config(table, folder, 'compcnn_sub-svm', **options)
    members = cfg.model.members
    cfg.model.members = {
        'compcnn_sub@2': members['compcnn_sub@2'].to_dict(),
        'halves': FITTED,
    }
    return cfg


def tables(folder):
    return {p.name: pd.read_csv(p) for p in folder.glob('predictions*.csv')}


def state_of(folder, epoch=2):
    return load_plain_checkpoint(folder / f'epoch_{epoch}.pth')['state_dict']


@pytest.fixture(scope='module')
def trained(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp('stack')
    cfg = stack_config(table, folder)
    cfg.train_cfg.val_interval = 1
    build(cfg).train()
    return cfg, folder


def test_members_have_tables_and_the_checkpoint_gives_them_again(trained, tmp_path):
    cfg, folder = trained
    found = tables(folder)
    assert found.keys() == {
        'predictions.csv', 'predictions-compcnn_sub@2.csv', 'predictions-halves.csv',
    }  # fmt: skip
    halves = found['predictions-halves.csv']
    assert (halves['label'] == halves['predicted']).all()
    assert set(halves['stack']) == {'compcnn_sub-svm'}
    cfg = cfg.copy()
    cfg.work_dir, cfg.load_from = str(tmp_path), str(folder / 'epoch_2.pth')
    build(cfg).test()
    for name, table in tables(tmp_path).items():
        pd.testing.assert_frame_equal(table, found[name])


def test_the_network_trains_as_without_the_fitted_member(trained, table, tmp_path):
    _, folder = trained
    cfg = small_config(table, tmp_path, 'compcnn_sub-svm')
    cfg.model.members = {'compcnn_sub@2': cfg.model.members['compcnn_sub@2'].to_dict()}
    cfg.train_cfg.val_interval = 1
    build(cfg).train()
    stack = state_of(folder)
    for name, value in state_of(tmp_path).items():
        if name.startswith('copies.'):
            assert torch.equal(stack[name], value), name


def test_averaged_weights_and_pictures(table, tmp_path):
    """Hooks that copy buffers take their sizes; the checkpoint has what was tested."""
    cfg = stack_config(table, tmp_path)
    cfg.train_cfg.val_interval = 1
    cfg.custom_hooks += [
        dict(type='EMAHook'),
        dict(type='mmcomp.PairVisualizationHook', interval=1, count=2),
    ]
    build(cfg).train()
    state = state_of(tmp_path)
    assert state['copies.0.halves.classifier.means'].shape == (2, 2)
    test = cfg.copy()
    test.work_dir, test.load_from = str(tmp_path / 'b'), str(tmp_path / 'epoch_2.pth')
    build(test).test()
    found = tables(tmp_path)
    for name, table in tables(tmp_path / 'b').items():
        pd.testing.assert_frame_equal(table, found[name])


def test_only_fitted_members(trained, table, tmp_path):
    cfg = stack_config(table, tmp_path)
    cfg.model.members.pop('compcnn_sub@2')
    cfg.train_cfg = dict(type='mmcomp.FitStackLoop')
    build(cfg).train()
    _, folder = trained
    member = {k: v for k, v in state_of(folder).items() if k.startswith(STACK[1])}
    alone = state_of(tmp_path, 1)
    for name in member:
        assert torch.equal(alone[name], member[name]), name


def test_cross_fitted_with_averages(table, tmp_path):
    cfg = without_chance_of_networks(stack_config(table, tmp_path, model__cross_fit=3))
    build(cfg).train()
    state = state_of(tmp_path)
    means = [state[f'copies.{i}.halves.classifier.means'] for i in range(3)]
    assert not torch.equal(means[0], means[1])
    assert not torch.equal(means[1], means[2])


def without_chance_of_networks(cfg):
    fitted = cfg.model.members.pop('halves')
    cfg = without_chance(cfg)
    cfg.model.members['halves'] = fitted
    return cfg
