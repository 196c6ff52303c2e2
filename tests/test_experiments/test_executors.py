"""Executors: results, failures, deaths."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import wait

import pytest

from mmcomp.experiments.executors import (
    ProcessExecutor,
    RunFailed,
    make_executor,
    run_in_subprocess,
)

pytestmark = pytest.mark.slow


def square(x):
    print('noise on stdout')
    return x * x


def own_pid(seconds=0.0):
    time.sleep(seconds)
    return os.getpid()


def fail():
    raise ValueError('as it happens')


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def leave():
    sys.exit(3)


@pytest.fixture(scope='module')
def executor():
    with ProcessExecutor(2) as made:
        yield made


def test_results_come_back_in_order(executor):
    assert list(executor.map(square, range(5))) == [0, 1, 4, 9, 16]


def test_each_task_has_a_process_of_its_own(executor):
    pids = list(executor.map(own_pid, [0.0] * 4))
    assert len({*pids, os.getpid()}) == 5


@pytest.mark.parametrize(
    ('task', 'message'),
    [
        (fail, 'ValueError: as it happens'),
        (die, 'died with exit code -9'),
        (leave, 'SystemExit: 3'),
    ],
)
def test_a_failure_fails_its_own_task_only(executor, task, message):
    bad, good = executor.submit(task), executor.submit(square, 3)
    with pytest.raises(RunFailed, match=message):
        bad.result()
    assert good.result() == 9


@pytest.mark.parametrize(
    ('task', 'args', 'message'),
    [
        (int, ('x',), 'ValueError: invalid literal'),
        (os.abort, (), 'died with exit code -6'),
        (sys.exit, (3,), 'SystemExit: 3'),
    ],
)
def test_a_new_python_fails_alike(task, args, message):
    with pytest.raises(RunFailed, match=message):
        run_in_subprocess(task, args, {})


def test_a_new_python_returns_what_the_function_returns():
    assert run_in_subprocess(int, ('11',), {'base': 2}) == 3


def test_cancelling_kills_what_runs():
    executor = ProcessExecutor(1)
    future = executor.submit(time.sleep, 60)
    queued = executor.submit(square, 2)
    while not executor._running:
        time.sleep(0.05)
    executor.shutdown(cancel_futures=True)
    wait([future], timeout=10)
    assert isinstance(future.exception(), RunFailed)
    assert queued.cancelled()


PARENT = """
from mmcomp.experiments.executors import ProcessExecutor, run_in_subprocess
from test_executors import hold_a_connection
if {kind!r} == 'process':
    future = ProcessExecutor(1).submit(hold_a_connection, {port})
    future.result()
else:
    run_in_subprocess(hold_a_connection, ({port},), {{}})
"""


def hold_a_connection(port):
    with socket.create_connection(('127.0.0.1', port)) as connection:
        connection.sendall(b'.')
        time.sleep(600)


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['process', 'subprocess'])
def test_tasks_die_with_a_killed_parent(kind):
    """Else they would write into the folders of the next start.

    A connection that the task holds is closed when its process has ended.
    """
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    with socket.create_server(('127.0.0.1', 0)) as server:
        code = PARENT.format(port=server.getsockname()[1], kind=kind)
        env = dict(os.environ, PYTHONPATH=path)
        parent = subprocess.Popen([sys.executable, '-c', code], env=env)
        server.settimeout(120)
        connection, _ = server.accept()
    with connection:
        connection.settimeout(60)
        assert connection.recv(1) == b'.'
        parent.kill()
        parent.wait()
        assert connection.recv(1) == b''


def test_unknown_kinds_and_numbers():
    with pytest.raises(
        ValueError, match="executor is 'slurm'; it must be one of 'process'"
    ):
        make_executor('slurm', 1)
    with pytest.raises(ValueError, match='max_workers is 0'):
        make_executor('process', 0)
