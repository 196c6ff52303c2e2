"""What all tools do alike; imports nothing heavy."""

import os
import sys
from collections.abc import Callable
from importlib.util import find_spec


def run_tool(main: Callable[[], None]) -> None:
    """Run a tool; what a user can mend ends in one message instead of a traceback.

    The traceback is shown when MMCOMP_DEBUG is set.
    """
    try:
        main()
    except (ValueError, OSError, ImportError) as error:
        if os.environ.get('MMCOMP_DEBUG'):
            raise
        sys.exit(f'error: {error}{_advice(error)}')
    except TypeError as error:
        # Of a class that a config names, by an argument that it does not have.
        if os.environ.get('MMCOMP_DEBUG') or 'unexpected keyword' not in str(error):
            raise
        sys.exit(f'error: {" ".join(str(error).split())}')


def _advice(error: Exception) -> str:
    """Return how to get what mmcomp needs but an exported network does not."""
    missing = isinstance(error, ModuleNotFoundError) and not find_spec('torch')
    return "; run: pip install 'mmcomp[lite]'" if missing else ''
