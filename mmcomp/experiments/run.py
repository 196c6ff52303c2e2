"""One run of an experiment, in a process of its own."""

import contextlib
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from .plan import COSTS_FILE, DONE_FILE, Run

LOG_FILE = 'run.log'


def execute(
    run: Run,
    root: str,
    dataset: str | None = None,
    cfg_options: dict[str, Any] | None = None,
    jitter: tuple = (),
    threads: int = 1,
    keep_checkpoints: bool = False,
) -> float:
    """Train and test; what the run prints goes to ``run.log`` in its folder.

    An unfinished run is begun again: training is deterministic, so the tables are the
    same.

    Args:
        run (Run): What to run.
        root (str): The experiment's folder.
        dataset (str, optional): A dataset config to use instead of the config's own.
        cfg_options (dict, optional): Further options.
        jitter (tuple): Misalignments in pixels to test at.
        threads (int): Of PyTorch.
        keep_checkpoints (bool): Keep the weights.

    Returns:
        float: Seconds that it took.
    """
    folder = Path(root, run.folder)
    started = time.perf_counter()
    if (folder / DONE_FILE).is_file():
        return 0.0
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with open(folder / LOG_FILE, 'w', encoding='utf-8') as log, _output_to(log):
        costs = _train(
            run, folder, dataset, cfg_options or {}, jitter, threads, started
        )
    if not keep_checkpoints:
        for path in [*folder.glob('*.pth'), folder / 'last_checkpoint']:
            path.unlink(missing_ok=True)
    costs['total'] = time.perf_counter() - started
    (folder / COSTS_FILE).write_text(json.dumps(costs) + '\n', encoding='utf-8')
    return costs['total']


def _train(run, folder, dataset, cfg_options, jitter, threads, started) -> dict:
    """Train and test; returns the seconds of :class:`CostHook`."""
    import torch

    from mmcomp.config import load_config
    from mmcomp.engine.hooks import CostHook
    from mmcomp.engine.launch import build_runner

    torch.set_num_threads(threads)
    cfg = load_config(run.config, dataset, cfg_options)
    cfg.merge_from_dict(run.options)
    cfg.work_dir = str(folder)
    cfg.launcher = 'none'
    epochs = cfg.train_cfg.get('max_epochs', 1)
    cfg.default_hooks.checkpoint.interval = epochs  # only the last is ever used
    if jitter:
        hook = dict(type='mmcomp.JitterHook', pixels=list(jitter))
        cfg.custom_hooks = [*cfg.get('custom_hooks', []), hook]
    runner = build_runner(cfg)
    costs = CostHook(started)
    runner.register_hook(costs)
    runner.train()
    names = 'loading', 'training', 'svm', 'testing'
    return {name: getattr(costs, name) for name in names}


@contextlib.contextmanager
def _output_to(stream):
    """Send what this process prints, compiled libraries too, to a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(fd) for fd in (1, 2)]
    try:
        for fd in (1, 2):
            os.dup2(stream.fileno(), fd)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for fd, old in zip((1, 2), saved):
            os.dup2(old, fd)
            os.close(old)
