"""Hooks by themselves."""

import itertools
import random
from types import SimpleNamespace

import numpy as np
import torch

from mmcomp.engine.hooks import EpochSeedHook


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
