"""However a training ends, it leaves its table, its line and its checkpoint."""

import re

import pandas as pd
import pytest
import torch
from mmengine.hooks import EarlyStoppingHook, Hook
from runs import Interrupt, build, small_config

from mmcomp.checkpoint import CheckpointError, load_plain_checkpoint, newest_checkpoint
from mmcomp.engine.hooks import PlainCheckpointHook
from mmcomp.engine.hooks.checkpoint_hook import rule_of

pytestmark = pytest.mark.slow  # whole runs, files or clips

INNER = dict(type='mmcomp.SubjectKFold', n_splits=3, val_folds=1)
STOP = dict(
    type='EarlyStoppingHook', monitor='pair/error_rate', rule='less', patience=1,
    min_delta=100,
)  # fmt: skip


@pytest.fixture(scope='module')
def table(make_pair_table, tmp_path_factory):
    return make_pair_table(tmp_path_factory.mktemp('ends'), subjects=6, pairs=2)


def stopping(table, folder, name='compcnn_sub@1', **options):
    cfg = small_config(table, folder, name, epochs=9, **options)
    for loader, subset in (('train', 'train'), ('val', 'val'), ('test', 'test')):
        cfg[f'{loader}_dataloader'].dataset.update(split=INNER, subset=subset)
    cfg.train_cfg.val_interval = 1
    cfg.default_hooks.checkpoint.interval = 100
    cfg.custom_hooks = [
        *cfg.custom_hooks,
        dict(STOP, monitor=options.get('monitor', STOP['monitor'])),
        dict(type='mmcomp.ShiftTestHook', pixels=[1]),
    ]
    return cfg


@pytest.mark.parametrize('name', ['compcnn_sub@1', 'compcnn_sub-svm'])
def test_stopping_early_leaves_table_line_and_checkpoint(name, table, tmp_path):
    cfg = stopping(table, tmp_path, name)
    build(cfg).train()
    saved = [path.name for path in tmp_path.glob('epoch_*.pth')]
    assert saved == ['epoch_2.pth']
    assert load_plain_checkpoint(tmp_path / saved[0])['meta']['epoch'] == 2
    tested = pd.read_csv(tmp_path / 'predictions.csv')
    assert len(tested) == 8  # two people
    assert len(pd.read_csv(tmp_path / 'predictions-shift1px.csv')) == 8
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert re.search(rf'{name}: error rate .*/8 errors.*epoch_2.pth; predictions', log)
    # The checkpoint is the network of the table.
    cfg.work_dir, cfg.load_from = str(tmp_path / 'test'), str(tmp_path / saved[0])
    cfg.test_dataloader.dataset.update(split=INNER, subset='val')
    build(cfg).test()
    again = pd.read_csv(tmp_path / 'test' / 'predictions.csv')
    columns = [name for name in tested if name.startswith('score')]
    assert (again[columns] == tested[columns]).all(None)


def test_the_best_checkpoint_is_named(table, tmp_path):
    cfg = stopping(table, tmp_path)
    cfg.default_hooks.checkpoint.save_best = 'pair/error_rate'
    build(cfg).train()
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert re.search('best checkpoint: .*best_pair_error_rate_epoch_1.pth', log)


class KillAfterLastCheckpoint(Hook):
    priority = 'LOWEST'

    def after_train_epoch(self, runner):
        if self.is_last_train_epoch(runner):
            raise KeyboardInterrupt


@pytest.mark.parametrize('name', ['compcnn_sub@1', 'compcnn_sub-svm'])
def test_resuming_after_the_last_epoch_tests(name, table, tmp_path):
    build(small_config(table, tmp_path / 'whole', name)).train()
    cfg = small_config(table, tmp_path / 'killed', name)
    with pytest.raises(KeyboardInterrupt):
        build(cfg, [KillAfterLastCheckpoint()]).train()
    assert not (tmp_path / 'killed' / 'predictions.csv').exists()
    cfg.resume = True
    build(cfg).train()
    assert (tmp_path / 'killed' / 'predictions.csv').read_bytes() == (
        tmp_path / 'whole' / 'predictions.csv'
    ).read_bytes()
    log = max((tmp_path / 'killed').glob('*/*.log')).read_text()
    assert 'errors)' in log


@pytest.mark.parametrize('text', ['', 'nowhere/epoch_2.pth', None])
def test_resume_finds_good_epochs_without_the_note(text, table, tmp_path):
    cfg = small_config(table, tmp_path, epochs=3)
    with pytest.raises(KeyboardInterrupt):
        build(cfg, [Interrupt(2)]).train()
    (tmp_path / 'last_checkpoint').unlink()
    if text is not None:
        (tmp_path / 'last_checkpoint').write_text(text)
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'epoch_2.pth')
    cfg.resume = True
    build(cfg).train()
    log = ''.join(path.read_text() for path in tmp_path.glob('*/*.log'))
    assert 'resumed epoch: 2' in log
    assert [log.count(f'Epoch(train) [{i}]') for i in (1, 2, 3)] == [1, 1, 1]


def test_a_damaged_checkpoint_is_passed_over(tmp_path):
    torch.save({'state_dict': {}}, tmp_path / 'epoch_9.pth')
    whole = (tmp_path / 'epoch_9.pth').read_bytes()
    (tmp_path / 'epoch_10.pth').write_bytes(whole[: len(whole) // 2])
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_10.pth'))
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'epoch_9.pth')
    (tmp_path / 'epoch_9.pth').unlink()
    with pytest.raises(CheckpointError, match=r'epoch_10\.pth'):
        newest_checkpoint(tmp_path)
    assert newest_checkpoint(tmp_path / 'empty') is None


def test_fine_tuning_takes_over_what_fits(table, make_pair_table, tmp_path):
    three = make_pair_table(tmp_path / 'three', classes=('a', 'b', 'c'))
    cfg = small_config(three, tmp_path / 'a', epochs=1, model__head__num_classes=3)
    for loader in ('train', 'val', 'test'):
        cfg[f'{loader}_dataloader'].dataset.metainfo = dict(classes=['a', 'b', 'c'])
    build(cfg).train()
    path = str(tmp_path / 'a' / 'epoch_1.pth')
    runner = build(small_config(table, tmp_path / 'b', epochs=1, load_from=path))
    runner.train_loop  # noqa: B018
    fresh = {k: v.clone() for k, v in runner.model.state_dict().items()}
    runner.load_or_resume()
    saved, own = load_plain_checkpoint(path)['state_dict'], runner.model.state_dict()
    other = [key for key in saved if saved[key].shape != own[key].shape]
    assert len(other) == 2  # weight and bias of the last layer
    for key in own:
        expected = fresh[key] if key in other else saved[key]
        assert torch.equal(own[key], expected), key
    log = next((tmp_path / 'b').glob('*/*.log')).read_text()
    assert f'{other[0]}' in log
    assert 'start from their initial values' in log


@pytest.mark.parametrize(
    ('metric', 'rule'),
    [
        ('compcnn_bar@1/pair/error_rate', 'less'),
        ('accurate/pair/wrong', 'less'),
        ('top/pair/error_rate', 'less'),
        ('loss@2/pair/uar', 'greater'),
        ('pair/uf1', 'greater'),
        ('accuracy/top1', 'greater'),
        ('val/loss', 'less'),
        ('pair/total', None),
    ],
)
def test_names_of_networks_do_not_decide_what_is_better(metric, rule):
    assert rule_of(metric) == rule
    if rule:
        hook = PlainCheckpointHook(save_best=metric)
        assert hook.rules == [rule]


def test_an_unknown_direction_is_refused():
    with pytest.raises(ValueError, match="save_best is 'pair/total'; 'rule' must say"):
        PlainCheckpointHook(save_best='pair/total')
    assert PlainCheckpointHook(save_best='x/total', rule='less').rules == ['less']


def test_stopping_in_the_wrong_direction_is_refused(table, tmp_path):
    cfg = stopping(table, tmp_path)
    cfg.custom_hooks = [
        *cfg.custom_hooks[:-2],
        dict(type='EarlyStoppingHook', monitor='compcnn_bar@1/pair/error_rate'),
    ]
    hook = EarlyStoppingHook(monitor='compcnn_bar@1/pair/error_rate')
    assert hook.rule == 'greater'  # what MMEngine guesses from 'ar@'
    with pytest.raises(ValueError, match="it must be 'less' for 'compcnn_bar@1"):
        build(cfg).train()
