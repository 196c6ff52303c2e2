"""Hooks by themselves."""

import itertools
import random
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from runs import build, small_config

from mmcomp.engine.hooks import EpochSeedHook, ShiftTestHook


def drawn(seed, epoch, rank):
    """What each generator gives first in an epoch."""
    runner = SimpleNamespace(seed=seed, epoch=epoch, rank=rank)
    EpochSeedHook().before_train_epoch(runner)
    return random.random(), np.random.random(), torch.rand(1).item()


def test_epoch_seed_follows_from_seed_epoch_and_rank_alone():
    cases = list(itertools.product([0, 1, 7], [0, 1, 2], [0, 1]))
    first = {case: drawn(*case) for case in cases}
    assert {case: drawn(*case) for case in reversed(cases)} == first
    for numbers in zip(*first.values()):
        assert len(set(numbers)) == len(cases)


def test_shifted_pairs_are_tested_as_a_test_of_such_pairs_does(
    make_pair_table, tmp_path
):
    table = make_pair_table(tmp_path / 'pairs', subjects=4, pairs=3)
    cfg = small_config(table, tmp_path / 'train')
    hook = dict(type='mmcomp.ShiftTestHook', pixels=[0, 6])
    cfg.custom_hooks = [*cfg.custom_hooks, hook]
    build(cfg).train()
    cfg = small_config(table, tmp_path / 'test')
    cfg.load_from = str(tmp_path / 'train' / 'epoch_2.pth')
    shift = dict(type='mmcomp.ShiftApex', pixels=6)
    cfg.test_dataloader.dataset.pipeline.insert(1, shift)
    build(cfg).test()
    scores = {
        name: pd.read_csv(tmp_path / f'{name}.csv')['score_posed'].to_numpy()
        for name in (
            'train/predictions',
            'train/predictions-shift0px',
            'train/predictions-shift6px',
            'test/predictions',
        )
    }
    plain, zero, six, expected = scores.values()
    np.testing.assert_allclose(zero, plain, rtol=1e-6)
    np.testing.assert_allclose(six, expected, rtol=1e-6)
    assert np.abs(six - plain).max() > 1e-3
    six = pd.read_csv(tmp_path / 'train' / 'predictions-shift6px.csv')
    assert set(six['model']) == {'compcnn_sub@1'}
    assert set(six['shift_px']) == {6}
    assert six[['train_subjects', 'control', 'stack', 'member']].isna().all(axis=None)
    with pytest.raises(ValueError, match=r'pixels is \(-1,\); each must be at least 0'):
        ShiftTestHook([-1])
