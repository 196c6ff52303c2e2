"""What a person sees while an experiment runs."""

import io

import pytest
from rich.console import Console

from mmcomp.experiments.plan import Run
from mmcomp.experiments.progress import Progress


@pytest.mark.parametrize('terminal', [True, False])
def test_names_and_messages_are_shown_as_they_are(terminal):
    """Brackets are no markup, which would vanish or raise."""
    runs = [Run(f'{name}.py', 0, 0) for name in ('[red]x', 'onset-only', 'a+b')]
    stream = io.StringIO()
    console = Console(
        file=stream, force_terminal=terminal, width=200, color_system=None
    )
    progress = Progress(console)
    with progress.showing(runs, runs):
        progress.finished(runs[0], 1.0, (3, 8))
        progress.failed(runs[1], 'folds is [/3]; it must be [0]')
    shown = ' '.join(stream.getvalue().split())  # a terminal breaks lines
    assert '[red]x' in shown
    assert 'folds is [/3]; it must be [0]' in shown
    assert 'onset-only' in shown
