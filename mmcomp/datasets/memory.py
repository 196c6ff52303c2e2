"""The memory that this process may still take, also in a container."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

#: Where a control group keeps its limit and its use: version 2 of Linux's, and 1.
_V2 = 'sys/fs/cgroup', 'memory.max', 'memory.current', 'inactive_file'
_V1 = (
    'sys/fs/cgroup/memory',
    'memory.limit_in_bytes',
    'memory.usage_in_bytes',
    'total_inactive_file',
)


def available_memory(root: Path = Path('/')) -> int:
    """Return the bytes that are free: of the machine, or below a container's limit.

    Where it is not known what is free, as on macOS, it is all of the machine's memory.

    Args:
        root: The folder that ``proc`` and ``sys`` are in.
    """
    try:
        text = (root / 'proc/meminfo').read_text(encoding='ascii')
        free = 1024 * int(text.split('MemAvailable:')[1].split()[0])
    except (OSError, IndexError, ValueError):  # not Linux
        free = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    return min([free, *_left_in_groups(root)])


def _left_in_groups(root: Path) -> Iterator[int]:
    """Yield what is left in each control group that this process is in."""
    try:
        lines = (root / 'proc/self/cgroup').read_text(encoding='utf-8').splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        _, controllers, path = line.split(':', 2)
        if controllers and 'memory' not in controllers.split(','):
            continue
        folder, limit, use, reclaimable = _V1 if controllers else _V2
        group = PurePosixPath(path)
        # A limit holds for all groups below. In a container, whose own group may be
        # mounted as the root, the others are not there.
        for own in (group, *group.parents):
            place = root / folder / str(own).lstrip('/')
            try:
                left = int((place / limit).read_text()) - int((place / use).read_text())
                # Files that were read count as used, and make room where it is needed.
                counts = (place / 'memory.stat').read_text().split()
                left += int(counts[counts.index(reclaimable) + 1])
            except (OSError, ValueError):  # not there, or no limit: 'max'
                continue
            yield max(left, 0)
