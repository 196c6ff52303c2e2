"""Datasets on disk: rendered on first use, and reused."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import cv2
import pandas as pd
from filelock import FileLock, Timeout
from joblib import Parallel, cpu_count, delayed, parallel_config

from mmcomp.files import require_file
from mmcomp.progress import track
from mmcomp.tables import read_table

from .expressions import LABELS, RECIPE_VERSION
from .meta import META_FILE, read_meta, write_meta
from .oracle import compute_oracle
from .plan import FRAMES, Plan, Stream, check_arguments, make_plan
from .presets import PRESETS
from .renderer import Renderer

PAIRS_FILE = 'pairs.csv'
COEFFICIENTS_FILE = 'coefficients.csv'
SUBJECTS_FILE = 'subjects.csv'
_TABLES = (PAIRS_FILE, COEFFICIENTS_FILE, SUBJECTS_FILE)

#: How long idle workers outlive a rendering, or a parent that was killed.
_IDLE_SECONDS = 10

_NOTE = (
    'Rendered heads, not people: results on this data say that a pipeline works, '
    'and nothing about how people express emotions.'
)


def dataset_folder(
    preset: str, root: str | Path, *, level: str = 'lab', seed: int = 0
) -> Path:
    """Name the folder of a dataset, whether or not it exists."""
    check_arguments(preset, level, seed)
    suffix = '' if level == 'lab' else f'-{level}'
    return Path(root) / f'{preset}-v{RECIPE_VERSION}{suffix}-seed{seed}'


def ensure_dataset(
    preset: str,
    root: str | Path,
    *,
    level: str = 'lab',
    seed: int = 0,
    workers: int | None = None,
) -> Path:
    """Return the pair table of a dataset; render the dataset first if needed.

    A finished dataset is returned after its tables and pixels have been compared with
    its checksum. Several processes may call this at the same time: one renders, the
    others wait for it.

    Args:
        preset: A key of ``PRESETS``.
        root: The folder of all synthetic datasets; made if missing.
        level: A key of ``LEVELS``.
        seed: Other seeds give other subjects; 0 to 2**32 - 1.
        workers: Processes that render; by default one for each core.

    Returns:
        Path of ``pairs.csv``.

    Raises:
        ValueError: If an argument is not allowed.
        FileExistsError: If something else, or a dataset that was changed or is not
            complete, is where the dataset belongs; nothing is changed then.
        OSError: If the dataset cannot be written.
    """
    folder = dataset_folder(preset, root, level=level, seed=seed)
    if workers is not None and workers < 1:
        raise ValueError(f'workers is {workers}; it must be None or at least 1')
    expected = _identity(preset, level, seed)
    if not folder.exists():
        try:
            _generate_once(folder, expected, workers)
        except OSError as error:
            raise OSError(
                error.errno or errno.EIO,
                f'cannot write the synthetic dataset {folder} ({error}); make room '
                f'for {_megabytes(preset)} MB there or choose another root',
            ) from error
    _check(folder, expected)
    return folder / PAIRS_FILE


def dataset_checksum(folder: str | Path) -> str:
    """Compute the checksum of ``meta.json`` from tables and pixels."""
    folder = Path(folder)
    pairs = pd.DataFrame([cells for _, cells in read_table(folder / PAIRS_FILE)])
    digests = []
    for _, own in pairs.groupby('subject', sort=False):
        digest = hashlib.sha256()
        for path in own[list(FRAMES)].to_numpy().ravel():
            image = cv2.imread(str(folder / path), cv2.IMREAD_UNCHANGED)
            if image is None:
                raise FileNotFoundError(f'{folder / path}: no such image')
            digest.update(image.tobytes())
        digests.append(digest.digest())
    return _total_checksum(folder, digests)


def subject_genders(folder: str | Path) -> dict[str, str]:
    """Return 'female' or 'male' for each subject: what its shape is more of."""
    table = pd.read_csv(Path(folder, SUBJECTS_FILE), dtype={'subject': str})
    male = table.filter(like='-male-').sum(axis=1) > 0.5  # the weights sum to 1
    return dict(zip(table['subject'], male.map({True: 'male', False: 'female'})))


def _megabytes(preset: str) -> int:
    """Return the most space that a dataset takes: 5 KB an image, with tables."""
    return 1 + PRESETS[preset].pairs * len(FRAMES) * 5 // 1000


def _identity(preset: str, level: str, seed: int) -> dict[str, str | int]:
    return {
        'recipe_version': RECIPE_VERSION,
        'preset': preset,
        'level': level,
        'seed': int(seed),
    }


def _check(folder: Path, expected: Mapping[str, str | int]) -> None:
    problem = _problem(folder, expected)
    if problem:
        raise FileExistsError(
            f'{folder} is not the dataset that belongs there: {problem}. '
            'Nothing was changed; move or delete the folder, then start again'
        )


def _problem(folder: Path, expected: Mapping[str, str | int]) -> str | None:
    try:
        meta = read_meta(folder)
        found = {name: meta[name] for name in expected}
        checksum = meta['checksum']
    except (OSError, ValueError, KeyError):
        return f'{META_FILE} is missing or cannot be read'
    if found != expected:
        return f'{META_FILE} says {found}, but {dict(expected)} was asked for'
    for table in _TABLES:
        if not (folder / table).is_file():
            return f'{table} is missing'
    try:
        state = tuple(_state(path) for path in _files(folder))
        same = _checksum(folder, state) == checksum
    except (OSError, ValueError, KeyError) as error:
        return str(error)
    return None if same else 'a table or an image has changed since it was rendered'


def _state(path: Path) -> tuple[str, int, int]:
    """Return what changes when a file is written again."""
    stat = require_file(path).stat()
    return str(path), stat.st_size, stat.st_mtime_ns


def _files(folder: Path) -> list[Path]:
    """Return the tables and images that the checksum is over."""
    pairs = pd.read_csv(folder / PAIRS_FILE, usecols=list(FRAMES), dtype=str)
    return [folder / name for name in (*_TABLES, *pairs.to_numpy().ravel())]


@lru_cache(maxsize=4)  # a run builds several subsets of one dataset
def _checksum(folder: Path, state: tuple) -> str:
    return dataset_checksum(folder)


def _generate_once(
    folder: Path, expected: Mapping[str, str | int], workers: int | None
) -> None:
    """Render into a folder of another name; rename it when it is complete."""
    root, name = folder.parent, folder.name
    root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(root / f'.{name}.lock')
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f'Waiting for another process to render {folder}.', file=sys.stderr)
        lock.acquire()
    try:
        if folder.exists():
            return
        for stale in root.glob(f'.{name}.partial-*'):
            shutil.rmtree(stale, ignore_errors=True)
        partial = root / f'.{name}.partial-{os.getpid()}-{secrets.token_hex(4)}'
        try:
            _generate(partial, expected, workers)
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    finally:
        lock.release()
        _plan.cache_clear()


def _generate(
    folder: Path, expected: Mapping[str, str | int], workers: int | None
) -> None:
    plan = _plan(**_arguments(expected))
    for subject in plan.samples:
        (folder / 'images' / subject).mkdir(parents=True)
    pairs, coefficients = plan.pairs(), plan.coefficients()
    tables = pairs, coefficients, plan.subjects()
    for name, table in zip(_TABLES, tables, strict=True):
        table.to_csv(
            folder / name, index=False, float_format='%.6g', lineterminator='\n'
        )
    # Each job is a few names: a process that is killed in the middle of sending
    # more than a pipe takes at once would leave its workers waiting for the rest.
    jobs = (
        delayed(_render_subject)(folder, subject, **_arguments(expected))
        for subject in plan.samples
    )
    title = f'Rendering {expected["preset"]} (subjects)'
    # Loky starts processes afresh: no fork of a process with threads, and no
    # second run of an unguarded main script.
    with parallel_config('loky', idle_worker_timeout=_IDLE_SECONDS):
        pool = Parallel(n_jobs=workers or cpu_count(), return_as='generator')
        digests = list(track(pool(jobs), len(plan.samples), title))
    meta = {
        **expected,
        'subjects': len(plan.samples),
        'pairs': len(pairs),
        'images': len(pairs) * len(FRAMES),
        'labels': {label: int((pairs['label'] == label).sum()) for label in LABELS},
        'oracle': compute_oracle(coefficients),
        'checksum': _total_checksum(folder, digests),
        'note': _NOTE,
    }
    write_meta(folder, meta)


@lru_cache(maxsize=1)
def _plan(preset: str, level: str, seed: int) -> Plan:
    return make_plan(preset, level, seed)


def _arguments(expected: Mapping[str, str | int]) -> dict[str, str | int]:
    return {name: expected[name] for name in ('preset', 'level', 'seed')}


def _render_subject(
    folder: Path, subject: str, preset: str, level: str, seed: int
) -> bytes:
    """Render all pairs of one subject; return the digest of their pixels."""
    plan = _plan(preset, level, seed)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        renderer = Renderer(plan.identities[subject])
        digest = hashlib.sha256()
        for sample in plan.samples[subject]:
            for i, frame in enumerate(FRAMES):
                image = renderer.render(
                    sample.activations(frame),
                    sample.view(frame),
                    rng=plan.key.stream(Stream.NOISE, *sample.numbers, i),
                )
                digest.update(image.tobytes())
                png = cv2.imencode('.png', image)[1]
                (folder / sample.image(frame)).write_bytes(png.tobytes())
        return digest.digest()
    finally:
        cv2.setNumThreads(threads)


def _total_checksum(folder: Path, digests: list[bytes]) -> str:
    total = hashlib.sha256()
    for table in _TABLES:
        total.update((folder / table).read_bytes())
    for digest in digests:
        total.update(digest)
    return total.hexdigest()
