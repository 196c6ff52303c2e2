"""Time and memory of this process."""

import os
import re
import resource
import time
from collections.abc import Callable
from pathlib import Path

#: When the process was started, in seconds since the epoch.
STARTED = float(os.environ.get('MMCOMP_STARTED', time.time()))


def peak_mb() -> float:
    """Return the peak memory of this process so far, in MB."""
    try:
        status = Path('/proc/self/status').read_text()
    except OSError:  # macOS; on Linux getrusage includes the parent's peak
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return int(re.search(r'VmHWM:\s*(\d+)', status)[1]) / 1024


def timed(functions: dict[str, Callable[[], None]], seconds: float) -> dict[str, list]:
    """Return seconds of single calls; functions take turns, after a warm-up."""
    for function in functions.values():
        for _ in range(3):
            function()
    times: dict[str, list[float]] = {name: [] for name in functions}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(next(iter(times.values()))) < 5:
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            times[name].append(time.perf_counter() - start)
    return times
