"""Whole experiments, left alone, killed, on a cluster, and wrong ones."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from runs import REPOSITORY, small_config

TOOL = REPOSITORY / 'tools' / 'cross_validate.py'
NEW_FILES = (3, 7, 18)  # of one start, before it is killed

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def setting(make_pair_table, tmp_path_factory):
    """Two small configs, in files, on one small table."""
    folder = tmp_path_factory.mktemp('an @ experiment')
    table = make_pair_table(folder / 'data', subjects=6, pairs=2)
    for name in ('diffcnn', 'compcnn_sub-svm'):
        small_config(table, folder, name, epochs=2).dump(folder / f'{name}.py')
    return folder


def command(setting, work_dir, *options):
    configs = [setting / 'diffcnn.py', setting / 'compcnn_sub-svm.py']
    parts = [sys.executable, TOOL, *configs, '--work-dir', work_dir, '--n-splits', 3]
    return [str(part) for part in [*parts, *options]]


def run(*args, ok=True):
    done = subprocess.run(command(*args), capture_output=True, text=True, timeout=600)
    text = done.stdout + done.stderr
    assert (done.returncode == 0) == ok, text
    return text


def tables(work_dir):
    """Every prediction table, by its path."""
    found = Path(work_dir).glob('runs/*/*/*.csv')
    return {str(p.relative_to(work_dir)): p.read_bytes() for p in found}


@pytest.fixture(scope='module')
def alone(setting, tmp_path_factory):
    """The experiment left alone: its folder and what it printed."""
    work_dir = tmp_path_factory.mktemp('alone') / 'work'
    return work_dir, run(setting, work_dir, '--shift', 0, 3)


def test_every_run_leaves_what_it_should(alone):
    work_dir, text = alone
    assert '[6/6]' in text
    names = {Path(path).name for path in tables(work_dir)}
    members = [f'compcnn_sub@{i}' for i in (1, 2, 3)]
    assert names == {
        f'predictions{member}{shift}.csv'
        for member in ['', *[f'-{m}' for m in members]]
        for shift in ('', '-shift0px', '-shift3px')
    }
    for fold in range(3):
        folder = work_dir / 'runs' / 'diffcnn' / f'fold0{fold}-seed0'
        split = json.loads((folder / 'split.json').read_text())
        own = pd.read_csv(folder / 'predictions.csv')
        assert set(own['subject']) == set(split['test'])
        assert not set(split['test']) & set(split['train'])
        assert not list(folder.glob('*.pth'))
        assert (folder / 'run.log').stat().st_size


def test_costs_are_measured_and_named(alone):
    work_dir, _ = alone
    for name in ('diffcnn', 'compcnn_sub-svm'):
        path = work_dir / 'runs' / name / 'fold00-seed0' / 'costs.json'
        costs = json.loads(path.read_text())
        total = costs.pop('total')
        assert set(costs) == {'loading', 'training', 'svm', 'testing'}
        assert 0 < sum(costs.values()) < total
        assert (costs.pop('svm') > 0) == ('svm' in name)
        assert min(costs.values()) > 0
    assert 'Time: 6 runs took' in (work_dir / 'report' / 'table.md').read_text()


def test_folds_cover_every_sample_exactly_once(alone):
    work_dir, _ = alone
    own = pd.concat(map(pd.read_csv, work_dir.glob('runs/diffcnn/*/predictions.csv')))
    assert len(own) == 24
    assert own['sample_id'].is_unique


def test_shift_of_zero_changes_nothing(alone):
    work_dir, _ = alone
    for path in work_dir.glob('runs/*/*/predictions*-shift0px.csv'):
        plain = path.with_name(path.name.replace('-shift0px', ''))
        columns = ['sample_id', 'score_posed', 'score_spontaneous']
        moved, own = (pd.read_csv(p, usecols=columns) for p in (path, plain))
        pd.testing.assert_frame_equal(moved, own, rtol=1e-6)


def test_second_start_does_nothing_and_other_settings_are_refused(setting, alone):
    work_dir, _ = alone
    before = {p: p.stat().st_mtime_ns for p in work_dir.glob('runs/*/*/*')}
    text = run(setting, work_dir, '--shift', 0, 3)
    assert '6 runs, 0 to do' in text
    assert before == {p: p.stat().st_mtime_ns for p in work_dir.glob('runs/*/*/*')}
    text = run(setting, work_dir, '--shift', 0, 4, ok=False)
    assert 'shift: [0.0, 3.0] there, [0.0, 4.0] now' in text
    assert 'Traceback' not in text


def stamps(work_dir):
    """Every file below a folder, and which of that name it is."""
    found = set()
    for folder, _, names in os.walk(work_dir):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # gone again
                found.add((folder, name, os.stat(Path(folder, name)).st_ino))
    return found


def test_killed_again_and_again_it_ends_with_the_same_tables(setting, alone, tmp_path):
    """SIGKILL after some more files; what a run left alone gives, byte for byte."""
    work_dir = tmp_path / 'work'
    for count in NEW_FILES:
        before = stamps(work_dir)
        process = subprocess.Popen(
            command(setting, work_dir, '--shift', 0, 3),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None and len(stamps(work_dir) - before) < count:
            time.sleep(0.005)
        process.kill()
        process.wait()
    run(setting, work_dir, '--shift', 0, 3)
    assert tables(work_dir) == tables(alone[0])


@contextlib.contextmanager
def dask_cluster(folder, workers):
    """Yield the address of a scheduler on loopback, and its process and workers'."""
    ready = folder / 'scheduler.json'
    env = dict(os.environ, OMP_NUM_THREADS='1')
    dask = [sys.executable, '-m', 'distributed.cli.dask_scheduler']
    dask += ['--host', '127.0.0.1', '--port', '0', '--no-dashboard']
    dask += ['--scheduler-file', str(ready)]
    worker = [sys.executable, '-m', 'distributed.cli.dask_worker', '--nthreads', '1']
    worker += ['--scheduler-file', str(ready), '--no-dashboard', '--nworkers', '1']
    worker += ['--local-directory', str(folder), '--no-nanny']
    quiet = dict(env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    processes = [subprocess.Popen(dask, **quiet)]
    try:
        while not ready.exists():
            time.sleep(0.1)
        processes += [subprocess.Popen(worker, **quiet) for _ in range(workers)]
        yield json.loads(ready.read_text())['address'], processes
    finally:
        for process in processes:
            process.kill()


def test_dask_cluster_that_loses_a_worker(setting, alone, tmp_path):
    """A real scheduler and two workers on loopback; one is killed in the middle."""
    pytest.importorskip('distributed')
    with dask_cluster(tmp_path, workers=2) as (address, processes):
        work_dir = tmp_path / 'work'
        options = ['--shift', 0, 3, '--executor', 'dask', '--address', address]
        experiment = subprocess.Popen(
            command(setting, work_dir, *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        while not tables(work_dir):
            assert experiment.poll() is None, experiment.stdout.read()
            time.sleep(0.1)
        processes[1].kill()
        text, _ = experiment.communicate(timeout=300)
        assert experiment.returncode == 0, text
    assert tables(work_dir) == tables(alone[0])


def test_ctrl_c_ends_all_with_one_line(setting, alone, tmp_path):
    """It goes to every process of the terminal; the next start does the rest."""
    work_dir = tmp_path / 'work'
    experiment = subprocess.Popen(
        command(setting, work_dir, '--shift', 0, 3, '--workers', 1),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # A shell lets what it starts in the background ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not list(work_dir.glob('runs/*/*/run.log')):
        assert experiment.poll() is None, experiment.stdout.read()
        time.sleep(0.05)
    os.killpg(experiment.pid, signal.SIGINT)
    text, _ = experiment.communicate(timeout=300)  # ends with the last process
    assert experiment.returncode == 130, text
    assert text.splitlines()[-1] == 'interrupted'
    assert 'Traceback' not in text
    assert len(tables(work_dir)) < len(tables(alone[0]))
    run(setting, work_dir, '--shift', 0, 3)
    assert tables(work_dir) == tables(alone[0])


def test_the_death_of_a_dask_scheduler_is_one_line(setting, tmp_path):
    pytest.importorskip('distributed')
    work_dir = tmp_path / 'work'
    with dask_cluster(tmp_path, workers=1) as (address, processes):
        options = ['--executor', 'dask', '--address', address]
        experiment = subprocess.Popen(
            command(setting, work_dir, *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        while not list(work_dir.glob('runs/*/*/run.log')):
            assert experiment.poll() is None, experiment.stdout.read()
            time.sleep(0.05)
        processes[0].kill()
        text, _ = experiment.communicate(timeout=300)
    assert experiment.returncode == 1
    assert text.splitlines()[-1].startswith(
        'error: the connection to the scheduler of the runs is lost; start again'
    )
    assert 'Traceback' not in text


def test_a_failed_run_is_reported_and_the_others_go_on(setting, tmp_path):
    work_dir = tmp_path / 'work'
    bad = tmp_path / 'bad.py'
    text = (setting / 'diffcnn.py').read_text()
    bad.write_text(text.replace("after='input'", "after='nowhere'"))
    parts = [sys.executable, TOOL, bad, setting / 'diffcnn.py', '--n-splits', 2]
    done = subprocess.run(
        [*map(str, parts), '--work-dir', str(work_dir)], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "after is 'nowhere'; it must be" in done.stderr
    assert 'Traceback' not in done.stderr
    log = work_dir / 'runs' / 'bad' / 'fold00-seed0' / 'run.log'
    assert 'Traceback' in log.read_text()
    assert '2 of 4 runs failed' in done.stderr
    assert len(tables(work_dir)) == 2


WRONG = [
    (['--n-splits', '7'], 'n_splits is 7; it must be at most 6'),
    (['--folds', '3'], r'folds is [3]; each fold must be between 0 and 2'),
    (['--train-subjects', '5'], 'train_subjects is 5; it must be between 1 and the 4'),
    (['--dataset', 'nowhere.py'], "config 'nowhere.py': no such file"),
    (['--workers', '0'], 'argument --workers: value is 0; it must be at least 1'),
]


@pytest.mark.parametrize(('options', 'message'), WRONG)
def test_what_cannot_be_is_said_before_anything_runs(
    options, message, setting, tmp_path
):
    text = run(setting, tmp_path / 'work', *options, ok=False)
    assert message in text
    assert 'Traceback' not in text
    assert not tables(tmp_path / 'work')
