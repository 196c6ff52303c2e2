"""Progress of a long loop, on a terminal and in a log file."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

T = TypeVar('T')

#: Least seconds between two lines in a log file.
_PERIOD = 10.0
#: Seconds between two looks at items that are being worked on.
_REFRESH = 0.5


def track(
    items: Iterable[T],
    total: int,
    title: str,
    done: Callable[[], float] | None = None,
) -> Iterator[T]:
    """Pass ``items`` on and show progress: a bar on a terminal, else a line at times.

    Args:
        items: What is done one by one.
        total: How many there will be.
        title: What is being done.
        done (callable, optional): Returns how many are done, with the shares of those
            that are begun. For items that take long: a thread calls it meanwhile.
    """
    count = 0

    def position() -> float:
        return done() if done is not None and count < total else count

    with ExitStack() as stack:
        if sys.stderr.isatty():
            show = stack.enter_context(_bar(title, total))
        else:
            show = _lines(title, total)
        if done is not None:
            stack.enter_context(_repeating(lambda: show(position())))
        for item in items:
            yield item
            count += 1
            show(position())


@contextmanager
def _bar(title: str, total: int) -> Iterator[Callable[[float], None]]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total)
        yield lambda position: bar.update(task, completed=position)


def _lines(title: str, total: int) -> Callable[[float], None]:
    start = last = time.monotonic()

    def show(position: float) -> None:
        nonlocal last
        now = time.monotonic()
        if position == total or now - last >= _PERIOD:
            last = now
            text = f'{title}: {round(position, 2)}/{total}, {now - start:.0f} s'
            print(text, file=sys.stderr, flush=True)

    return show


@contextmanager
def _repeating(call: Callable[[], None]) -> Iterator[None]:
    """Call a function at times in a thread while the block runs."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(_REFRESH):
            call()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
