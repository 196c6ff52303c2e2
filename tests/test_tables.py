"""The one reader of tables: text as it is written, faults with their lines."""

import json

import pytest

from mmcomp.tables import (
    json_cell,
    parse_frame,
    parse_numbers,
    plain,
    read_json,
    read_table,
    scan_table,
)

TEXTS = ['NA', 'null', 'None', 'nan', '01', '1.0', '1e5', 'True', '-', '/', '=1', 'inf']


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / 'a.csv'
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_no_value_is_guessed(write):
    rows = read_table(write('a,b\n' + ''.join(f'{t},1\n' for t in TEXTS)))
    assert [row.cells for row in rows] == [{'a': t, 'b': '1'} for t in TEXTS]
    assert [row.position for row in rows] == [f'line {i + 2}' for i in range(len(rows))]


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('', 'line 1: the file is empty'),
        ('a,b\n\n', 'line 1: there is no row below the header'),
        ('a;b\n1;2\n', 'line 1: cells are separated by semicolons; they must'),
        ('a\tb\n1\t2\n', 'line 1: cells are separated by tabs; they must be'),
        ('a,b,a\n1,2,3\n', "line 1: column 'a' is in the header 2 times"),
        ('b,c\n1,2\n', "line 1: no column 'a' in the header ('b', 'c')"),
        ('a,b\n1,2\nx, y,z\n', 'line 3: 3 cells where the header has 2; a cell with'),
        ('a,b\n1\n', 'line 2: 1 cells where the header has 2'),
        ('a,b\n1,"2\n', 'line 2: unexpected end of data; is a quotation mark left'),
        ('a,b\nü,2\n'.encode('cp1252'), 'line 2: not UTF-8 but perhaps Windows-1252'),
        ('a,b\n1,2\n'.encode('utf-16'), 'line 1: not UTF-8 but UTF-16; save'),
        ('a,b\n1,\0\n', 'line 2: holds a NUL byte'),
        ('a,b\n1\n2\n', 'line 2: 1 cells where the header has 2; a cell with a comma '
         'needs quotation marks (and 1 more)'),
    ],
)  # fmt: skip
def test_the_first_fault_is_raised_with_file_and_line(write, content, message):
    path = write(content)
    with pytest.raises(ValueError, match='line') as caught:
        read_table(path, ['a'])
    assert str(caught.value).startswith(f'{path}, {message}')
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('end', ['\n', '\r\n', '\r'])
def test_line_breaks_of_each_system(write, end):
    text = 'a,b\n1,"two\nlines"\n2,3\n'
    rows = read_table(write(text.replace('\n', end).encode()))
    assert rows == [
        ('line 2', {'a': '1', 'b': 'two\nlines'}),
        ('line 4', {'a': '2', 'b': '3'}),
    ]


def test_all_faults_and_the_sound_rows(write):
    rows, faults = scan_table(write('a,b\n1\n2,3\n4,5,6\n'))
    assert [row.cells for row in rows] == [{'a': '2', 'b': '3'}]
    assert [fault[:6] for fault in faults] == ['line 2', 'line 4']


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('[' * 100_000, 'nested too deep'),
        ('{"a": 1, "a": 2}', "key 'a' is twice in one object"),
        ('{\n"a" 1}', 'line 2: not JSON'),
        (b'"\xfc"', 'not UTF-8'),
    ],
)
def test_bad_json(write, content, message):
    with pytest.raises(ValueError, match=message):
        read_json(write(content))


def test_values_of_json_are_text(write):
    text = '{"a": 1.0, "b": 1e5, "c": 7, "d": null, "e": true, "f": " NA ", "g": NaN}'
    found = {k: json_cell(v, k) for k, v in read_json(write(text)).items()}
    assert found == dict(a='1.0', b='1e5', c='7', d='', e='true', f='NA', g='NaN')
    for value, message in (
        ([1, 2], 'box is a list; it must be a string or a number'),
        ({}, 'box is a object; it must be'),
        (json.loads('"\\ud800"'), 'box holds a character that is no text'),
        ('a\0', 'box holds a character that is no text'),
    ):
        with pytest.raises(ValueError, match=message):
            json_cell(value, 'box')


@pytest.mark.parametrize(
    ('cell', 'number'),
    [('0', 0), ('46', 46), ('001', 1), (' 46 ', 46), ('46.0', 46), ('6.', 6)]
    + [(cell, None) for cell in ('', ' ', '/', '-', '-1', 'nan', 'N/A')],
)
def test_frame_numbers(cell, number):
    assert parse_frame(cell, 'apex') == number


@pytest.mark.parametrize(
    'cell', ['1,046', '12.5', '4-6', 'inf', 'one', '1e3', '-2', '٣', '9' * 5000]
)
def test_cells_that_are_no_frame_number(cell):
    with pytest.raises(ValueError, match=r'2: apex is .*it must be a frame number'):
        parse_frame(cell, 'line 2: apex')


def test_numbers_name_their_line(write):
    rows = read_table(write('n\n1\n-2.5\nx\n'))
    assert parse_numbers(rows[:2], 'n', float) == [1, -2.5]
    with pytest.raises(ValueError, match=r"^line 4: n is 'x'; it must be a number$"):
        parse_numbers(rows, 'n', float)


def test_plain_names():
    assert plain('Ünal 007') == plain('U\u0308NAL 7') == 'ünal 7'
    assert len({plain(name) for name in ('anna', 'anne', 's10', 's1')}) == 4
