"""Random numbers of loader processes: new in each epoch, the same after a resume."""

import random

import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from runs import Interrupt, build, small_config

from mmcomp.checkpoint import load_plain_checkpoint
from mmcomp.registry import TRANSFORMS

pytestmark = pytest.mark.slow  # whole runs, files or clips


@TRANSFORMS.register_module()
class AddRandomNumber(BaseTransform):
    """Adds one number to the whole image, from each generator."""

    def transform(self, results):
        number = random.random() + np.random.rand() + float(torch.rand(()))
        results['img'] = (results['img'] + 10 * number).astype(np.float32)
        return results


def config(table, folder, persistent, workers=2, epochs=4):
    cfg = small_config(table, folder, epochs=epochs)
    loader = cfg.train_dataloader
    loader.num_workers, loader.persistent_workers = workers, persistent
    first, *rest = loader.dataset.pipeline
    shared = dict(
        type='mmcomp.SharedRandomTransforms',
        transforms=[dict(type='mmcomp.AddRandomNumber')],
    )
    loader.dataset.pipeline = [first, shared, *rest]
    loader.sampler = dict(type='DefaultSampler', shuffle=False)
    return cfg


@pytest.fixture(scope='module')
def table(make_pair_table, tmp_path_factory):
    return make_pair_table(tmp_path_factory.mktemp('loaders'), subjects=4, pairs=2)


class Drawn:
    """Collects what is added to the first image of each batch, by epoch."""

    def __init__(self, runner):
        self.epochs = []
        step = runner.model.train_step

        def recorded(data, optim_wrapper):
            self.epochs[-1].append([float(x.float().mean()) for x in data['inputs']])
            return step(data, optim_wrapper)

        runner.model.train_step = recorded


@pytest.mark.parametrize('persistent', [False, True])
def test_each_epoch_draws_anew_and_a_resumed_run_the_same(persistent, table, tmp_path):
    from mmengine.hooks import Hook

    class NewEpoch(Hook):
        def __init__(self, seen):
            self.seen = seen

        def before_train_epoch(self, runner):
            self.seen.epochs.append([])

    def run(folder, stop=None, resume=False):
        cfg = config(table, folder, persistent)
        cfg.resume = resume
        runner = build(cfg)
        seen = Drawn(runner)
        runner.register_hook(NewEpoch(seen))
        if stop:
            runner.register_hook(Interrupt(stop))
            with pytest.raises(KeyboardInterrupt):
                runner.train()
        else:
            runner.train()
        return seen.epochs

    whole = run(tmp_path / 'whole')
    assert len(whole) == 4
    assert len({tuple(map(tuple, epoch)) for epoch in whole}) == 4
    numbers = [x for epoch in whole for batch in epoch for x in batch]
    assert len(set(numbers)) > 0.9 * len(numbers)
    run(tmp_path / 'parts', stop=2)
    assert run(tmp_path / 'parts', resume=True) == whole[2:]
    a, b = (
        load_plain_checkpoint(tmp_path / name / 'epoch_4.pth')['state_dict']
        for name in ('whole', 'parts')
    )
    assert all(torch.equal(a[key], b[key]) for key in a)
