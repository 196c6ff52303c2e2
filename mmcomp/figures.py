"""Figures as files: the same figure gives the same bytes."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Suffix of each kind of file that a figure can be, and what its date is called.
FORMATS = {'.png': 'Software', '.pdf': 'CreationDate', '.svg': 'Date'}


def encode_figure(figure: 'Figure', suffix: str = '.png', **style: Any) -> bytes:
    """Return a figure as the content of a file.

    Args:
        figure: The figure.
        suffix: One of ``FORMATS``.
        **style: Settings of Matplotlib.
    """
    import matplotlib

    stream = io.BytesIO()
    settings: Any = {'svg.hashsalt': 'mmcomp', 'pdf.fonttype': 42, **style}
    with matplotlib.rc_context(settings):
        metadata = {FORMATS[suffix]: None}
        figure.savefig(stream, format=suffix[1:], metadata=metadata)
    return stream.getvalue()


def check_format(path: str | Path, others: tuple[str, ...] = ()) -> Path:
    """Check the suffix of a picture's path, before any work is done.

    Args:
        path: Where the picture is to be written.
        others: Further suffixes that are allowed.

    Raises:
        ValueError: If nothing can be written in this format.
    """
    path, allowed = Path(path), (*FORMATS, *others)
    if path.suffix not in allowed:
        raise ValueError(
            f'out is {str(path)!r}; it must end in one of {", ".join(allowed)}'
        )
    return path
