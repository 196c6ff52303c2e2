"""Digests, clutter and folders that are links."""

import hashlib

import pytest

from mmcomp.files import digest, entries, is_clutter, walk


def test_digest_is_of_contents_in_order(tmp_path):
    a, b = tmp_path / 'a', tmp_path / 'b'
    a.write_bytes(b'one')
    b.write_bytes(b'two')
    parts = [hashlib.sha256(text).digest() for text in (b'one', b'two')]
    assert digest([a, b]) == hashlib.sha256(b''.join(parts)).hexdigest()
    assert digest([a, b]) != digest([b, a])
    before = digest([a])
    a.rename(tmp_path / 'c')
    assert digest([tmp_path / 'c']) == before
    with pytest.raises(OSError, match='a'):
        digest([a])


@pytest.mark.parametrize(
    'name',
    [
        '._00003.png',
        '.DS_Store',
        '.ipynb_checkpoints',
        '__MACOSX',
        'Thumbs.db',
        '@eaDir',
    ],
)
def test_clutter(name):
    assert is_clutter(f'clips/{name}')
    assert not is_clutter(f'{name}/clip.mp4')  # what is inside is not asked for


def test_walk_follows_links_without_clutter_or_loops(tmp_path):
    root = tmp_path / 'root'
    for name in ('root/b/x', 'root/__MACOSX/b', 'root/.hidden', 'elsewhere/y'):
        (tmp_path / name).mkdir(parents=True)
    (root / 'a').symlink_to(tmp_path / 'elsewhere')
    (root / 'b' / 'again').symlink_to(root)
    (root / 'c').symlink_to(root / 'b' / 'x')
    names = [folder.relative_to(root).as_posix() for folder in walk(root)]
    assert names == ['.', 'a', 'a/y', 'b', 'b/x', 'c']
    assert [path.name for path in entries(root)] == ['a', 'b', 'c']
