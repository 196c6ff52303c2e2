"""Miniature trees, below folders with spaces and an @."""

import csv
import inspect

import cv2
import numpy as np
import pytest

from mmcomp.databases import Database, index_database


@pytest.fixture
def root(tmp_path):
    """An empty folder with an awkward name."""
    folder = tmp_path / 'my data @ home, ü'
    folder.mkdir()
    return folder


@pytest.fixture
def grow(root):
    """``grow('a/b.png', ...)`` makes small images, and files that are none."""
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    data = cv2.imencode('.png', image)[1].tobytes()

    def make(*paths):
        for path in paths:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)

    return make


@pytest.fixture
def table(root):
    """``table(name, rows)`` writes rows as CSV and returns its path."""

    def write(name, rows, delimiter=','):
        with (root / name).open('w', encoding='utf-8', newline='') as stream:
            csv.writer(stream, delimiter=delimiter).writerows(rows)
        return root / name

    return write


@pytest.fixture
def index(root):
    """``index(name, **options)`` indexes the tree."""
    return lambda name, **options: index_database(name, root, **options)


@pytest.fixture
def problems_of():
    """``problems_of(index)``: problems as a set of (kind, place, detail)."""
    return lambda index: {tuple(problem) for problem in index.problems}


@pytest.fixture
def read(tmp_path):
    """``read(index)`` writes the table and reads it back, with its path."""

    def write_and_read(index, name='out @ 1/pairs.csv', **options):
        out = tmp_path / name
        index.write(out, **options)
        with out.open(encoding='utf-8', newline='') as stream:
            return out, list(csv.DictReader(stream))

    return write_and_read


def pytest_generate_tests(metafunc):
    """Give ``database`` every registered class."""
    if 'database' in metafunc.fixturenames:
        from mmcomp.databases import DATABASES

        classes = [c for _, c in sorted(DATABASES.module_dict.items())]
        assert all(issubclass(c, Database) and inspect.getdoc(c) for c in classes)
        metafunc.parametrize('database', classes, ids=lambda c: c.name)
