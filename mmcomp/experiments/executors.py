"""Where runs are executed: processes of this machine, or a Dask cluster.

All are ``concurrent.futures`` executors: ``submit(function, *args)`` gives a future.
"""

import contextlib
import logging
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import IO, Any, cast

PRELOAD = 'mmcomp.experiments.preload'


class RunFailed(RuntimeError):
    """A process that raised, or died; the message says how."""


class RunRefused(RunFailed):
    """A process that a file, a setting or a full disk stopped; the message is all."""


class ProcessExecutor(Executor):
    """Each task in a fresh process of its own, at most ``max_workers`` at once.

    Unlike ``ProcessPoolExecutor``, a process that dies fails only its own task. The
    processes are forked from a server that has imported PyTorch and MMPretrain once,
    so starting one takes a fraction of a second. They end with the process that made
    them, however that ends.

    Args:
        max_workers (int, optional): Defaults to the number of cores.
        threads (int): Threads of each process, for the libraries that read
            OMP_NUM_THREADS when they are imported.
    """

    def __init__(self, max_workers: int | None = None, threads: int = 1) -> None:
        if max_workers is not None and max_workers < 1:
            raise ValueError(f'max_workers is {max_workers}; it must be at least 1')
        os.environ['OMP_NUM_THREADS'] = str(threads)
        self._context = multiprocessing.get_context('forkserver')
        self._context.set_forkserver_preload([PRELOAD])
        self._pool = ThreadPoolExecutor(max_workers or os.cpu_count() or 1)
        self._running: set = set()
        self._cancelled = False
        self._lock = threading.Lock()

    def submit(self, fn: Callable, /, *args: Any, **kwargs: Any) -> Future:
        """Run ``fn(*args, **kwargs)`` in a process; all must be picklable."""
        return self._pool.submit(self._run, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop; with ``cancel_futures`` running processes are killed too."""
        if cancel_futures:
            with self._lock:
                self._cancelled = True
                for process in self._running:
                    process.kill()
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def _run(self, fn: Callable, args: tuple, kwargs: dict):
        own, other = self._context.Pipe()
        process = self._context.Process(target=_call, args=(other, fn, args, kwargs))
        process.start()
        other.close()
        with self._lock:
            self._running.add(process)
            if self._cancelled:  # while this one started
                process.kill()
        try:
            failure, value = own.recv()
        except (EOFError, OSError):
            process.join()
            failure = RunFailed
            value = f'the process died with exit code {process.exitcode}'
        process.join()
        own.close()
        with self._lock:
            self._running.discard(process)
        return _result(failure, value)


def _call(connection, fn, args, kwargs) -> None:
    """Call in a process of its own, and send back the result."""
    _die_when_closed(connection.recv)
    connection.send(_outcome(fn, args, kwargs))


def _outcome(fn, args, kwargs) -> tuple[type[RunFailed] | None, Any]:
    """Return how a call failed, if it did, and its result or what went wrong."""
    try:
        return None, fn(*args, **kwargs)
    except (ValueError, OSError) as error:  # a user can mend it, without a traceback
        return RunRefused, f'{type(error).__name__}: {error}'
    except BaseException:  # a SystemExit of the task is its failure too
        return RunFailed, traceback.format_exc()


def _result(failure: type[RunFailed] | None, value):
    if failure:
        raise failure(value)
    return value


def _die_when_closed(wait: Callable[[], Any]) -> None:
    """End this process when the other end of its pipe closes, as with its parent."""

    def watch():
        with contextlib.suppress(EOFError, OSError):
            wait()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def run_in_subprocess(fn: Callable, args: tuple, kwargs: dict):
    """Call a function in a new Python, from wherever, a Dask worker too.

    (The worker's own process is daemonic and may have no children by multiprocessing.)

    Raises:
        RunFailed: With the traceback, or the exit code of a process that died.
    """
    code = 'from mmcomp.experiments.executors import _serve; _serve()'
    process = subprocess.Popen(
        [sys.executable, '-c', code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    given, answered = cast(IO, process.stdin), cast(IO, process.stdout)  # pipes
    pickle.dump((fn, args, kwargs), given)
    given.flush()
    answer = answered.read()
    given.close()
    exit_code = process.wait()
    if not answer:
        raise RunFailed(f'the process died with exit code {exit_code}')
    return _result(*pickle.loads(answer))


def _serve() -> None:
    """Serve one call, as the new Python of :func:`run_in_subprocess`."""
    answer = os.fdopen(os.dup(1), 'wb')
    os.dup2(2, 1)  # what the task prints must not mix with its answer
    fn, args, kwargs = pickle.load(sys.stdin.buffer)

    def wait():
        sys.stdin.buffer.read()

    _die_when_closed(wait)
    pickle.dump(_outcome(fn, args, kwargs), answer)
    answer.close()
    os._exit(0)  # past the thread that still reads


def make_executor(
    kind: str, workers: int | None, threads: int = 1, address: str | None = None
) -> Executor:
    """Return an executor by name.

    Args:
        kind (str): 'process' or 'dask'.
        workers (int, optional): Processes at once, of 'process'.
        threads (int): Threads of each process.
        address (str, optional): Address of a Dask scheduler; without one, Dask starts
            its own workers on this machine.

    Raises:
        ValueError: For another kind, or if Dask is not installed.
    """
    if kind == 'process':
        return ProcessExecutor(workers, threads)
    if kind != 'dask':
        raise ValueError(f"executor is {kind!r}; it must be one of 'process', 'dask'")
    try:
        from distributed import Client
    except ImportError:
        raise ValueError(
            "the executor 'dask' needs Dask: pip install 'mmcomp[dask]'"
        ) from None
    # Who loses a scheduler gets one message, of run_experiment.
    logging.getLogger('distributed.client').setLevel(logging.CRITICAL)
    if address:
        return _DaskExecutor(Client(address))
    with _interrupts_ignored():  # its workers, too: they end with the cluster
        client = Client(
            n_workers=workers or os.cpu_count(),
            threads_per_worker=1,
            silence_logs=logging.ERROR,
        )
    return _DaskExecutor(client)


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ignore Ctrl+C in a block, and in the processes that it starts."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


class _DaskExecutor(Executor):
    """Tasks on a Dask cluster, each in a process of its own next to the worker.

    Dask gives the task of a worker that died to another. All workers must see the
    experiment's folder and the configs under the same paths.
    """

    def __init__(self, client) -> None:
        self._client = client
        self._executor = client.get_executor(pure=False, retries=1)

    def submit(self, fn: Callable, /, *args: Any, **kwargs: Any) -> Future:
        """Run ``fn(*args, **kwargs)`` on a worker."""
        return self._executor.submit(run_in_subprocess, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop, and leave the cluster."""
        self._executor.shutdown(wait=wait and not cancel_futures)
        self._client.close()
