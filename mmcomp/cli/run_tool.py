"""What all tools do alike; imports nothing heavy."""

import os
import sys
from collections.abc import Callable


def run_tool(main: Callable[[], None]) -> None:
    """Run a tool; what a user can mend ends in one message instead of a traceback.

    The traceback is shown when MMCOMP_DEBUG is set. PyTorch unpickles nothing that
    could run code, whoever calls it, in this process and its children.
    """
    os.environ.pop('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', None)
    os.environ['TORCH_FORCE_WEIGHTS_ONLY_LOAD'] = '1'
    try:
        main()
    except (ValueError, OSError) as error:
        if os.environ.get('MMCOMP_DEBUG'):
            raise
        sys.exit(f'error: {error}')
