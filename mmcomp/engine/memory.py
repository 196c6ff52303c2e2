"""Memory that is freed and allocated again in each step."""

import contextlib
import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
BYTES = 1 << 30


def keep_freed_memory() -> None:
    """Make glibc keep freed blocks of up to 1 GB for this process.

    By default it gives large ones back to the kernel, which fills them with zeros when
    the next step asks for them: up to a million page faults in four small epochs, and
    4 to 20 % of the time. Does nothing where there is no glibc.
    """
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL('libc.so.6')
        for name in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
            libc.mallopt(name, BYTES)
