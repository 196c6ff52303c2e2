"""The example works outside the repository, with MMPretrain's own tool."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import mmpretrain
import pytest
from runs import REPOSITORY

EXAMPLE = REPOSITORY / 'examples' / 'same_expression'


@pytest.mark.slow
def test_same_expression(tmp_path):
    """Its own pairs, classes and head; MMPretrain's trunk and tool; our operator."""
    lines = [
        line
        for name in ('cosine_head.py', 'same_expression.py')
        for line in (EXAMPLE / name).read_text().splitlines()
    ]
    assert len(lines) < 40
    project = shutil.copytree(EXAMPLE, tmp_path / 'project')
    env = dict(os.environ, PYTHONPATH=str(project), OMP_NUM_THREADS='1')

    def run(*command):
        done = subprocess.run(
            [sys.executable, *map(str, command)],
            cwd=project,
            env=env,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    run('pairs.py', 'tiny')
    train = Path(mmpretrain.__file__).parent / '.mim' / 'tools' / 'train.py'
    text = run(
        train, 'same_expression.py', '--cfg-options', 'train_cfg.max_epochs=2',
        'train_cfg.val_interval=2',
    )  # fmt: skip
    assert 'accuracy/top1' in text
    assert 'pair/error_rate' in text
