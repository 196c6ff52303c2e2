"""Whole runs of a stack."""

import re
from pathlib import Path

import pandas as pd
import pytest
import torch
from mmcv.transforms import BaseTransform
from runs import build, small_config, without_chance

from mmcomp.checkpoint import load_plain_checkpoint
from mmcomp.registry import TRANSFORMS

pytestmark = pytest.mark.slow  # whole runs, files or clips

MEMBERS = [f'compcnn_sub@{i}' for i in (1, 2, 3)]


@pytest.fixture(scope='module')
def table(make_pair_table, tmp_path_factory):
    return make_pair_table(tmp_path_factory.mktemp('pairs'), subjects=6, pairs=3)


@pytest.fixture(scope='module')
def trained(table, tmp_path_factory):
    """A trained stack: its config, its folder, its log."""
    folder = tmp_path_factory.mktemp('stack')
    cfg = without_chance(small_config(table, folder, 'compcnn_sub-svm', epochs=3))
    build(cfg).train()
    return cfg, folder, next(folder.glob('*/*.log')).read_text()


def tables(folder):
    return {p.name: p.read_bytes() for p in folder.glob('predictions*.csv')}


def test_one_run_gives_every_metric_of_every_network(trained):
    _, folder, log = trained
    assert 'fitted the SVM on 18 pairs, C = 1' in log  # of the three training subjects
    results = [line for line in log.splitlines() if 'Epoch(val)' in line][-1]
    for prefix in ('pair', *MEMBERS):
        for name in ('error_rate', 'wrong', 'total', 'uar', 'uf1', 'auc'):
            assert f'{prefix}/{name}:' in results
    assert set(tables(folder)) == {'predictions.csv'} | {
        f'predictions-{name}.csv' for name in MEMBERS
    }
    for name in MEMBERS:
        own = pd.read_csv(folder / f'predictions-{name}.csv')
        assert set(own['model']) == {name}
        wrong = (own['label'] != own['predicted']).sum()
        assert re.search(rf'{name}/wrong: {wrong} ', results)


def test_testing_the_checkpoint_gives_the_same_tables(trained, tmp_path):
    cfg, folder, _ = trained
    cfg = cfg.copy()
    cfg.work_dir, cfg.load_from = str(tmp_path), str(folder / 'epoch_3.pth')
    metrics = build(cfg).test()
    assert tables(tmp_path) == tables(folder)
    assert metrics['compcnn_sub@2/total'] == 18


def test_member_equals_the_same_member_trained_alone(trained, table, tmp_path):
    """From the same seed, without dropout: weights and predictions."""
    _, folder, _ = trained
    cfg = without_chance(small_config(table, tmp_path, 'compcnn_sub@2', epochs=3))
    build(cfg).train()
    alone = load_plain_checkpoint(tmp_path / 'epoch_3.pth')['state_dict']
    stack = load_plain_checkpoint(folder / 'epoch_3.pth')['state_dict']
    for name, value in alone.items():
        own = stack[f'copies.0.compcnn_sub@2.{name}']
        torch.testing.assert_close(own, value, atol=1e-6, rtol=1e-5)
    own = pd.read_csv(folder / 'predictions-compcnn_sub@2.csv')
    other = pd.read_csv(tmp_path / 'predictions.csv')
    columns = ['stack', 'member']
    assert set(own['stack']) == {'compcnn_sub-svm'}
    assert set(own['member']) == {'compcnn_sub@2'}
    assert other[columns].isna().all(axis=None)
    own, other = own.drop(columns=columns), other.drop(columns=columns)
    pd.testing.assert_frame_equal(own, other, atol=1e-5)


def test_stack_of_members_trained_apart(trained, table, tmp_path):
    """Only the SVM is fitted; the same members give the same stack."""
    _, folder, _ = trained
    checkpoints = {}
    weights = load_plain_checkpoint(folder / 'epoch_3.pth')['state_dict']
    for name in MEMBERS:
        prefix = f'copies.0.{name}.'
        own = {k[len(prefix) :]: v for k, v in weights.items() if k.startswith(prefix)}
        checkpoints[name] = str(tmp_path / f'{name}.pth')
        torch.save(own, checkpoints[name])
    cfg = small_config(table, tmp_path / 'run', 'compcnn_sub-svm')
    cfg.model.checkpoints = checkpoints
    cfg.train_cfg = dict(type='mmcomp.FitStackLoop')
    build(cfg).train()
    assert tables(tmp_path / 'run') == tables(folder)
    saved = load_plain_checkpoint(tmp_path / 'run' / 'epoch_1.pth')['state_dict']
    for name, value in weights.items():
        torch.testing.assert_close(saved[name], value)


def test_a_stack_without_validation_is_fitted(trained, table, tmp_path):
    _, folder, _ = trained
    cfg = without_chance(small_config(table, tmp_path, 'compcnn_sub-svm', epochs=3))
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None  # --no-validate
    build(cfg).train()
    saved = load_plain_checkpoint(tmp_path / 'epoch_3.pth')['state_dict']
    for name, value in load_plain_checkpoint(folder / 'epoch_3.pth')[
        'state_dict'
    ].items():
        assert torch.equal(saved[name], value), name


@TRANSFORMS.register_module(force=True)
class Blacken(BaseTransform):
    """An augmentation after which nothing is to be seen."""

    def transform(self, results):
        results['img'] = [0 * image for image in results['img']]
        return results


def test_svm_is_fitted_on_pairs_as_they_are_tested(trained, table, tmp_path):
    """What the pipeline of training does to the pictures does not reach the SVM."""
    _, folder, _ = trained
    cfg = small_config(table, tmp_path, 'compcnn_sub-svm')
    cfg.train_cfg = dict(type='mmcomp.FitStackLoop')
    cfg.load_from = str(folder / 'epoch_3.pth')
    cfg.train_dataloader.dataset.pipeline.insert(1, dict(type='mmcomp.Blacken'))
    build(cfg).train()
    assert tables(tmp_path) == tables(folder)


def test_table_of_the_stack_is_written_last(trained, tmp_path, monkeypatch):
    """Where it is there, those of the members are too: the run is whole."""
    cfg, folder, _ = trained
    written = []
    write = pd.DataFrame.to_csv

    def note(self, path, *args, **kwargs):
        written.append(Path(path).name)
        return write(self, path, *args, **kwargs)

    monkeypatch.setattr(pd.DataFrame, 'to_csv', note)
    cfg = cfg.copy()
    cfg.work_dir, cfg.load_from = str(tmp_path), str(folder / 'epoch_3.pth')
    build(cfg).test()
    assert len(written) == 4
    assert written[-1].startswith('.predictions.csv.')


@pytest.mark.slow
def test_cross_fitted_stack_with_chosen_c(table, tmp_path):
    cfg = small_config(table, tmp_path, 'compcnn_comb-svm', epochs=2)
    cfg.model.cross_fit = 3
    cfg.model.svm.C = [0.01, 1.0]
    with pytest.raises(ValueError, match='to choose C'):  # one subject in each fold
        build(cfg).train()
    cfg.model.svm.C = 1.0
    cfg.work_dir = str(tmp_path / 'b')
    build(cfg).train()
    log = next((tmp_path / 'b').glob('*/*.log')).read_text()
    assert 'C = 1, 1, 1' in log
    assert 'compcnn_comb@3/2.loss' in log


def test_evaluator_refuses_predictions_of_one_network(table, tmp_path):
    cfg = small_config(table, tmp_path, epochs=1)
    metrics = cfg.val_evaluator
    cfg.val_evaluator = dict(type='mmcomp.StackingEvaluator', metrics=metrics)
    with pytest.raises(ValueError, match='needs the predictions of '):
        build(cfg).train()
