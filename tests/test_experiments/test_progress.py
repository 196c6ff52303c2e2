"""What a person sees while an experiment runs."""

import io

from rich.console import Console

from mmcomp.experiments.plan import Run
from mmcomp.experiments.progress import Progress


def test_brackets_are_text():
    """Rich would take '[old]' for a style, and end the experiment at '[/data]'."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=120, color_system=None)
    run = Run('net[old].py', fold=0, seed=0)
    progress = Progress(console)
    with progress.showing([run], [run]):
        progress.failed(run, '[Errno 28] no space left on [/data]')
    shown = ' '.join(stream.getvalue().split())
    assert 'net[old] fold 0 seed 0: FAILED: [Errno 28] no space left on [/data]' in shown
