"""Run an experiment: do what is missing until all prediction tables are there."""

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Executor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

from mmcomp.columns import APEX, DATABASE, ID, LABEL, ONSET, PREDICTED, SUBJECT
from mmcomp.files import write_text
from mmcomp.registry import TASK_UTILS
from mmcomp.tables import read_table

from .executors import RunRefused
from .inputs import find_inputs, pairs_of
from .plan import (
    DONE_FILE,
    ExperimentSettings,
    Run,
    RunOptions,
    make_runs,
    unfinished,
)
from .progress import Progress
from .record import check_folder, differences, write_settings
from .run import LOG_FILE, execute

DATA_FILE = 'data.json'
TAIL = 15  # lines of a failed run's log


@dataclass
class ExperimentOutcome:
    """How an experiment went.

    Attributes:
        runs: All runs of the experiment.
        failures: The failed ones, with their reason and the tail of their log.
        seconds: What this start took.
    """

    runs: list[Run]
    failures: dict[Run, str]
    seconds: float


def describe_data(
    settings: ExperimentSettings, dataset: Any, pairs: str
) -> dict[str, Any]:
    """Describe what the networks are tested on.

    Args:
        settings: The experiment.
        dataset, pairs: As :func:`.inputs.find_inputs` returns them.

    Returns:
        dict: ``folds``, ``pairs``, ``subjects``, ``classes`` and, where known, the name
        of the data and the oracle's counts. ``digest`` is the same where the pairs are.
        ``samples`` has subject, label and fold of each pair.

    Raises:
        ValueError: For a split that is impossible.
    """
    infos = pairs_of(dataset)
    subjects = sorted({info[SUBJECT] for info in infos})
    for size in settings.train_subjects or (None,):  # an impossible one fails here
        split = TASK_UTILS.build(settings.split_options(0, size))
        split.assign(subjects)
    folds = split.folds(subjects)
    fold_of = {subject: i for i, fold in enumerate(folds) for subject in fold}
    meta = dataset.metainfo
    databases = {info.get(DATABASE) for info in infos}
    return dict(
        table=str(dataset.ann_file),
        digest=pairs,
        name=meta.get('preset') or (databases.pop() if len(databases) == 1 else None),
        synthetic='preset' in meta,
        classes=list(meta['classes']),
        pairs=len(infos),
        subjects=len(subjects),
        labels=pd.Series([info[LABEL] for info in infos]).value_counts().to_dict(),
        folds=len(folds),
        samples={
            info[ID]: (info[SUBJECT], info[LABEL], fold_of[info[SUBJECT]])
            for info in infos
        },
        oracle=meta.get('oracle'),
        columns=_columns(infos),
    )


def run_experiment(
    settings: ExperimentSettings,
    folder: Path,
    make_executor: Callable[[], Executor],
    threads: int = 1,
    keep_checkpoints: bool = False,
    progress: Progress | None = None,
) -> ExperimentOutcome:
    """Do all runs of an experiment that are not done yet.

    Args:
        settings: What it is.
        folder: Folder of the experiment; its settings must be the same on each start.
        make_executor: Return the executor; called once there is something to run.
        threads: Threads of each run.
        keep_checkpoints: Keep the weights of each run.
        progress: Shows what happens.

    Returns:
        ExperimentOutcome: All runs, and the failed ones.

    Raises:
        ValueError: Before anything is run, if the experiment is impossible, or the
            folder holds another one, or another process works there. Also if configs
            or data change meanwhile; what this start did is then undone.
        ConnectionError: If a cluster loses its scheduler.
    """
    started = time.time()
    inputs, dataset, pairs = find_inputs(settings)
    data = describe_data(settings, dataset, pairs)
    runs = make_runs(settings, data['folds'])
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / '.lock')
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ValueError(f'another process runs the experiment in {folder}') from None
    with lock:
        write_settings(settings, inputs, folder)
        text = json.dumps(data, indent=1, ensure_ascii=False)
        write_text(folder / DATA_FILE, text + '\n')
        pending = unfinished(runs, folder)
        progress = progress or Progress()
        failures: dict[Run, str] = {}
        with progress.showing(runs, pending):
            if pending:
                options = RunOptions(
                    settings.dataset,
                    settings.cfg_options,
                    tuple(settings.shift),
                    threads,
                    keep_checkpoints,
                )
                executor = make_executor()
                failures = _run_all(pending, folder, options, executor, progress)
        if pending and (other := differences(inputs, find_inputs(settings)[0])):
            for run in pending:
                (folder / run.folder / DONE_FILE).unlink(missing_ok=True)
            raise ValueError(
                'configs or data changed while the experiment ran, so what this start '
                f'did does not count; undo the change, or choose another --work-dir. '
                f'{other}'
            )
    return ExperimentOutcome(runs, failures, time.time() - started)


def _run_all(
    pending: Sequence[Run],
    folder: Path,
    options: RunOptions,
    executor: Executor,
    progress: Progress,
) -> dict[Run, str]:
    """Execute the runs; return those that failed, with the reason."""
    failures: dict[Run, str] = {}
    root = str(folder.resolve())
    try:
        futures = {executor.submit(execute, run, root, options): run for run in pending}
        for future in as_completed(futures):
            run = futures[future]
            try:
                error = future.exception()
            except CancelledError:
                raise ConnectionError(
                    'the connection to the scheduler of the runs is lost; start again '
                    'to do what is missing'
                ) from None
            if error is None:
                progress.finished(run, future.result(), count_errors(folder, run))
                continue
            reason = failures[run] = str(error).strip()
            progress.failed(run, reason)
            if not isinstance(error, RunRefused) and '\n' not in reason:  # it died
                failures[run] = f'{reason}\n{log_tail(folder, run)}'.strip()
    except BaseException:
        executor.shutdown(cancel_futures=True)
        raise
    executor.shutdown()
    return failures


def log_tail(folder: Path, run: Run) -> str:
    """Return the last lines of a run's log."""
    path = folder / run.folder / LOG_FILE
    if not path.exists():
        return ''
    lines = path.read_text(encoding='utf-8', errors='replace').splitlines()
    return '\n'.join(lines[-TAIL:])


def count_errors(folder: Path, run: Run) -> tuple[int, int]:
    """Return the errors and the predictions of a finished run."""
    rows = read_table(folder / run.folder / DONE_FILE, (LABEL, PREDICTED))
    errors = sum(cells[LABEL] != cells[PREDICTED] for _, cells in rows)
    return errors, len(rows)


def _columns(infos: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """Return the further columns of the pair table with few values, by sample."""
    table = pd.DataFrame(infos).set_index(ID)
    known = {SUBJECT, LABEL, ONSET, APEX, 'gt_label', 'sample_idx'}
    table.columns = table.columns.astype(str)
    few = [
        c
        for c in table.columns
        if c not in known and not c.startswith('_') and 1 < table[c].nunique() <= 12
    ]
    values = {c: table[c].astype(str) for c in few}
    return {c: dict(zip(own.index.astype(str), own)) for c, own in values.items()}
