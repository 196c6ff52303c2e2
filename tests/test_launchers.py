"""The launchers of several processes choose ports that do not meet."""

import os
import subprocess
import sys

import pytest
from runs import REPOSITORY

from mmcomp.cli.common import config_from_args, slurm_port
from mmcomp.cli.train import make_parser

LAUNCHERS = {'dist_train.sh': ['c.py', '2'], 'dist_test.sh': ['c.py', 'c.pth', '2']}

#: Stands for tools/train.py: note the port, wait until all four processes are here.
TASK = """
import os, sys, time
from pathlib import Path

folder = Path({folder!r})
name = f'{{os.environ["MASTER_PORT"]}}-{{os.environ["RANK"]}}'
(folder / name).write_text(os.environ['MASTER_ADDR'])
end = time.monotonic() + 240
while len(list(folder.iterdir())) < 4:
    if time.monotonic() > end:
        sys.exit('the other launch did not come')
    time.sleep(0.05)
"""


def launch(script, python, **variables):
    env = {k: v for k, v in os.environ.items() if k not in ('PORT', 'MASTER_PORT')}
    return subprocess.Popen(
        [REPOSITORY / 'tools' / script, *LAUNCHERS[script]],
        env={**env, 'PYTHON': str(python), 'OMP_NUM_THREADS': '1', **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def write_script(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize('script', LAUNCHERS)
@pytest.mark.parametrize(
    ('variables', 'chosen'),
    [
        ({}, '--rdzv_endpoint=localhost:0'),
        ({'PORT': '4001'}, '--master_port=4001'),
        ({'MASTER_PORT': '4002'}, '--master_port=4002'),
        ({'NNODES': '2', 'MASTER_ADDR': 'a'}, '--master_addr=a --master_port=29500'),
    ],
)
def test_a_given_port_wins_and_machines_agree_on_one(
    script, variables, chosen, tmp_path
):
    echo = write_script(tmp_path / 'echo', '#!/bin/sh\necho "$@"\n')
    text, _ = launch(script, echo, **variables).communicate()
    assert chosen in text


@pytest.mark.slow
def test_two_launches_at_once_have_two_ports(tmp_path):
    met = tmp_path / 'met'
    met.mkdir()
    task = tmp_path / 'task.py'
    task.write_text(TASK.format(folder=str(met)))
    replaced = f'"${{@/*train.py/{task}}}"'
    python = write_script(
        tmp_path / 'python', f'#!/bin/bash\nexec {sys.executable} {replaced}\n'
    )
    launches = [launch('dist_train.sh', python) for _ in range(2)]
    texts = [own.communicate(timeout=300)[0] for own in launches]
    assert [own.returncode for own in launches] == [0, 0], texts
    ports = [path.name.split('-')[0] for path in met.iterdir()]
    assert sorted(map(ports.count, set(ports))) == [2, 2]


@pytest.mark.parametrize(
    ('launcher', 'given', 'port'),
    [
        ('slurm', None, '14567'),
        ('slurm', '4001', '4001'),
        ('pytorch', None, None),
    ],
)
def test_a_job_of_slurm_sets_its_port(launcher, given, port, tmp_path, monkeypatch):
    monkeypatch.setenv('LOCAL_RANK', '0')
    monkeypatch.setenv('SLURM_JOB_ID', '1234567')
    monkeypatch.setenv('MASTER_PORT', given or '')
    if not given:
        monkeypatch.delenv('MASTER_PORT')
    config = tmp_path / 'c.py'
    config.touch()
    args = make_parser().parse_args([str(config), '--launcher', launcher])
    config_from_args(args)
    assert os.environ.get('MASTER_PORT') == port


def test_jobs_of_slurm_have_ports_of_their_own():
    """Two that share a machine were most likely submitted after each other."""
    ports = [int(slurm_port(str(job))) for job in range(4_999_000, 5_009_000)]
    assert len(set(ports)) == 10000
    assert min(ports) > 1024
    assert max(ports) < 32768  # where Linux takes ports for clients from
