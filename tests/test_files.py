"""Digests, clutter and folders that are links."""

import hashlib
import re
import unicodedata

import pytest

from mmcomp.files import (
    digest,
    entries,
    file_names,
    is_clutter,
    read_object,
    safe_name,
    walk,
    write_text,
)


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


NAMES = ['a/b', 'a_b', '.', '..', ' a', 'a ', '表' * 85, '表' * 86, 'u\u0308', '\u00fc']


def test_names_of_files_are_short_in_bytes_and_unique(tmp_path):
    """A file system allows 255 bytes: 85 Chinese letters and no suffix."""
    for name in NAMES:
        write_text(tmp_path / f'{safe_name(name)}-onset.png', name)
    assert {path.read_text('utf-8') for path in tmp_path.iterdir()} == set(NAMES)
    for name in ('p001', 'smile 1 (a).mp4', 'Zürich', '表' * 50):
        assert safe_name(name) == name


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (None, 'no such file'),
        (b'', r'line 1: not JSON \(Expecting value\)'),
        (b'{"a": 1,\n}', 'line 2: not JSON'),
        (b'[1]', 'it must be an object of JSON'),
        (b'{"a": "\xfc"}', 'not UTF-8'),
        (b'[' * 100_000, 'nested too deep'),
    ],
)
def test_what_is_no_object_of_json_is_named(content, message, tmp_path):
    path = tmp_path / 'a.json'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=f'^{re.escape(str(path))}: {message}'):
        read_object(path)
    path.write_text('{"ü": [1.5, null]}', 'utf-8')
    assert read_object(path) == {'ü': [1.5, None]}


def test_files_of_different_texts_differ_on_any_file_system():
    """Some ignore case; some take both ways to write the letter Å for one name."""
    texts = ['P1', 'p1', 'p2', '\u00c5', '\u212b', 'a/b', 'A/B', 'Straße', 'STRASSE']
    names = file_names(texts)
    assert list(names) == texts
    seen = {unicodedata.normalize('NFC', x).casefold() for x in names.values()}
    assert len(seen) == len(texts)
    assert names['p2'] == 'p2'
    assert names == file_names(texts[::-1])


def test_a_name_of_255_bytes_can_be_written(tmp_path):
    path = tmp_path / ('表' * 85)
    write_text(path, 'whole')
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
