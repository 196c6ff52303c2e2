"""An exported network predicts where there is no PyTorch, nor what comes with it."""

import csv
import os
import subprocess
import sys

import pytest
from networks import write_constant_network

#: Runs a command where only what the extra ``runtime`` brings can be imported.
RUN = '''
import sys
HIDDEN = frozenset(
    'torch torchvision mmengine mmpretrain mmcv sklearn filelock jinja2 joblib '
    'matplotlib rich safetensors scipy statsmodels tabulate threadpoolctl'.split()
)

class Seen:
    """Finds what the others do, but for what is hidden."""

    def __init__(self, finders):
        self.finders = finders

    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] not in HIDDEN:
            found = (f.find_spec(name, path, target) for f in self.finders)
            return next(filter(None, found), None)

sys.meta_path[:] = [Seen(list(sys.meta_path))]
from mmcomp.cli.main import main
main(sys.argv[1:])
'''


def run(*arguments):
    return subprocess.run(
        [sys.executable, '-c', RUN, *map(str, arguments)],
        env=dict(os.environ, OMP_NUM_THREADS='1'),
        text=True,
        capture_output=True,
    )


def test_predict_needs_no_pytorch(make_pair_table, tmp_path):
    network = write_constant_network(
        tmp_path / 'network.onnx', {'posed': 0.25, 'spontaneous': 0.75}
    )
    table = make_pair_table(tmp_path, subjects=1, pairs=1)
    done = run('predict', network, table, '--aligned', '--out', tmp_path / 'out')
    assert done.returncode == 0, done.stderr
    with (tmp_path / 'out' / 'predictions.csv').open(newline='') as stream:
        rows = list(csv.DictReader(stream))
    assert [row['pred_class'] for row in rows] == ['spontaneous', 'spontaneous']
    assert [row['score_posed'] for row in rows] == ['0.25', '0.25']
    assert [row['score_spontaneous'] for row in rows] == ['0.75', '0.75']


def test_pictures_need_matplotlib(tmp_path):
    """Said before anything is predicted."""
    network = write_constant_network(tmp_path / 'network.onnx', {'a': 0, 'b': 1})
    done = run('predict', network, tmp_path / 'a.mp4', '--out', 'x', '--pictures')
    assert done.stderr == (
        'error: --pictures needs Matplotlib: pip install matplotlib\n'
    )


@pytest.mark.parametrize('name', ['train', 'index'])
def test_other_commands_say_what_to_install(name, tmp_path):
    arguments = {
        'train': ['compcnn_comb@2'],
        'index': ['casme2', tmp_path],
    }[name]
    done = run(name, *arguments)
    assert done.returncode == 1
    assert done.stderr.count('\n') == 1
    assert "No module named 'mmengine" in done.stderr
    assert done.stderr.endswith("; run: pip install 'mmcomp[lite]'\n")


def test_help_needs_no_pytorch():
    assert 'cross-validate' in run('--help').stdout
