"""One run of an experiment, in a process of its own."""

import contextlib
import copy
import json
import os
import shutil
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from mmcomp.files import write_text

from .plan import COSTS_FILE, DONE_FILE, Run, RunOptions

LOG_FILE = 'run.log'
LOCK_SECONDS = 10  # that a lost process may take to end


def execute(run: Run, root: str, options: RunOptions) -> float:
    """Train and test; write what the run prints to ``run.log`` in its folder.

    An unfinished run is begun again: training is deterministic, so the tables are the
    same.

    Args:
        run (Run): What to run.
        root (str): The experiment's folder.
        options (RunOptions): What all runs have in common.

    Returns:
        float: Seconds that it took.
    """
    folder = Path(root, run.folder)
    started = time.perf_counter()
    folder.parent.mkdir(parents=True, exist_ok=True)
    # A cluster may give a run to a worker while a lost one is still at it.
    lock = FileLock(folder.with_name(f'.{folder.name}.lock'), timeout=LOCK_SECONDS)
    try:
        with lock:
            return _execute(run, folder, options, started)
    except Timeout:
        raise ValueError(f'another process is at the run in {folder}') from None


def _execute(run: Run, folder: Path, options: RunOptions, started: float) -> float:
    if (folder / DONE_FILE).is_file():
        return 0.0
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with open(folder / LOG_FILE, 'w', encoding='utf-8') as log, _output_to(log):
        try:
            costs = _train(run, folder, options, started)
        except Exception:
            traceback.print_exc()  # into the log
            raise
    if not options.keep_checkpoints:
        for path in [*folder.glob('*.pth'), folder / 'last_checkpoint']:
            path.unlink(missing_ok=True)
    costs['total'] = time.perf_counter() - started
    write_text(folder / COSTS_FILE, json.dumps(costs) + '\n')
    return costs['total']


def _train(
    run: Run, folder: Path, options: RunOptions, started: float
) -> dict[str, float]:
    """Train and test; return the seconds of :class:`CostHook`."""
    import torch

    from mmcomp.config import base_configs, load_config
    from mmcomp.engine.hooks import CostHook
    from mmcomp.engine.launch import build_runner

    torch.set_num_threads(options.threads)
    cfg = load_config(run.config, options.dataset, options.cfg_options)
    cfg.merge_from_dict(run.options)
    for loader, changed in run.data.items():
        for dataset in base_configs((cfg.get(loader) or {}).get('dataset')):
            dataset.update(copy.deepcopy(changed))
    cfg.work_dir = str(folder)
    cfg.launcher = 'none'
    epochs = cfg.train_cfg.get('max_epochs', 1)
    cfg.default_hooks.checkpoint.interval = epochs  # only the last is ever used
    if options.shift:
        hook = dict(type='mmcomp.ShiftTestHook', pixels=list(options.shift))
        cfg.custom_hooks = [*cfg.get('custom_hooks', []), hook]
    runner = build_runner(cfg)
    costs = CostHook(started)
    runner.register_hook(costs)
    runner.train()
    names = 'loading', 'training', 'svm', 'testing'
    return {name: getattr(costs, name) for name in names}


@contextlib.contextmanager
def _output_to(stream: IO[str]) -> Iterator[None]:
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
