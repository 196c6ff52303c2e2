"""Kill experiments and trainings at their writes, start them again, compare.

    python tests/kills.py                  # every 8th event of each program
    python tests/kills.py --every 2

Whatever a program does to a file of its work folder (it opens it for writing, renames
or removes it, makes a folder), and each step of its optimizer, is an *event*. At the
chosen event one of these happens:

- ``kill``: the program and its child are killed before the event;
- ``torn``: the process is killed in the middle of writing the file;
- ``full``: the disk has no more space: writing the file fails in the middle.

Then the program is started again, undisturbed. It must end well, with the same tables
and weights, byte for byte, as one that was never disturbed. Where the disk was full, no
traceback may be shown. The package holds no code for this: the events come from
Python's audit hooks, and the middle of a write from a limit on the size of files.
"""

import argparse
import contextlib
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KILL, TORN, FULL = MODES = ('kill', 'torn', 'full')
RECORD = 160  # bytes of an event in the journal
STEP = 'step'
PROGRAMS = ('cross-validate', 'train')


@dataclass(frozen=True)
class Fault:
    """What happens at which event.

    Attributes:
        root: Folder whose files are watched.
        journal: File that all processes add their events to.
        main: Process that is killed together with the one that comes to the event.
        mode: One of :data:`MODES`.
        at: Number of the event; -1 for none.
        limit: Bytes that a file may still have, unless the mode is 'kill'.
    """

    root: Path
    journal: Path
    main: int = 0
    mode: str = KILL
    at: int = -1
    limit: int = 0

    def arm(self) -> None:
        """Watch this process from now on."""
        from torch.optim.optimizer import register_optimizer_step_post_hook

        journal = os.open(self.journal, os.O_CREAT | os.O_WRONLY | os.O_APPEND)

        def happens(text: str) -> None:
            os.write(journal, text.encode()[:RECORD].ljust(RECORD))
            if os.lseek(journal, 0, os.SEEK_CUR) // RECORD - 1 == self.at:
                self._strike()

        def hook(event: str, args: tuple) -> None:
            if (text := self._describe(event, args)) is not None:
                happens(text)

        sys.addaudithook(hook)
        register_optimizer_step_post_hook(lambda *_: happens(STEP))

    def _describe(self, event: str, args: tuple) -> str | None:
        """Return an event in words, or None if it is not one that counts."""
        if event == 'open':
            path, mode, flags = args
            writes = flags & (os.O_WRONLY | os.O_RDWR) or set(mode or '') & set('wax+')
            if not writes or isinstance(path, int):
                return None
        elif event not in ('os.rename', 'os.remove', 'os.mkdir', 'shutil.rmtree'):
            return None
        path = os.fsdecode(args[0])
        if os.path.lexists(path) == (event == 'os.mkdir') and event != 'open':
            return None  # it does nothing
        inside = path.startswith(f'{self.root}{os.sep}')
        return f'{event} {os.path.relpath(path, self.root)}' if inside else None

    def _strike(self) -> None:
        if self.mode == KILL:
            for process in (self.main, os.getpid()):  # the parent first: it waits
                os.kill(process, signal.SIGKILL)
        if self.mode == TORN:  # else Python makes the signal an OSError
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.limit, self.limit))


def run_program(program: str, config: Path, fault: Fault, log: Path) -> None:
    """Run a program under a fault; the target of a process of its own."""
    from mmcomp.cli import cross_validate, run_tool, train
    from mmcomp.experiments import executors

    descriptor = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    fault = Fault(**{**vars(fault), 'main': os.getpid()})
    fault.arm()

    class Executor(executors.ProcessExecutor):
        """Watches its processes, too; they are forked from here, which is quicker."""

        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self._context = multiprocessing.get_context('fork')

    executors.ProcessExecutor = Executor  # type: ignore[misc]
    work_dir = str(fault.root)
    if program == 'train':
        arguments = [str(config), '--work-dir', work_dir, '--resume']
        run_tool(lambda: train.main(arguments))
    else:
        arguments = [str(config), '--work-dir', work_dir, '--n-splits', '2']
        arguments += ['--workers', '1', '--shift', '2', '--no-report']
        run_tool(lambda: cross_validate.main(arguments))


class Bench:
    """A program, and what it leaves undisturbed.

    Args:
        program: One of :data:`PROGRAMS`.
        config: Its config.
        folder: Where to work.
    """

    def __init__(self, program: str, config: Path, folder: Path) -> None:
        self.program, self.config, self.folder = program, config, folder
        folder.mkdir(parents=True)
        self._context = multiprocessing.get_context('forkserver')
        self._context.set_forkserver_preload(['mmcomp.experiments.preload'])
        code, _ = self._start(Fault(folder / 'alone', folder / 'events'))
        assert code == 0, (folder / 'log').read_text()
        self.expected = results(folder / 'alone')
        assert self.expected
        text = (folder / 'events').read_text()
        self.events = [
            text[i : i + RECORD].strip() for i in range(0, len(text), RECORD)
        ]
        self._sizes = {
            path.name: path.stat().st_size
            for path in (folder / 'alone').rglob('*')
            if path.is_file()
        }

    def find(self, text: str) -> int:
        """Return the number of the first event whose words contain a text."""
        return next(i for i, event in enumerate(self.events) if text in event)

    def modes(self, at: int) -> Sequence[str]:
        """Return what can happen at an event."""
        return MODES if self.events[at].startswith('open ') else (KILL,)

    def disturb(self, mode: str, at: int) -> str:
        """Disturb the program at an event, and start it again.

        Returns:
            str: What is wrong afterwards; '' if nothing is.
        """
        shutil.rmtree(self.folder / 'work', ignore_errors=True)
        (self.folder / 'journal').unlink(missing_ok=True)
        name = self.events[at].split('/')[-1]
        if name.endswith('.tmp'):  # .NAME.PROCESS.tmp
            name = name[1:].rsplit('.', 2)[0]
        fault = Fault(
            self.folder / 'work',
            self.folder / 'journal',
            mode=mode,
            at=at,
            limit=self._sizes.get(name, 0) // 2,
        )
        code, text = self._start(fault)
        problems = []
        if mode == KILL and code != -signal.SIGKILL:
            problems.append(f'it ended with {code} and was not killed: {text[-300:]}')
        if mode == FULL and 'Traceback' in text:
            problems.append(f'a traceback was shown: {text[-300:]}')
        code, text = self._start(Fault(self.folder / 'work', self.folder / 'journal'))
        if code != 0:
            problems.append(f'the next start ended with {code}: {text[-300:]}')
        elif results(self.folder / 'work') != self.expected:
            problems.append('the results are others')
        return '; '.join(problems)

    def _start(self, fault: Fault) -> tuple[int, str]:
        log = self.folder / 'log'
        process = self._context.Process(
            target=run_program, args=(self.program, self.config, fault, log)
        )
        process.start()
        process.join()
        return process.exitcode or 0, log.read_text()


def results(folder: Path) -> dict[str, Any]:
    """Return the bytes of all tables and last weights, by their paths."""
    from mmcomp.checkpoint import load_plain_checkpoint, newest_checkpoint

    found: dict[str, Any] = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob('*.csv')
        if path.name[0] != '.'
    }
    if last := newest_checkpoint(folder):
        weights = load_plain_checkpoint(last)['state_dict']
        found['weights'] = {k: v.numpy().tobytes() for k, v in weights.items()}
    return found


def make_config(folder: Path, make_pair_table: Callable[..., Path]) -> Path:
    """Write a small pair table, and the config of a small stack on it."""
    from runs import small_config

    table = make_pair_table(folder / 'data', subjects=4, pairs=1)
    cfg = small_config(table, folder / 'w', 'compcnn_sub-svm', epochs=2)
    path = folder / 'compcnn_sub-svm.py'
    cfg.dump(path)
    return path


@contextlib.contextmanager
def benches(programs: Sequence[str]) -> Iterator[list[Bench]]:
    """Yield a bench for each program, in a temporary folder."""
    from conftest import write_pair_table

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        config = make_config(folder, write_pair_table)
        yield [Bench(name, config, folder / name) for name in programs]


def main() -> None:
    """Disturb the programs at a sample of their events, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--every', type=int, default=8, help='take every Nth event')
    parser.add_argument('--programs', nargs='+', choices=PROGRAMS, default=PROGRAMS)
    args = parser.parse_args()
    started = time.time()
    counts: Counter[tuple[str, str, bool]] = Counter()
    with benches(args.programs) as made:
        for bench in made:
            print(f'{bench.program}: {len(bench.events)} events', flush=True)
            for at in range(0, len(bench.events), args.every):
                print(f'  {at}: {bench.events[at]}', file=sys.stderr, flush=True)
                for mode in bench.modes(at):
                    problem = bench.disturb(mode, at)
                    counts[bench.program, mode, bool(problem)] += 1
                    if problem:
                        event = bench.events[at]
                        print(f'  {mode} at {at} ({event}): {problem}', flush=True)
    print(f'{"program":16}{"fault":8}{"same":>6}{"OTHER":>7}')
    for program in args.programs:
        for mode in MODES:
            same, other = (counts[program, mode, bad] for bad in (False, True))
            print(f'{program:16}{mode:8}{same:6}{other:7}')
    print(f'{sum(counts.values())} faults in {time.time() - started:.0f} s')
    sys.exit(any(bad for _, _, bad in counts))


if __name__ == '__main__':
    # Processes find this module by its name, not as the main one.
    sys.path.insert(0, str(Path(__file__).parent))
    import kills

    kills.main()
