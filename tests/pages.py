"""README.md and docs/, and the commands that they give."""

import re
import shlex

import pytest
from runs import REPOSITORY

PAGES = [REPOSITORY / 'README.md', *sorted((REPOSITORY / 'docs').rglob('*.md'))]


def commands(page):
    """Lines that call a tool, in any block, with their variables filled in."""
    text = page.read_text().replace('\\\n', ' ')
    values = dict(re.findall(r'^(\w)=(\S+)$', text, re.M))
    text = re.sub(r'python -m benchmarks\.(\w+)', r'python benchmarks/\1.py', text)
    tool = r'^(?: {4})?(?:python )?((?:tools|benchmarks)/\w+\.\w+\b.*)'
    for line in re.findall(tool, text, re.M):
        line = re.sub(r'\$(\w)\b', lambda found: values[found[1]], line)
        yield shlex.split(line, comments=True)


def each_page(pages=PAGES, marks=lambda text: ()):
    """A decorator: the test takes ``page``; ``marks`` gives markers for its text."""
    return pytest.mark.parametrize(
        'page',
        [
            pytest.param(
                page,
                id=str(page.relative_to(REPOSITORY)),
                marks=marks(page.read_text(encoding='utf-8')),
            )
            for page in pages
        ],
    )
