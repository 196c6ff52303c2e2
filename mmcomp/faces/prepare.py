"""Preparation: from a table of pairs or clips to aligned faces and a pair table.

Every row ends as a pair or as a row of ``failures.csv``. A killed run, started again,
does only what is missing: the outcome of each row is a file of its own, written whole
or not at all, and made again only if the row, its picture or clip, or its faces have
changed.
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from mmcomp.columns import APEX, CLIP, CLIP_END, CLIP_START, ID, ONSET
from mmcomp.figures import check_format, encode_figure
from mmcomp.files import (
    file_names,
    read_object,
    write_bytes,
    write_text,
)
from mmcomp.progress import track

from .detection import FaceDetector
from .landmark_table import landmarks_of_table
from .landmarks import LandmarkFinder
from .outcome import IMAGES, NOTES, PROBLEM, REASON, ROWS, RowOutcome
from .pairs import FaceSettings
from .sheet import pair_sheet
from .table import read_input
from .video import check_part

PAIRS_FILE = 'pairs.csv'
FAILURES_FILE = 'failures.csv'
SHEET_FILE = 'sheet.png'
SETTINGS_FILE = 'settings.json'
PATH = 'path'

_IDLE_SECONDS = 10


@dataclass(frozen=True)
class PrepareOutcome:
    """Result of a run.

    Attributes:
        table: Path of the new pair table.
        pairs: How many pairs it has.
        failures: How many rows failed, by kind of problem.
        done_before: How many rows an earlier run had done.
        untrusted: How many pairs have landmarks that are not to be trusted.
    """

    table: Path
    pairs: int
    failures: dict[str, int]
    done_before: int
    untrusted: int = 0


def prepare_faces(
    inputs: Sequence,
    out,
    settings: FaceSettings = FaceSettings(),
    fps: float | None = None,
    workers: int | None = None,
    retry: bool = False,
    sheet_pairs: int = 24,
    part: tuple[float | None, float | None] = (None, None),
    sheet: str = SHEET_FILE,
    landmarks: bool = False,
) -> PrepareOutcome:
    """Make aligned pairs of all rows.

    Args:
        inputs: As for :func:`read_input`.
        out: Folder to write to: ``pairs.csv``, ``failures.csv``, ``images/``,
            ``sheet``, ``settings.json``, and ``rows/``, the state of the run.
        settings (FaceSettings): How pairs are made.
        fps (float, optional): Frames a second of clips that do not say.
        workers (int, optional): Processes; by default one for each core.
        retry: Whether rows that failed in an earlier run are tried again.
        sheet_pairs: How many random pairs the contact sheet shows at most.
        part: Start and end of the part of each clip that is searched, in seconds from
            its first frame, where its row says nothing else.
        sheet: Name of the contact sheet: ``.png``, ``.pdf`` or ``.svg``.
        landmarks: Whether to find the points of all aligned faces, and keep them
            beside the pair table (:func:`landmarks_of_table`). Where they are not to be
            trusted, the pair remains, with the reason in its notes.

    Returns:
        PrepareOutcome: Counts.

    Raises:
        ValueError: If the table or an argument is not allowed, or ``out`` holds the
            work of other settings or of a run that is still going.
    """
    from filelock import FileLock, Timeout

    if workers is not None and workers < 1:
        raise ValueError(f'workers is {workers}; it must be at least 1')
    if fps is not None and fps <= 0:
        raise ValueError(f'fps is {fps}; it must be above 0')
    check_part(*part)
    check_format(sheet)
    if landmarks:
        LandmarkFinder()  # or say at once why it cannot be
    rows, root = read_input(inputs)
    for name, value in zip((CLIP_START, CLIP_END), part):
        if value is not None:
            for row in rows:
                if row.get(CLIP):
                    row[name] = row.get(name) or str(value)
    out = Path(out)
    for name in (IMAGES, ROWS):
        (out / name).mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / '.lock')
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ValueError(f'out is {str(out)!r}, where another run is at work') from None
    try:
        _agree(out / SETTINGS_FILE, {**asdict(settings), 'fps': fps})
        names = file_names([row[ID] for row in rows])
        outcomes = [RowOutcome(row, root, out, names[row[ID]]) for row in rows]
        todo = [outcome for outcome in outcomes if not outcome.is_done(retry)]
        _run(todo, settings, fps, workers)
        pairs, failures, untrusted = _collect(outcomes, out, landmarks)
    finally:
        lock.release()
    picture = encode_figure(pair_sheet(out, pairs, sheet_pairs), Path(sheet).suffix)
    write_bytes(out / sheet, picture)
    counts = {str(k): int(n) for k, n in failures[PROBLEM].value_counts().items()}
    done_before = len(rows) - len(todo)
    return PrepareOutcome(out / PAIRS_FILE, len(pairs), counts, done_before, untrusted)


def _agree(path: Path, settings: dict) -> None:
    """Keep the settings of the first run, and refuse others."""
    if not path.exists():
        write_text(path, json.dumps(settings, indent=2) + '\n')
        return
    known = read_object(path)
    differ = [
        f'{name} is {settings.get(name)!r} and was {known.get(name)!r}'
        for name in dict.fromkeys([*known, *settings])
        if settings.get(name) != known.get(name)
    ]
    if differ:
        raise ValueError(
            f'{path.parent} was begun with other settings: {"; ".join(differ)}; use '
            'these settings, or another folder'
        )


def _run(todo, settings, fps, workers) -> None:
    """Prepare the rows on all cores."""
    from joblib import Parallel, cpu_count, delayed, parallel_config

    if not todo:
        return
    # Loky starts processes afresh: no fork of a process with threads. They tell how far
    # they are in a file.
    with (
        tempfile.NamedTemporaryFile(prefix='mmcomp-') as file,
        parallel_config('loky', idle_worker_timeout=_IDLE_SECONDS),
    ):
        shares = np.memmap(file.name, np.float32, 'w+', shape=len(todo))
        jobs = (
            delayed(_make)(outcome, settings, fps, file.name, index)
            for index, outcome in enumerate(todo)
        )
        pool = Parallel(
            n_jobs=min(workers or cpu_count(), len(todo)),
            return_as='generator',
        )
        for _ in track(
            pool(jobs), len(todo), 'Preparing pairs', lambda: float(shares.sum())
        ):
            pass


@lru_cache(maxsize=1)
def _detector(min_score: float) -> FaceDetector:
    return FaceDetector(min_score=min_score)


def _make(
    outcome: RowOutcome,
    settings: FaceSettings,
    fps: float | None,
    shares: str,
    index: int,
) -> None:
    """Make the outcome of one row.

    ``shares`` is the file that tells how much of each row is done, 0 to 1.
    """
    done = np.memmap(shares, np.float32, 'r+')
    watch = partial(done.__setitem__, index)
    outcome.make(settings, fps, _detector(settings.min_score), watch)
    done[index] = 1


def _collect(
    outcomes: Sequence[RowOutcome], out: Path, landmarks: bool
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Write both tables from the outcomes of all rows, and points beside the first.

    Returns:
        tuple: Pairs, failures, and how many pairs have points that are not trusted.
    """
    pairs, failures = [], []
    for outcome in outcomes:
        row, result = outcome.row, outcome.read()
        if 'columns' in result:
            pairs.append(result['columns'])
            continue
        path = row.get(CLIP) or ' '.join(row.get(n, '') for n in (ONSET, APEX))
        failures.append({ID: row[ID], **result, PATH: path})
    untrusted = 0
    if landmarks:
        for row, found in zip(pairs, landmarks_of_table(out / PAIRS_FILE, pairs)):
            untrusted += bool(found.fault)
            row[NOTES] = '; '.join(filter(None, (row[NOTES], found.fault)))
    kept = [ID, PROBLEM, REASON, NOTES, PATH]
    tables = (
        pd.DataFrame(pairs) if pairs else pd.DataFrame(columns=[ID, ONSET, APEX]),
        pd.DataFrame(failures, columns=kept),
    )
    for name, table in zip((PAIRS_FILE, FAILURES_FILE), tables):
        write_text(out / name, table.to_csv(index=False, lineterminator='\n'))
    return *tables, untrusted
