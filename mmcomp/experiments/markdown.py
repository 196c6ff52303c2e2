"""Markdown whose structure no name can break."""

from typing import Any

import pandas as pd


def one_line(value: Any) -> str:
    """Return a value as text without line breaks.

    Examples:
        >>> one_line('two\\nlines')
        'two lines'
    """
    return ' '.join(str(value).splitlines())


def cell(value: Any) -> str:
    r"""Return a value as the text of a cell.

    Examples:
        >>> print(cell('a|b'))
        a\|b
    """
    return one_line(value).replace('\\', r'\\').replace('|', r'\|')


def markdown_table(frame: pd.DataFrame) -> str:
    """Return a table of strings in Markdown."""
    escaped = frame.map(cell).rename(columns=cell)
    return escaped.to_markdown(index=False, disable_numparse=True)
