"""Frames, names and tables."""

import sys

import pytest

from mmcomp.databases import read_frames
from mmcomp.databases.common.files import child
from mmcomp.databases.common.tables import find_table, read_table
from mmcomp.tables import plain

COLUMNS = {'subject': ('subject',), 'apex': ('apexframe', 'apex')}


def test_frames_go_by_the_last_number(root, grow):
    grow('c/img10.jpg', 'c/img9.jpg', 'c/reg_img0011.jpg', 'c/._img12.jpg', 'c/x.txt')
    frames, faults = read_frames(root / 'c')
    assert [(n, p.name) for n, p in frames.items()] == [
        (9, 'img9.jpg'),
        (10, 'img10.jpg'),
        (11, 'reg_img0011.jpg'),
    ]
    assert not faults
    assert read_frames(root / 'nowhere') == ({}, [])


def test_faults_of_frames(root, grow):
    grow('c/1.png', 'c/01.png', 'c/2.png', 'c/6.png', 'c/last.png')
    frames, faults = read_frames(root / 'c')
    assert list(frames) == [1, 2, 6]
    assert faults == [
        '01.png and 1.png have the same number',
        'last.png has no number in its name',
        'frames missing from 1 to 6: 3',
    ]
    grow('every fifth/5.png', 'every fifth/10.png', 'every fifth/15.png')
    assert read_frames(root / 'every fifth')[1] == []


def test_names_without_padding(root, grow):
    assert plain(' S01_ne_01') == plain('s1_NE_1') != plain('s10_ne_1')
    assert plain('s101') == 's101'
    grow('sub01/EP02_01f/1.png', 'sub1.txt')
    assert child(root, 'sub1').name == 'sub01'
    assert child(root, 'sub2') is child(root / 'sub2', 'x') is None


@pytest.mark.parametrize('mark', [',', '\t', ';'])
def test_header_below_notes(table, mark):
    rows = [
        ['Notes, of', 'a; kind'],
        [],
        ['Subject', ' Apex Frame ', 'Notes', 'Notes'],
        ['1', '46', 'a, b; c', ''],
        ['', '', 'no subject', ''],
        ['2', '', ''],
    ]
    path = table('t.csv', rows, mark)
    first, second = read_table(path, COLUMNS)
    assert first == ('t.csv:4', {'subject': '1', 'apex': '46', 'Notes': 'a, b; c'})
    assert second == ('t.csv:6', {'subject': '2', 'apex': '', 'Notes': ''})


@pytest.mark.parametrize('mark', [',', '\t', ';'])
def test_a_row_with_an_unquoted_separator_is_refused(root, mark):
    rows = [['Subject', 'Apex', 'Note'], ['1', '4'], ['2', '46', 'a', 'b']]
    (root / 't.csv').write_text('\n'.join(mark.join(row) for row in rows))
    with pytest.raises(
        ValueError, match=r't\.csv, line 3: 4 cells where the header has 3'
    ):
        read_table(root / 't.csv', COLUMNS)


def test_an_open_quotation_mark_loses_no_rows(root):
    (root / 't.csv').write_text('Subject,Apex\n1,"4\n2,5\n')
    with pytest.raises(ValueError, match=r't\.csv, line 2: unexpected end of data'):
        read_table(root / 't.csv', COLUMNS)


def test_tables_that_cannot_be_read(root, table):
    path = table('t.csv', [['Subject', 'Apex']])
    assert read_table(path, COLUMNS) == []
    with pytest.raises(
        ValueError, match=r"t.csv': no header row with the columns 'subj' or 'person'"
    ):
        read_table(path, {'subject': ('subj', 'person')})
    assert read_table(path, {**COLUMNS, 'x': ('x',)}, optional=['x']) == []
    with pytest.raises(ValueError, match='no such file'):
        read_table(root / 'none.csv', COLUMNS)
    (root / 'gbk.csv').write_bytes('表情,Subject'.encode('gbk'))
    with pytest.raises(ValueError, match=r'line 1: not UTF-8 .*; save the table'):
        read_table(root / 'gbk.csv', COLUMNS)
    (root / 'bad.xlsx').write_bytes(b'not a workbook')
    with pytest.raises(ValueError, match=r'bad\.xlsx'):
        read_table(root / 'bad.xlsx', COLUMNS)


def test_excel_without_its_reader(root, monkeypatch):
    monkeypatch.setitem(sys.modules, 'openpyxl', None)
    (root / 't.xlsx').write_bytes(b'PK\3\4')
    with pytest.raises(
        ValueError, match='pip install openpyxl, or save the table as CSV'
    ):
        read_table(root / 't.xlsx', COLUMNS)


def test_excel(root):
    openpyxl = pytest.importorskip('openpyxl')
    book = openpyxl.Workbook()
    for row in (
        ['Notes'],
        [],
        [None, 'Subject', 'ApexFrame'],
        [None, 6, 46],
        [None, '006', '/'],
        [None, 'NA', True],
    ):
        book.active.append(row)
    book.create_sheet('other')
    book.save(root / 't.xlsx')
    assert read_table(root / 't.xlsx', COLUMNS) == [
        ('t.xlsx:4', {'subject': '6', 'apex': '46'}),
        ('t.xlsx:5', {'subject': '006', 'apex': '/'}),
        ('t.xlsx:6', {'subject': 'NA', 'apex': 'True'}),
    ]


def test_the_one_table(root, table):
    with pytest.raises(ValueError, match=r"no table 'A\*' in .*; name it with --table"):
        find_table(root, 'A*')
    (root / 'docs').mkdir()
    (root / 'docs' / 'A1.xlsx').touch()
    assert find_table(root, 'A*').name == 'A1.xlsx'
    table('A1.csv', [])
    assert find_table(root, 'A*').name == 'A1.csv'
    table('A2.csv', [])
    with pytest.raises(ValueError, match=r'several tables .*: A1\.csv, A2\.csv; name'):
        find_table(root, 'A*')
