"""Weights that a hook exchanges for validation: one network is tested and saved."""

import pandas as pd
import pytest
import torch
from mmengine.hooks import Hook
from runs import build, small_config

from mmcomp.checkpoint import load_plain_checkpoint

pytestmark = pytest.mark.slow  # whole runs, files or clips

EMA = dict(type='EMAHook', momentum=0.3, priority='NORMAL')


@pytest.fixture(scope='module')
def table(make_pair_table, tmp_path_factory):
    return make_pair_table(tmp_path_factory.mktemp('averaged'), subjects=6, pairs=2)


def train(table, folder, name, **ema):
    cfg = small_config(table, folder, name, epochs=2)
    shift = dict(type='mmcomp.ShiftTestHook', pixels=[0])
    cfg.custom_hooks = [*cfg.custom_hooks, dict(EMA, **ema), shift]
    runner = build(cfg)
    runner.train()
    return cfg, runner


def scores(path):
    return pd.read_csv(path).filter(like='score').to_numpy()


@pytest.mark.parametrize(
    'options', [dict(), dict(update_buffers=True), dict(evaluate_on_origin=True)]
)
@pytest.mark.parametrize('name', ['compcnn_sub@1', 'compcnn_sub-svm'])
def test_what_is_tested_shifted_and_saved_is_one_network(
    name, options, table, tmp_path
):
    folder = tmp_path / 'train'
    cfg, runner = train(table, folder, name, **options)
    tested = scores(folder / 'predictions.csv')
    assert (scores(folder / 'predictions-shift0px.csv') == tested).all()
    saved = load_plain_checkpoint(folder / 'epoch_2.pth')
    raw = dict(runner.model.named_parameters())
    assert any(  # the average is another network than the last step's
        not torch.equal(raw[key], saved['state_dict'][key]) for key in raw
    )
    cfg.work_dir, cfg.load_from = str(tmp_path / 'test'), str(folder / 'epoch_2.pth')
    cfg.custom_hooks = [h for h in cfg.custom_hooks if h['type'] != 'EMAHook']
    build(cfg).test()
    assert (scores(tmp_path / 'test' / 'predictions.csv') == tested).all()


@pytest.mark.parametrize('validated', [True, False])
def test_the_svm_is_fitted_on_the_features_that_are_tested(validated, table, tmp_path):
    """Fitted anew on the saved members, it is the same, as with --no-validate."""
    cfg = small_config(table, tmp_path / 'a', 'compcnn_sub-svm', epochs=2)
    cfg.custom_hooks = [*cfg.custom_hooks, EMA]
    if not validated:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    build(cfg).train()
    saved = load_plain_checkpoint(tmp_path / 'a' / 'epoch_2.pth')['state_dict']
    cfg = small_config(table, tmp_path / 'b', 'compcnn_sub-svm', epochs=1)
    runner = build(cfg)
    members = {k: v for k, v in saved.items() if not k.startswith('svms.')}
    runner.model.load_state_dict(members, strict=False)
    from mmcomp.engine.hooks.fit_stack_hook import fit_stack

    fit_stack(runner)
    fitted = runner.model.state_dict()
    for key in ('svms.0.weight', 'svms.0.bias'):
        assert torch.equal(fitted[key], saved[key]), key


class Halve(Hook):
    """A hook that mmcomp does not know: it tests and saves halved weights."""

    def _scale(self, runner, factor):
        for weight in runner.model.parameters():
            weight.data.mul_(factor)

    def before_val_epoch(self, runner):
        self._scale(runner, 0.5)

    def after_val_epoch(self, runner, metrics=None):
        self._scale(runner, 2)

    def before_save_checkpoint(self, runner, checkpoint):
        state = checkpoint['state_dict']
        for name, _ in runner.model.named_parameters():
            state[name] = state[name] / 2


def test_a_hook_of_another_kind_saves_the_svm_that_is_tested(table, tmp_path):
    cfg = small_config(table, tmp_path / 'train', 'compcnn_sub-svm')
    build(cfg, [Halve()]).train()
    cfg.work_dir, cfg.load_from = str(tmp_path), str(tmp_path / 'train' / 'epoch_2.pth')
    build(cfg).test()
    tested = scores(tmp_path / 'train' / 'predictions.csv')
    assert (scores(tmp_path / 'predictions.csv') == tested).all()


def test_testing_weights_that_are_not_saved_is_refused(table, tmp_path):
    options = dict(evaluate_on_ema=False, evaluate_on_origin=True)
    with pytest.raises(ValueError, match='evaluate_on_ema of EMAHook is False'):
        train(table, tmp_path, 'compcnn_sub@1', **options)
    assert not list(tmp_path.glob('*.pth'))
