"""Progress of a long loop, on a terminal and in a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar('T')

#: Least seconds between two lines in a log file.
_PERIOD = 10.0


def track(items: Iterable[T], total: int, title: str) -> Iterator[T]:
    """Pass ``items`` on and show progress: a bar on a terminal, else a line at times.

    Args:
        items: What is done one by one.
        total: How many there will be.
        title: What is being done.
    """
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track as bar

        yield from bar(items, title, total=total, console=Console(stderr=True))
        return
    start = last = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if done == total or now - last >= _PERIOD:
            last = now
            seconds = f'{now - start:.0f} s'
            print(f'{title}: {done}/{total}, {seconds}', file=sys.stderr, flush=True)
