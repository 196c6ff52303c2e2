"""Whole runs of a model that is fitted at once."""

import os
import subprocess
import sys
from pathlib import Path

import mmpretrain
import numpy as np
import pandas as pd
import pytest
import torch
from mmengine.config import Config
from runs import CONFIGS, REPOSITORY, build, fit_config

from mmcomp.apis.model import load_model
from mmcomp.checkpoint import CheckpointError, load_plain_checkpoint
from mmcomp.engine.pairs import further_columns, training_pairs
from mmcomp.registry import DATASETS

pytestmark = pytest.mark.slow  # whole runs, files or clips


@pytest.fixture(scope='module')
def table(make_pair_table, tmp_path_factory):
    path = make_pair_table(tmp_path_factory.mktemp('pairs'), subjects=6, pairs=3)
    rows = pd.read_csv(path, dtype=str)
    rows['emotion'] = np.where(rows.index % 2, 'joy', 'fear')
    rows.to_csv(path, index=False)
    return path


@pytest.fixture(scope='module')
def trained(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp('fitted')
    cfg = fit_config(folder, table)
    build(cfg).train()
    return cfg, folder / 'peer'


def state_of(folder):
    return load_plain_checkpoint(folder / 'epoch_1.pth')['state_dict']


def test_one_epoch_leaves_what_a_training_leaves(trained):
    _, folder = trained
    state = state_of(folder)
    assert state.keys() == {
        'filler.mean', 'classifier.means', 'classifier.random', 'classifier.emotions',
    }  # fmt: skip
    log = next(folder.glob('*/*.log')).read_text()
    assert 'fitted to 18 pairs' in log
    assert 'peer: error rate 0.00 % (0/18 errors)' in log
    assert (folder / 'split.json').is_file()
    table = pd.read_csv(folder / 'predictions.csv')
    assert set(table['model']) == {'peer'}
    assert (table['label'] == table['predicted']).all()


def test_it_is_fitted_to_the_training_subjects_alone(trained, table):
    cfg, folder = trained
    data = dict(cfg.train_dataloader.dataset)
    data['pipeline'] = cfg.test_dataloader.dataset.pipeline
    dataset = DATASETS.build(data)
    assert len(dataset) == 18
    differences = {0: [], 1: []}
    for row in dataset:
        onset, apex = row['inputs'][:, 0].double().numpy()
        change = (apex - onset).reshape(2, -1).mean(1)
        differences[int(row['data_samples'].gt_label)].append(change)
    expected = np.stack([np.mean(differences[i], 0) for i in (0, 1)])
    np.testing.assert_allclose(
        state_of(folder)['classifier.means'], expected, 1e-4, 1e-4
    )


def test_testing_the_checkpoint_gives_the_same_table(trained, tmp_path):
    cfg, folder = trained
    cfg = cfg.copy()
    cfg.work_dir, cfg.load_from = str(tmp_path), str(folder / 'epoch_1.pth')
    build(cfg).test()
    expected = (folder / 'predictions.csv').read_bytes()
    assert (tmp_path / 'predictions.csv').read_bytes() == expected


def test_a_finished_run_is_resumed(trained, table, tmp_path):
    _, folder = trained
    cfg = fit_config(tmp_path, table)
    build(cfg).train()
    cfg.resume = True
    build(cfg).train()
    for name, value in state_of(folder).items():
        assert torch.equal(state_of(tmp_path / 'peer')[name], value)


def test_schedules_of_networks_in_the_same_experiment_do_not_matter(
    trained, table, tmp_path
):
    """Nor what a config says of optimizers."""
    _, folder = trained
    cfg = fit_config(tmp_path, table)
    cfg.train_cfg.update(max_epochs=7, val_interval=7)
    cfg.optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-3))
    cfg.param_scheduler = dict(type='OneCycleLR', eta_max=1e-3, by_epoch=True)
    build(cfg).train()
    for name, value in state_of(folder).items():
        assert torch.equal(state_of(tmp_path / 'peer')[name], value)


def test_columns_are_known_in_training_only(trained, table, tmp_path):
    """Predictions do not change where they are wrong or absent in the test."""
    _, folder = trained
    assert state_of(folder)['classifier.emotions'].tolist() == [2]
    for name, change in (
        ('wrong', lambda rows: rows.assign(emotion=rows['sample_id'])),
        ('absent', lambda rows: rows.drop(columns='emotion')),
    ):
        other = table.with_name(f'{name}.csv')
        change(pd.read_csv(table, dtype=str)).to_csv(other, index=False)
        cfg = fit_config(tmp_path, other, name)
        cfg.load_from = str(folder / 'epoch_1.pth')
        build(cfg).test()
        expected = pd.read_csv(folder / 'predictions.csv').drop(columns='model')
        found = pd.read_csv(tmp_path / name / 'predictions.csv')
        columns = expected.columns.intersection(found.columns)
        pd.testing.assert_frame_equal(found[columns], expected[columns])


@pytest.mark.parametrize(
    ('classifier', 'models'),
    [
        (dict(type='mmcomp.BayesianNetworkClassifier'), 8),
        (dict(type='mmcomp.GaussianRBMClassifier', given='gender', epochs=2), 4),
    ],
    ids=['bayes', 'rbm'],
)
def test_privileged_columns_are_known_in_training_only(
    classifier, models, make_pair_table, tmp_path
):
    """Predictions do not change where they are wrong, empty or absent in the test."""
    path = make_pair_table(tmp_path / 'pairs', subjects=8, pairs=8)
    rows = pd.read_csv(path, dtype=str)
    rows['emotion'] = np.where(rows.index % 2, 'joy', 'fear')
    rows['gender'] = np.where(rows.index // 2 % 2, 'female', 'male')
    rows.to_csv(path, index=False)
    build(fit_config(tmp_path, path, model__classifier=classifier)).train()
    state = state_of(tmp_path / 'peer')
    assert state['classifier.shares'].shape == (2, models)
    trained = (tmp_path / 'peer' / 'predictions.csv').read_text()
    # Other columns in training are another model.
    mixed = rows.assign(gender=rows['gender'].sample(frac=1, random_state=0).to_numpy())
    mixed.to_csv(path.with_name('mixed.csv'), index=False)
    cfg = fit_config(
        tmp_path, path.with_name('mixed.csv'), 'mixed', model__classifier=classifier
    )
    build(cfg).train()
    other = (tmp_path / 'mixed' / 'predictions.csv').read_text()
    assert other.replace('mixed', 'peer') != trained
    for name, change in (
        ('wrong', dict(emotion=rows['subject'], gender=rows['sample_id'])),
        ('empty', dict(emotion='', gender='')),
        ('absent', None),
    ):
        table = path.with_name(f'{name}.csv')
        kept = rows.drop(columns=['emotion', 'gender'])
        (rows.assign(**change) if change else kept).to_csv(table, index=False)
        cfg = fit_config(tmp_path, table, name, model__classifier=classifier)
        cfg.load_from = str(tmp_path / 'peer' / 'epoch_1.pth')
        build(cfg).test()
        found = (tmp_path / name / 'predictions.csv').read_text()
        assert found.replace(name, 'peer') == trained


def test_a_privileged_column_that_the_training_lacks_is_named(table, tmp_path):
    classifier = dict(type='mmcomp.BayesianNetworkClassifier')
    cfg = fit_config(tmp_path, table, model__classifier=classifier)
    with pytest.raises(ValueError, match="no column 'gender'; they have 'emotion'"):
        build(cfg).train()


def test_further_columns_are_those_of_the_table(table, tmp_path):
    cfg = fit_config(tmp_path, table)
    loader = training_pairs(cfg)
    columns = further_columns(loader.dataset.datasets)
    assert columns.keys() == {'emotion'}
    rows = pd.read_csv(table, dtype=str, index_col='sample_id')
    ids = [s.sample_id for batch in loader for s in batch['data_samples']]
    assert columns['emotion'] == rows.loc[ids, 'emotion'].tolist()


def test_a_network_that_is_trained_by_gradient_is_refused(table, tmp_path):
    cfg = fit_config(tmp_path, table)
    cfg.model = Config.fromfile(CONFIGS / 'diffcnn.py').model
    with pytest.raises(ValueError, match='model is PairClassifier; for FitLoop'):
        build(cfg).train()


def test_a_stranger_s_state_is_refused_by_every_way_in(trained, tmp_path):
    cfg, folder = trained
    state = state_of(folder)
    torch.save({**state, 'classifier.means': torch.ones(2, 7)}, tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match='buffers do not fit together'):
        load_model(cfg, tmp_path / 'a.pth', 'cpu')
    cfg = cfg.copy()
    cfg.work_dir, cfg.load_from = str(tmp_path / 'run'), str(tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match='buffers do not fit together'):
        build(cfg).test()


def run(*command):
    env = dict(os.environ, PYTHON=sys.executable, PYTHONPATH=':'.join(sys.path))
    done = subprocess.run(
        list(map(str, command)),
        env=env,
        text=True,
        capture_output=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_tools_of_mmpretrain_drive_it(trained, table, tmp_path):
    _, folder = trained
    fit_config(tmp_path, table)
    tools = Path(mmpretrain.__file__).parent / '.mim' / 'tools'
    run(sys.executable, tools / 'train.py', tmp_path / 'peer.py')
    for name, value in state_of(folder).items():
        assert torch.equal(state_of(tmp_path / 'peer')[name], value)
    checkpoint = tmp_path / 'peer' / 'epoch_1.pth'
    out = ['--work-dir', tmp_path / 'test']
    run(sys.executable, tools / 'test.py', tmp_path / 'peer.py', checkpoint, *out)
    expected = (folder / 'predictions.csv').read_bytes()
    assert (tmp_path / 'test' / 'predictions.csv').read_bytes() == expected


def test_every_process_draws_the_same_random_numbers(
    trained, table, tmp_path, monkeypatch
):
    """Other random numbers of a run differ by process."""
    _, folder = trained
    runner = build(fit_config(tmp_path, table))
    monkeypatch.setattr(type(runner), 'rank', 1)
    runner.train()
    for name, value in state_of(folder).items():
        assert torch.equal(state_of(tmp_path / 'peer')[name], value), name


def test_two_processes_fit_as_one(trained, table, tmp_path):
    """Each to all pairs, with the same random numbers."""
    _, folder = trained
    fit_config(tmp_path, table)
    run(REPOSITORY / 'tools' / 'dist_train.sh', tmp_path / 'peer.py', 2)
    for name, value in state_of(folder).items():
        assert torch.equal(state_of(tmp_path / 'peer')[name], value)
    tables = [pd.read_csv(f / 'predictions.csv') for f in (folder, tmp_path / 'peer')]
    pd.testing.assert_frame_equal(*tables)
