"""Uploaded files and their folder, without a server."""

import gc
import os
import signal
import subprocess
import sys
import tempfile
import time

import pytest

from mmcomp.demo.uploads import Upload, delete_older, server_folder, size_of

SERVER = """
import time
from mmcomp.demo.uploads import server_folder
with server_folder() as folder:
    (folder / 'face.png').write_bytes(b'a')
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder of temporary files, of this process and of its children."""
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    monkeypatch.setattr(tempfile, 'tempdir', None)
    return tmp_path


def test_an_upload_lives_as_long_as_its_object(temporary):
    """And no longer needs its source, whose space it shares."""
    source = temporary / 'a.png'
    source.write_bytes(b'abc')
    upload = Upload(str(source))
    assert upload.source == str(source)
    assert size_of(temporary) == 3
    source.unlink()
    path = upload.path
    assert path.name == 'a.png'
    assert path.read_bytes() == b'abc'
    del upload
    gc.collect()
    assert not path.parent.exists()


def test_a_deleted_file_cannot_be_kept(temporary):
    with pytest.raises(FileNotFoundError):
        Upload(temporary / 'a.png')


def test_the_folder_of_a_killed_server_goes_at_the_next_start(temporary):
    command = [sys.executable, '-c', SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        left = temporary / process.stdout.readline().strip()
        with server_folder() as own:
            assert left.exists()  # its server runs
            assert own != left
        assert not own.exists()
        os.kill(process.pid, signal.SIGKILL)
    assert left.exists()
    with server_folder():
        assert not left.exists()


def age(path, seconds):
    written = time.time() - seconds
    os.utime(path, (written, written))


def test_old_files_are_deleted(temporary):
    """And their folder, when it has been empty for as long."""
    for name in ('old', 'new'):
        (temporary / name).mkdir()
        (temporary / name / 'a').write_bytes(b'a')
    age(temporary / 'old' / 'a', 301)
    age(temporary / 'new' / 'a', 290)
    delete_older(temporary, 300)
    assert [path.name for path in temporary.rglob('a')] == ['a']
    assert (temporary / 'new' / 'a').exists()
    age(temporary / 'old', 301)
    age(temporary / 'new', 301)
    delete_older(temporary, 300)
    assert [path.name for path in temporary.iterdir()] == ['new']
