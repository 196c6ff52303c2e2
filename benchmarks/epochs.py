"""Epochs through the Runner, and the time until the first iteration."""

import statistics
import tempfile
import time

from .clock import STARTED, peak_mb


def epochs(
    kind: str, config: str, table: str, batch: int, threads: int, n: int
) -> dict:
    """Time epochs through the Runner: 'C' is mmcomp's config, 'B' stock MMPretrain.

    Returns:
        dict: ``rate`` of training (median epoch but the first), ``start`` seconds from
        process start to the first iteration, ``memory`` in MB above the imports.
    """
    import torch

    torch.set_num_threads(threads)
    from mmengine.config import Config
    from mmengine.hooks import Hook

    import mmcomp.engine
    import mmcomp.models  # noqa: F401
    from mmcomp.engine.launch import build_runner

    imports = peak_mb()

    class Clock(Hook):
        """A clock of when epochs and the first iteration start."""

        def __init__(self):
            self.first, self.epochs, self.began = None, [], None

        def before_train_epoch(self, runner):
            self.began = time.perf_counter()

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            self.first = self.first or time.time()

        def after_train_epoch(self, runner):
            self.epochs.append(time.perf_counter() - self.began)

    if kind == 'B':
        from .stock import stock_config

        cfg = Config(stock_config(table, 2, batch, n))
    else:
        cfg = Config.fromfile(config)
        cfg.train_cfg.max_epochs = cfg.train_cfg.val_interval = n
        cfg.train_dataloader.batch_size = batch
        for loader in ('train', 'val', 'test'):
            dataset = cfg[f'{loader}_dataloader'].dataset
            dataset.type = 'mmcomp.PairDataset'
            dataset.pop('preset', None)
            dataset.ann_file = table
        # The stock run trains on all pairs; so does this one.
        cfg.train_dataloader.dataset.update(split=None, subset='all')
        cfg.custom_hooks = [h for h in cfg.custom_hooks if 'Seed' in h['type']]
    clock = Clock()
    with tempfile.TemporaryDirectory() as work_dir:
        cfg.work_dir, cfg.log_level = work_dir, 'WARNING'
        cfg.launcher = 'none'
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
        runner = build_runner(cfg)
        runner.register_hook(clock, 'VERY_LOW')
        runner.train()
    size = len(runner.train_dataloader.dataset)
    later = clock.epochs[1:] or clock.epochs
    return dict(
        rate=size / statistics.median(later),
        start=clock.first - STARTED,
        memory=peak_mb() - imports,
    )


def bare_import() -> dict:
    """Return seconds from process start until torch and MMPretrain are imported."""
    import mmpretrain  # noqa: F401
    import torch  # noqa: F401

    return dict(start=time.time() - STARTED, memory=peak_mb())


def import_mmcomp() -> dict:
    """Return what ``import mmcomp`` adds to its parent packages, in seconds."""
    import mmcv  # noqa: F401
    import mmpretrain  # noqa: F401
    import torch  # noqa: F401

    start = time.perf_counter()
    import mmcomp  # noqa: F401

    return dict(extra=time.perf_counter() - start)
