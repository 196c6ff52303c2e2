"""What a user may hand over, as items: names, folders, tables, and what is no input."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcomp.apis.inputs import items
from mmcomp.files import safe_name

IMAGE = np.zeros((4, 4), np.uint8)


def names(inputs):
    return [item.name for item in items(inputs)]


@pytest.fixture
def folder(tmp_path):
    """Two videos, a folder of frames, an empty one, and what systems leave behind."""
    root = tmp_path / 'a folder'
    for name in ('frames', 'empty', '.ipynb_checkpoints', '__MACOSX'):
        (root / name).mkdir(parents=True)
    cv2.imwrite(str(root / 'frames' / 'img1.png'), IMAGE)
    for name in ('b.mp4', 'a.AVI', '._a.avi', '__MACOSX/._b.mp4', 'notes.txt'):
        (root / name).touch()
    (root / '.ipynb_checkpoints' / 'a-checkpoint.mp4').touch()
    return root


def test_a_folder(folder):
    found = {item.name: item for item in items(folder)}
    assert list(found) == ['a.AVI', 'b.mp4', 'empty', 'frames']
    assert found['a.AVI'].path('clip') == str(folder / 'a.AVI')
    assert found['frames'].path('clip') == str(folder / 'frames')
    reason = f'{folder / "empty"}: no video or frame in this folder'
    assert [item.reason for item in found.values()] == ['', '', reason, '']


def test_lists_and_generators(folder):
    inputs = [(IMAGE, IMAGE), str(folder / 'b.mp4'), folder / 'frames']
    expected = ['pair0', 'b.mp4', 'frames']
    assert names(inputs) == names(iter(inputs)) == names(x for x in inputs) == expected
    assert names((IMAGE, IMAGE)) == ['pair0']
    endless = (folder / 'b.mp4' for _ in iter(int, 1))
    stream = items(endless)
    assert [next(stream).name for _ in range(2)] == ['b.mp4', 'b.mp4 (2)']


def test_equal_names_are_numbered_and_keep_their_paths():
    """In other folders, of other letters for some file systems, or already numbered."""
    inputs = ['1/a.mp4', '2/a.mp4', '3/A.mp4', 'a.mp4 (2)', '4/a.mp4']
    inputs += [('1/on.png', '1/apex.png'), ('2/on.png', '2/apex.png')]
    inputs += ['x\u0308.mp4', '\u1e8d.mp4']
    found = list(items(inputs))
    assert [item.name for item in found] == [
        'a.mp4', 'a.mp4 (2)', 'A.mp4 (3)', 'a.mp4 (2) (2)', 'a.mp4 (4)',
        'on+apex', 'on+apex (2)', 'x\u0308.mp4', '\u1e8d.mp4 (2)',
    ]  # fmt: skip
    assert [item.path('clip') for item in found[:5]] == inputs[:5]
    assert [found[6].path(c) for c in ('onset', 'apex')] == ['2/on.png', '2/apex.png']


@given(st.lists(st.text(), max_size=6))
def test_file_names_are_unique_by_construction(texts):
    found = names([(f'{text}.png', '/a.png') for text in texts])
    files = [safe_name(name).casefold() for name in found]
    assert len(set(files)) == len(texts)
    assert all('/' not in file and len(file.encode()) <= 200 for file in files)


def test_bytes_that_are_no_text(tmp_path):
    (item,) = items('a\udce9.mp4')
    assert item.name == item.path('clip') == 'a?.mp4'


def test_repeated_and_missing_ids(tmp_path):
    table = tmp_path / 'clips.csv'
    table.write_text('sample_id,clip\nx,1/a.mp4\nx,2/a.mp4\n,3/a.mp4\n')
    found = list(items([table, table]))
    expected = ['x', 'x (2)', 'line 4', 'x (3)', 'x (4)', 'line 4 (2)']
    assert [item.name for item in found] == expected
    assert found[1].path('clip') == str(tmp_path / '2' / 'a.mp4')


def test_cells_of_a_table_are_text(tmp_path):
    table = tmp_path / 'clips.csv'
    table.write_text('sample_id,clip,onset_frame,label\nNA,01,001,None\n1.0,null, / ,')
    assert [item.row for item in items(table)] == [
        {'sample_id': 'NA', 'clip': '01', 'onset_frame': '001', 'label': 'None'},
        {'sample_id': '1.0', 'clip': 'null', 'onset_frame': '/', 'label': ''},
    ]


def test_images_of_a_table_come_before_its_clip(tmp_path):
    table = tmp_path / 'pairs.csv'
    table.write_text('clip,onset,apex\na.mp4,1.png,2.png\nb.mp4,,2.png\n')
    first, second = items(table)
    assert (first.path('clip'), first.path('onset')) == (None, str(tmp_path / '1.png'))
    assert second.path('clip') == str(tmp_path / 'b.mp4')


def test_one_bad_table_does_not_end_the_others(tmp_path):
    other, short = tmp_path / 'other.csv', tmp_path / 'short.csv'
    other.write_text('a,b\n1,2\n')
    short.write_text('sample_id,clip\na,b.mp4,\n')
    found = list(items([other, short, tmp_path / 'none.csv', 'a.mp4']))
    assert [item.name for item in found] == [
        'other.csv', 'short.csv', 'none.csv', 'a.mp4',
    ]  # fmt: skip
    for item, reason in zip(
        found,
        (
            "columns are a, b; they must include 'onset' and 'apex', or 'clip'",
            'line 2: 3 cells where the header has 2',
            'none.csv: no such file',
            '',
        ),
    ):
        assert reason in item.reason
    assert found[3].reason == ''


@pytest.mark.parametrize(
    ('inputs', 'message'),
    [
        ((1, 2, 3), 'length of a pair is 3; it must be 2'),
        (7, 'input is 7; it must be a path or a tuple'),
        ([['a.mp4']], r"input is \['a.mp4'\]; it must be"),
        (IMAGE, 'it must be a path or a tuple'),
    ],
)
def test_what_is_no_input(inputs, message):
    with pytest.raises(ValueError, match=message):
        list(items(inputs))
