"""An experiment that is started again, run by run."""

import filelock
import pytest
from runs import small_config

from mmcomp.experiments.driver import run_experiment
from mmcomp.experiments.executors import ProcessExecutor
from mmcomp.experiments.plan import ExperimentSettings

pytestmark = pytest.mark.slow


class Noting(ProcessExecutor):
    """Keeps the runs that it was given."""

    def __init__(self):
        super().__init__(1)
        self.runs = []

    def submit(self, fn, /, *args, **kwargs):
        self.runs.append(args[0])
        return super().submit(fn, *args, **kwargs)


@pytest.fixture(scope='module')
def settings(make_pair_table, tmp_path_factory):
    folder = tmp_path_factory.mktemp('an @ experiment')
    table = make_pair_table(folder / 'data', subjects=4, pairs=2)
    small_config(table, folder, 'diffcnn', epochs=1).dump(folder / 'diffcnn.py')
    return ExperimentSettings([str(folder / 'diffcnn.py')], n_splits=2)


@pytest.fixture
def start(settings, tmp_path):
    """``start()`` runs the experiment; gives its folder and the runs that were done."""

    def run():
        executor = Noting()
        outcome = run_experiment(settings, tmp_path / 'work', lambda: executor)
        assert not outcome.failures
        return tmp_path / 'work', executor.runs

    return run


def contents(folder):
    return {p: p.read_bytes() for p in sorted(folder.glob('runs/*/*/*.csv'))}


def test_only_what_is_unfinished_is_begun_again(start):
    """A run without its table, of which all else is there, and that is left over."""
    folder, runs = start()
    assert [run.fold for run in runs] == [0, 1]
    whole = contents(folder)
    assert len(whole) == 2
    assert start()[1] == []
    own = folder / runs[1].folder
    (own / 'predictions.csv').rename(own / 'predictions.csv.7.tmp')
    (own / 'epoch_1.pth').write_bytes(b'half')
    others = {p: p.stat().st_mtime_ns for p in (folder / runs[0].folder).iterdir()}
    assert start()[1] == runs[1:]
    assert contents(folder) == whole
    assert not (own / 'predictions.csv.7.tmp').exists()
    assert not (own / 'epoch_1.pth').exists()
    assert {p: p.stat().st_mtime_ns for p in others} == others


def test_two_processes_may_not_run_one_experiment(start, tmp_path):
    folder = tmp_path / 'work'
    folder.mkdir()
    with (
        filelock.FileLock(folder / '.lock'),
        pytest.raises(ValueError, match='another process'),
    ):
        start()
    assert not contents(folder)
    start()
    assert len(contents(folder)) == 2
