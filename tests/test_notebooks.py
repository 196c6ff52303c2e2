"""The notebooks run from the first cell to the last, and show no path of a machine."""

import re

import pytest
from runs import REPOSITORY

FOLDER = REPOSITORY / 'examples' / 'notebooks'
NOTEBOOKS = sorted(FOLDER.glob('*.ipynb'))


@pytest.mark.slow
@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path):
    nbformat = pytest.importorskip('nbformat')
    client = pytest.importorskip('nbclient')
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    resources = {'metadata': {'path': str(FOLDER)}}
    client.NotebookClient(notebook, timeout=300, resources=resources).execute()


@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_saved_with_outputs_but_no_paths(path):
    text = path.read_text(encoding='utf-8')
    assert '"output_type"' in text
    assert not re.search(r'/(?:home|root|tmp|work|Users)/', text)
