"""EpochSeed: the random numbers of loader processes, by epoch."""

import random

import numpy as np
import torch
from torch.utils.data import get_worker_info


def seed_all(*entropy: int) -> None:
    """Seed Python, NumPy and PyTorch by whole numbers of at least 0."""
    seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


class EpochSeed:
    """Seeds the generators of each loader process once an epoch.

    MMEngine seeds a loader process when it starts, by the run's seed: processes that
    start anew each epoch draw the same numbers in each, and those that stay continue
    where a resumed run cannot. With this, what a process draws depends on seed, epoch
    and its number alone. The value is in shared memory, so that processes that stay
    see the next one.
    """

    def __init__(self) -> None:
        self._value = torch.full((1,), -1, dtype=torch.int64).share_memory_()
        self._used = -1

    def set(self, value: int) -> None:
        """Set the seed of an epoch, at least 0."""
        self._value.fill_(value)

    def apply(self) -> None:
        """Seed, in a loader process, before its first sample of an epoch."""
        worker, value = get_worker_info(), int(self._value)
        if worker is not None and value != self._used:
            self._used = value
            seed_all(value, worker.id)
