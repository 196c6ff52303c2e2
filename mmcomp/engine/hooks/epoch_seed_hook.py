"""EpochSeedHook: each epoch's random numbers depend on seed and epoch alone."""

import random

import numpy as np
import torch
from mmengine.hooks import Hook

from mmcomp.registry import HOOKS


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed all generators at the start of each training epoch.

    So a resumed run draws the same dropout and augmentation as one that was never
    interrupted, and ends with the same weights. Each process draws its own.
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner) -> None:
        """Seed by the run's seed, the epoch and the rank."""
        entropy = [runner.seed, runner.epoch, runner.rank]
        seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
