"""EpochSeedHook: each epoch's random numbers depend on seed and epoch alone."""

import numpy as np
import torch
from mmengine.hooks import Hook

from mmcomp.compat import loop_dataset
from mmcomp.datasets.epoch_seed import EpochSeed, seed_all
from mmcomp.datasets.wrappers import base_datasets
from mmcomp.registry import HOOKS


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed all generators at the start of each training epoch.

    So a resumed run draws the same dropout and augmentation as one that was never
    interrupted, and ends with the same weights. Each process draws its own; so do
    loader processes, if they load a :class:`mmcomp.datasets.PairDataset`.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._loaders = EpochSeed()

    def before_train(self, runner) -> None:
        """Hand the seed of loader processes to their data sets."""
        loader = runner.train_dataloader
        if not loader.num_workers:
            return
        for dataset in base_datasets(loop_dataset(runner, 'train')):
            dataset.epoch_seed = self._loaders
        # Else the first epoch after a start would draw one number more than others.
        loader.generator = torch.Generator().manual_seed(runner.seed)

    def before_train_epoch(self, runner) -> None:
        """Seed by the run's seed, the epoch and the rank."""
        entropy = [runner.seed, runner.epoch, runner.rank]
        seed_all(*entropy)
        self._loaders.set(
            int(np.random.SeedSequence([*entropy, 1]).generate_state(1)[0])
        )
