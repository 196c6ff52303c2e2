"""What a person sees while an experiment runs."""

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .plan import Run


class Progress:
    """A live table on a terminal, a line for each run elsewhere.

    Args:
        console (Console, optional): Defaults to standard error.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)

    @contextlib.contextmanager
    def showing(self, runs: list[Run], pending: list[Run]) -> Iterator[None]:
        """Show the state of ``runs``, of which ``pending`` are still to do."""
        self._total: dict[str, int] = defaultdict(int)
        self._done: dict[str, int] = defaultdict(int)
        self._failed: dict[str, int] = defaultdict(int)
        self._errors: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        self._last = ''
        self._pending, self._ended, self._started = len(pending), 0, time.time()
        todo = set(pending)
        for run in runs:
            self._total[run.name] += 1
            self._done[run.name] += run not in todo
        self._all = len(runs)
        if not self.console.is_terminal:
            self.console.print(
                f'{len(runs)} runs, {len(pending)} to do', highlight=False
            )
            yield
            return
        with Live(
            console=self.console, refresh_per_second=2, get_renderable=self._table
        ):
            yield

    def finished(self, run: Run, seconds: float, counts: tuple[int, int]) -> None:
        """Note a run that is done: its seconds, and its errors and predictions."""
        self._done[run.name] += 1
        for index, count in enumerate(counts):
            self._errors[run.name][index] += count
        errors, total = counts
        self._note(f'{run}: {errors}/{total} errors, {seconds:.0f} s')

    def failed(self, run: Run, reason: str) -> None:
        """Note a run that failed."""
        self._failed[run.name] += 1
        self._note(f'{run}: FAILED: {reason.strip().splitlines()[-1]}')

    def _note(self, text: str) -> None:
        self._ended += 1
        self._last = text
        if not self.console.is_terminal:
            done = self._all - self._pending + self._ended
            self.console.print(
                f'[{done}/{self._all}] {text}; {self._left()}',
                highlight=False,
                markup=False,
            )

    def _left(self) -> str:
        remaining = self._pending - self._ended
        if not remaining or not self._ended:
            return '' if remaining else 'all done'
        seconds = (time.time() - self._started) / self._ended * remaining
        return f'about {_duration(seconds)} left'

    def _table(self) -> Table:
        elapsed = _duration(time.time() - self._started)
        caption = ' · '.join(filter(None, [self._last, elapsed, self._left()]))
        # Text: brackets in names and messages are no markup.
        table = Table(caption=Text(caption), caption_justify='left')
        for column in ('method', 'done', 'failed', 'errors so far', '%'):
            table.add_column(column, justify='left' if column == 'method' else 'right')
        for name, total in self._total.items():
            errors, tested = self._errors[name]
            table.add_row(
                Text(name),
                f'{self._done[name]}/{total}',
                str(self._failed[name] or ''),
                f'{errors}/{tested}' if tested else '',
                f'{100 * errors / tested:.1f}' if tested else '',
            )
        return table


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f'{hours} h {minutes:02d} min'
    return f'{minutes} min {seconds:02d} s' if minutes else f'{seconds} s'
