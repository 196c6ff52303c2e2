"""Plant faults in mmcomp, one at a time, and see whether its tests notice.

    python tests/mutants.py                      # all of mutants.toml
    python tests/mutants.py --only relu --jobs 2

mutmut and cosmic-ray make every small change that syntax allows, tens of thousands of
them here, and run tests of seconds for each; this plants only the faults that would
falsify a result.

Each fault goes into a temporary copy of the tree, never into the tree itself. A fault
is *caught* if a test fails, and has *survived* if all pass. First, the same tests run
without any fault, as a test that fails anyway catches nothing.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = Path(__file__).with_suffix('.toml')
CAUGHT, SURVIVED, TIMEOUT, BROKEN = 'caught', 'SURVIVED', 'timeout', 'BROKEN'
FAILED, PASSED = 1, 0  # exit codes of pytest; others say that no test ran


@dataclass(frozen=True)
class Fault:
    """One change to one file, and the tests that should notice it.

    Attributes:
        name: Of the fault, unique.
        file: Path below the repository's root.
        old: Text that occurs exactly once in the file.
        new: What replaces it.
        tests: Arguments of pytest, separated by blanks.
    """

    name: str
    file: str
    old: str
    new: str
    tests: str

    def problem(self, root: Path = ROOT) -> str | None:
        """Why the fault cannot be planted in a tree, or None."""
        path = root / self.file
        count = path.read_text('utf-8').count(self.old) if path.is_file() else 0
        if count != 1:
            found = [p for p in sources(root) if self.old in p.read_text('utf-8')]
            hint = ', '.join(str(p.relative_to(root)) for p in found) or 'no file'
            return f'its text occurs {count} times in {self.file}; {hint} has it'
        if self.old == self.new:
            return 'it changes nothing'
        missing = [t for t in self.tests.split() if not (root / t).exists()]
        return f'no such tests: {", ".join(missing)}' if missing else None

    def planted(self, root: Path = ROOT) -> str:
        """The file's text with the fault in it."""
        return (root / self.file).read_text('utf-8').replace(self.old, self.new)


def read_faults(path: Path = LIST) -> list[Fault]:
    """Read the list of faults."""
    entries = tomllib.loads(path.read_text('utf-8'))['fault']
    return [Fault(**entry) for entry in entries]


def sources(root: Path) -> Iterator[Path]:
    """Yield the package's modules."""
    return (root / 'mmcomp').rglob('*.py')


def copy_tree(root: Path, folder: Path) -> None:
    """Copy what git knows of a tree, as it is on disk now."""
    listed = subprocess.run(
        ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
        cwd=root,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split('\0')):
        source, target = root / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    mim = folder / 'mmcomp' / '.mim'  # as an editable install makes it
    mim.mkdir(exist_ok=True)
    for name in ('configs', 'tools', 'model-index.yml'):
        (mim / name).symlink_to(Path('..', '..', name))


def run_tests(tests: str, fault: Fault | None, limit: float) -> tuple[str, float, str]:
    """Run tests in a copy of the tree.

    Args:
        tests: Arguments of pytest.
        fault: What is planted first, if anything.
        limit: Seconds after which the tests are stopped.

    Returns:
        tuple: How it ended, the seconds that it took, and what pytest printed.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix='mutant-') as folder:
        copy_tree(ROOT, Path(folder))
        if fault:
            Path(folder, fault.file).write_text(fault.planted(), 'utf-8')
        environment = {**os.environ, 'PYTHONPATH': folder, 'OMP_NUM_THREADS': '1'}
        command = [sys.executable, '-m', 'pytest', '-x', '-n', '0', '--no-header']
        process = subprocess.Popen(
            [*command, '-p', 'no:cacheprovider', *tests.split()],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # so that its children end with it
        )
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return TIMEOUT, time.monotonic() - started, process.communicate()[0]
    end = {FAILED: CAUGHT, PASSED: SURVIVED}.get(process.returncode, BROKEN)
    return end, time.monotonic() - started, output


def check_selections(faults: Sequence[Fault], limit: float, jobs: int) -> list[str]:
    """Run the tests of all faults without any; return those that fail by themselves."""
    selections = list(dict.fromkeys(fault.tests for fault in faults))
    failing = []
    with ThreadPoolExecutor(jobs) as pool:
        results = pool.map(lambda tests: run_tests(tests, None, limit), selections)
        for tests, (end, seconds, output) in zip(selections, results):
            print(f'{seconds:6.1f} s  without a fault: {tests}', flush=True)
            if end != SURVIVED:
                print(output)
                failing.append(tests)
    return failing


def main(arguments: Sequence[str] | None = None) -> int:
    """Plant the faults and print what became of each.

    Returns:
        int: 0 if each was caught, 1 if one survived, 2 if some could not be tried.
    """
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument(
        '--only', nargs='+', default=[''], help='faults whose name holds one of these'
    )
    parser.add_argument('--jobs', type=int, default=1, help='faults at once')
    parser.add_argument('--limit', type=float, default=600, help='seconds for a fault')
    parser.add_argument('--list', action='store_true', help='print the names and stop')
    args = parser.parse_args(arguments)
    faults = [f for f in read_faults() if any(text in f.name for text in args.only)]
    stale = {f.name: f.problem() for f in faults if f.problem()}
    for name, problem in stale.items():
        print(f'STALE     {name}: {problem}')
    faults = [fault for fault in faults if fault.name not in stale]
    if args.list:
        print('\n'.join(fault.name for fault in faults))
        return 2 if stale else 0
    failing = check_selections(faults, args.limit, args.jobs)
    if failing:
        print('These tests fail without a fault:', *failing, sep='\n  ')
        return 2
    ends: dict[str, list[str]] = {}
    with ThreadPoolExecutor(args.jobs) as pool:
        results = pool.map(lambda f: run_tests(f.tests, f, args.limit), faults)
        for fault, (end, seconds, output) in zip(faults, results):
            ends.setdefault(end, []).append(fault.name)
            caught_by = [x for x in output.splitlines() if x.startswith('FAILED')]
            said = caught_by[0].split(' - ')[0][7:] if caught_by else ''
            print(f'{end:9} {seconds:6.1f} s  {fault.name}  {said}', flush=True)
            if end == BROKEN:
                print(output)
    print(', '.join(f'{len(names)} {end}' for end, names in sorted(ends.items())))
    for end in (SURVIVED, BROKEN):
        for name in ends.get(end, []):
            print(f'{end}: {name}')
    if stale or BROKEN in ends:
        return 2
    return 1 if SURVIVED in ends else 0


if __name__ == '__main__':
    sys.exit(main())
