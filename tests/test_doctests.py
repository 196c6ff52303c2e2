"""The examples in docstrings run, and give what they show."""

import doctest
import importlib

import pytest
from runs import REPOSITORY

FILES = sorted(p for p in REPOSITORY.glob('mmcomp/**/*.py') if '>>>' in p.read_text())
MODULES = ['.'.join(p.relative_to(REPOSITORY).with_suffix('').parts) for p in FILES]


def test_there_are_examples():
    rooms = {name.split('.')[1] for name in MODULES}
    assert {'models', 'datasets', 'evaluation'} <= rooms


@pytest.mark.parametrize('name', MODULES)
def test_examples(name):
    found = doctest.testmod(importlib.import_module(name))
    assert not found.failed
