"""OpenCV without its remarks on a network, which do not help users."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

_LOG_LEVEL_ERROR = 2  # cv2.utils.logging.LOG_LEVEL_ERROR, which OpenCV 4 lacks

_loading = threading.Lock()  # the level of OpenCV's log is one for all threads


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """Let OpenCV report errors only while the block runs, in one thread at a time."""
    logging = getattr(cv2.utils, 'logging', cv2)  # OpenCV 4 has both functions in cv2
    with _loading:
        level = logging.getLogLevel()
        logging.setLogLevel(_LOG_LEVEL_ERROR)
        try:
            yield
        finally:
            logging.setLogLevel(level)
