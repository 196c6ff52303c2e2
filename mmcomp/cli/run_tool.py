"""What all tools do alike; imports nothing heavy."""

import logging
import os
import re
import sys
from collections.abc import Callable
from importlib.util import find_spec

#: Said where a config names a class that is not there, or an argument it does not have.
MISTAKE = r'unexpected keyword argument|takes no arguments|is not in the \S+ registry'

INTERRUPTED = 130  # the exit code of shells after Ctrl+C


def run_tool(main: Callable[[], None]) -> None:
    """Run a tool; what a user can mend ends in one message instead of a traceback.

    The traceback is shown when MMCOMP_DEBUG is set. PyTorch unpickles nothing that
    could run code, whoever calls it, in this process and its children.
    """
    os.environ.pop('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', None)
    os.environ['TORCH_FORCE_WEIGHTS_ONLY_LOAD'] = '1'
    # A log on a full disk would print a traceback for each of its lines.
    logging.raiseExceptions = False
    # OpenMP reads this when PyTorch is imported. By default, threads that wait for
    # another one keep their core busy, and a step on busy cores takes three times as
    # long.
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    try:
        main()
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        sys.exit(INTERRUPTED)
    except (ValueError, OSError, ImportError) as error:
        if os.environ.get('MMCOMP_DEBUG'):
            raise
        sys.exit(f'error: {error}{_advice(error)}')
    except (TypeError, KeyError) as error:
        text = ' '.join(str(error.args[0] if error.args else '').split())
        if os.environ.get('MMCOMP_DEBUG') or not re.search(MISTAKE, text):
            raise
        sys.exit(f'error: {text.partition(". Please")[0]}')


def _advice(error: Exception) -> str:
    """Return how to get what mmcomp needs but an exported network does not."""
    missing = isinstance(error, ModuleNotFoundError) and not find_spec('torch')
    return "; run: pip install 'mmcomp[lite]'" if missing else ''
