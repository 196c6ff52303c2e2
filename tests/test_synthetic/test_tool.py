"""tools/synthesize.py: every command runs, every user error is one line."""

import functools
import importlib.util
from pathlib import Path

import cv2
import pytest

from mmcomp.cli import run_tool

TOOL = Path(__file__).parents[2] / 'tools' / 'synthesize.py'


@pytest.fixture(scope='module')
def main():
    spec = importlib.util.spec_from_file_location('synthesize', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def test_commands_on_a_dataset(main, tiny, tmp_path, capsys):
    main(['render', 'tiny', '--out', str(tiny.parent)])
    assert capsys.readouterr().out == f'{tiny / "pairs.csv"}\n'
    main(['oracle', str(tiny)])
    assert 'logistic: 10 errors of 72, 13.89%' in capsys.readouterr().out
    main(['verify', str(tiny)])
    assert capsys.readouterr().out == 'unchanged\n'
    main(['sheet', str(tiny), '--out', str(tmp_path / 'sheet.png'), '--pairs', '4'])
    assert cv2.imread(str(tmp_path / 'sheet.png')) is not None


@pytest.mark.slow
def test_clip(main, tmp_path):
    out = tmp_path / 'clip.avi'
    main(
        [
            'clip',
            '--emotion',
            'anger',
            '--fps',
            '5',
            '--seconds',
            '2',
            '--out',
            str(out),
        ]
    )
    assert out.stat().st_size > 1000
    assert out.with_suffix('.json').is_file()


def test_errors_are_one_line(main, tmp_path):
    for arguments in (
        ['oracle', str(tmp_path)],
        ['verify', str(tmp_path)],
        ['clip', '--out', str(tmp_path / 'clip.gif'), '--seconds', '2'],
    ):
        with pytest.raises(SystemExit, match=r'^error: .+$'):
            run_tool(functools.partial(main, arguments))
