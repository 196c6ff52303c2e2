"""The pair table: what is read, and what a user is told about a bad one."""

import csv
import json
import os

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmcomp.datasets import PairDataset, PairTableError, read_pair_table
from mmcomp.datasets.image_store import decode_images
from mmcomp.datasets.pair_table import person_of

HEADER = 'sample_id,subject,onset,apex,label'
GOOD = '1,s1,a.png,b.png,posed'
DAMAGED = 'not an image, or damaged'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Two good images, and one of every bad kind."""
    folder = tmp_path_factory.mktemp('images')
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (16, 16), dtype=np.uint8)
    for name in ('a.png', 'b.png', 'face @ 1, müde 表情.png', 'whole.jpg'):
        cv2.imencode(name[-4:], image)[1].tofile(folder / name)
    for name in ('a.png', 'whole.jpg'):
        data = (folder / name).read_bytes()
        (folder / f'half{name[-4:]}').write_bytes(data[: len(data) // 2])
        (folder / f'open{name[-4:]}').write_bytes(data[:-2])
    data = (folder / 'a.png').read_bytes()
    (folder / 'flipped.png').write_bytes(data[:60] + b'\x55\xaa' + data[62:])
    (folder / 'empty.png').touch()
    (folder / 'text.png').write_text('<html>404 not found</html>')
    (folder / 'folder.png').mkdir()
    return folder


def write(folder, name, content):
    """Write text, bytes, or an object as JSON; None leaves no file."""
    path = folder / name
    path.unlink(missing_ok=True)
    if isinstance(content, (dict, list)):
        content = json.dumps(content)
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def faults_of(call, *args, **kwargs):
    """The faults of a table, after a look at the message that holds them."""
    with pytest.raises(PairTableError) as caught:
        call(*args, **kwargs)
    faults = caught.value.faults
    for fault in faults[:20]:
        assert f'\n  {fault}' in str(caught.value)
    return faults


# ------------------------------------------------------------------- what is read


def test_csv_of_a_spreadsheet(folder):
    """BOM, CRLF, quotes, non-ASCII, blank lines, any order of columns, extra ones."""
    text = (
        'label, place ,subject,"on, off",apex,onset,sample_id\r\n'
        '\r\n'
        'posed,Zürich,Łucja K.,"a ""b"", c","face @ 1, müde 表情.png", a.png ,p 1\r\n'
        ',,,,,,\r\n'
        'spontaneous,,s2,,b.png,./folder.png/../a.png,p@2\r\n'
    )
    path = write(folder, 'table.csv', b'\xef\xbb\xbf' + text.encode())
    first, second = read_pair_table(path)
    assert first == {
        'sample_id': 'p 1',
        'subject': 'Łucja K.',
        'onset': str(folder / 'a.png'),
        'apex': str(folder / 'face @ 1, müde 表情.png'),
        'label': 'posed',
        'place': 'Zürich',
        'on, off': 'a "b", c',
        '_position': 'line 3',
    }
    assert second['onset'] == str(folder / 'a.png')
    assert (second['place'], second['_position']) == ('', 'line 5')


CELLS = st.text(st.characters(codec='utf-8', exclude_characters='\0\r'), max_size=8)


@given(
    ids=st.lists(
        CELLS.map(str.strip).filter(bool), min_size=1, max_size=4, unique=True
    ),
    extra=st.lists(CELLS, min_size=4, max_size=4),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_any_text_comes_back(folder, ids, extra, quoting):
    """Whatever Python's csv module writes is read again, in the order of the rows."""
    path = folder / 'any.csv'
    with path.open('w', encoding='utf-8', newline='') as stream:
        writer = csv.writer(stream, quoting=quoting)
        writer.writerow([*HEADER.split(','), 'extra'])
        for name, cell in zip(ids, extra):
            writer.writerow([name, name, 'a.png', 'b.png', 'posed', cell])
    rows = read_pair_table(path)
    assert [row['sample_id'] for row in rows] == ids
    assert [row['subject'] for row in rows] == ids
    assert [row['extra'] for row in rows] == [c.strip() for c in extra[: len(ids)]]


def test_a_row_over_several_lines_is_named_by_its_first(folder):
    rows = '1,s1,a.png,b.png,posed,"two\nlines"\n2,s1,a.png,b.png,posed,\n'
    path = write(folder, 'table.csv', f'{HEADER},note\n{rows}')
    first, second = read_pair_table(path)
    assert (first['note'], first['_position']) == ('two\nlines', 'line 2')
    assert second['_position'] == 'line 4'


def test_images_may_lie_elsewhere(folder, tmp_path, monkeypatch):
    text = f'{HEADER}\n1,s1,{folder / "a.png"},b.png,posed\n'
    path = write(tmp_path, 'table.csv', text)
    expected = (str(folder / 'a.png'), str(folder / 'b.png'))
    monkeypatch.chdir(folder.parent)
    for root in (folder, str(folder), folder.name):
        (row,) = read_pair_table(path, image_root=root)
        assert (row['onset'], row['apex']) == expected
    monkeypatch.chdir(folder)
    (row,) = read_pair_table(os.path.relpath(path), image_root='.')
    assert (row['onset'], row['apex']) == expected
    with pytest.raises(PairTableError, match=r"line 2: apex 'b\.png': no such file"):
        read_pair_table(path)


def test_other_classes(folder):
    path = write(folder, 'table.csv', f'{HEADER}\n1,s1,a.png,b.png,joy\n')
    (row,) = read_pair_table(path, classes=('anger', 'joy'))
    assert row['label'] == 'joy'


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig'])
def test_json_of_openmmlab(folder, encoding):
    """Labels as names, as ``gt_label`` or as both; values are strings."""
    entry = dict(subject=7, onset='a.png', apex='face @ 1, müde 表情.png')
    content = dict(
        metainfo=dict(classes=['posed', 'spontaneous'], dataset_type='faces'),
        data_list=[
            dict(entry, sample_id='ü', label='spontaneous', intensity=0.5),
            dict(entry, sample_id=2, gt_label=0, light=None),
            dict(entry, sample_id=3, gt_label=1, label='spontaneous'),
        ],
    )
    text = json.dumps(content, ensure_ascii=False)
    rows = read_pair_table(write(folder, 'table.json', text.encode(encoding)))
    images = dict(
        onset=str(folder / 'a.png'), apex=str(folder / 'face @ 1, müde 表情.png')
    )
    assert rows == [
        {
            **images,
            'sample_id': 'ü',
            'subject': '7',
            'label': 'spontaneous',
            'intensity': '0.5',
            '_position': 'data_list[0]',
        },
        {
            **images,
            'sample_id': '2',
            'subject': '7',
            'label': 'posed',
            'light': '',
            '_position': 'data_list[1]',
        },
        {
            **images,
            'sample_id': '3',
            'subject': '7',
            'label': 'spontaneous',
            '_position': 'data_list[2]',
        },
    ]


# ------------------------------------------------------------------- who is who


def people_table(folder, subjects, database=None):
    columns = f'{HEADER},database' if database else HEADER
    rows = [f'{i},{s},a.png,b.png,posed' for i, s in enumerate(subjects)]
    if database:
        rows = [f'{row},{d}' for row, d in zip(rows, database)]
    return write(folder, 'people.csv', '\n'.join([columns, *rows]))


@pytest.mark.parametrize(
    ('subjects', 'shown'),
    [
        (['Anna', 'bob', 'anna'], "'Anna' and 'anna'"),
        (['1', '01', '001', '2'], "'001' and '01' and '1'"),
        (['s1', 's01'], "'s01' and 's1'"),
        (['ü', 'ü'], r"'u\u0308' and 'ü'"),
        (['a1', 'A1', 'b1', 'B1'], "'A1' and 'a1'; 'B1' and 'b1'"),
    ],
)
def test_spellings_of_one_person_are_named(folder, subjects, shown):
    with pytest.warns(UserWarning, match='may be one person in several') as caught:
        rows = read_pair_table(people_table(folder, subjects))
    assert f'people.csv: the subjects {shown} may be one' in str(caught[0].message)
    assert [row['subject'] for row in rows] == subjects


def test_other_people_are_not_warned_of(folder, recwarn):
    read_pair_table(
        people_table(folder, ['s1', 's10', 's11', 'anna', 'anne', '0', 'O'])
    )
    assert not recwarn


def test_equal_subjects_of_two_databases_are_two_people(folder, recwarn):
    path = people_table(folder, ['1', '1', '01'], ['samm', 'casme2', 'casme3'])
    rows = read_pair_table(path)
    assert [row['subject'] for row in rows] == ['samm/1', 'casme2/1', 'casme3/01']
    assert not recwarn
    rows = read_pair_table(people_table(folder, ['1', '2'], ['samm', 'samm']))
    assert [row['subject'] for row in rows] == ['1', '2']
    assert [person_of(row) for row in rows] == ['samm/1', 'samm/2']
    assert faults_of(
        read_pair_table, people_table(folder, ['1', '2'], ['samm', ''])
    ) == ['line 3: database is empty; it must be given in each row, or in none']


@pytest.mark.parametrize('name', [' posed', '', 7])
def test_classes_that_no_table_can_name(folder, name):
    path = write(folder, 'table.csv', f'{HEADER}\n{GOOD}\n')
    assert faults_of(read_pair_table, path, ['posed', name]) == [
        f'class {name!r} must be a string that is there once, without outer blanks'
    ]
    assert 'class' in faults_of(read_pair_table, path, ['posed', 'posed'])[0]


# ------------------------------------------------------------------- what is refused

CLASSES = "'posed', 'spontaneous'"
COMMA = 'a cell with a comma needs quotation marks'
BAD_TABLES = {
    # The file
    'missing file': (None, 'no such file'),
    'empty file': ('', 'line 1: the file is empty'),
    'only blank lines': ('\n \n,,\n', 'line 1: the file is empty'),
    'header only': (f'{HEADER}\n', 'there is no row below the header'),
    'not UTF-8': (
        f'{HEADER}\n{GOOD}\n2,Müller,a.png,b.png,posed\n'.encode('latin-1'),
        'line 3: not UTF-8 but perhaps Windows-1252; save the table as UTF-8',
    ),
    'UTF-16': (
        f'{HEADER}\n{GOOD}\n'.encode('utf-16'),
        'line 1: not UTF-8 but UTF-16; save the table as UTF-8',
    ),
    'NUL byte': (
        f'{HEADER}\n{GOOD}\n2,s\0,a.png,b.png,posed\n',
        'line 3: holds a NUL byte; this is not a text file',
    ),
    # The header
    'missing column': (
        'sample_id,onset,apex,label\n1,a.png,b.png,posed\n',
        "line 1: no column 'subject' in the header ('sample_id', 'onset', 'apex', "
        "'label')",
    ),
    'two missing': (
        'sample_id,subject,apex\n1,s1,b.png\n',
        "line 1: no column 'onset', 'label' in the header ('sample_id', 'subject', "
        "'apex')",
    ),
    'column in capitals': (
        f'{HEADER.replace("apex", "Apex")}\n{GOOD}\n',
        "line 1: no column 'apex' in the header ('sample_id', 'subject', 'onset', "
        "'Apex', 'label')",
    ),
    'no header': (
        f'{GOOD}\n',
        "line 1: no column 'sample_id', 'subject', 'onset', 'apex', 'label' in the "
        "header ('1', 's1', 'a.png', 'b.png', 'posed')",
    ),
    'doubled column': (
        f'{HEADER},subject\n{GOOD},s1\n',
        "line 1: column 'subject' is in the header 2 times",
    ),
    'semicolons': (
        f'{HEADER}\n{GOOD}\n'.replace(',', ';'),
        'line 1: cells are separated by semicolons; they must be separated by commas',
    ),
    'tabs': (
        f'\n{HEADER}\n{GOOD}\n'.replace(',', '\t'),
        'line 2: cells are separated by tabs; they must be separated by commas',
    ),
    'one image twice': (
        f'{HEADER}\n{GOOD}\n2,s1,a.png,./a.png,posed\n',
        "line 3: onset and apex are the same image, 'a.png'",
    ),
    # The form of a row
    'too many fields': (
        f'{HEADER}\n{GOOD}\n2,s1,a.png,b.png,posed,x\n',
        f'line 3: 6 cells where the header has 5; {COMMA}',
    ),
    'too few fields': (
        f'{HEADER}\n\n2,s1,a.png,b.png\n{GOOD}\n',
        f'line 3: 4 cells where the header has 5; {COMMA}',
    ),
    'unclosed quote': (
        f'{HEADER}\n{GOOD}\n2,"s1,a.png,b.png,posed\n3,s1,a.png,b.png,posed\n',
        'line 3: unexpected end of data; is a quotation mark left open?',
    ),
    'quote closed too late': (
        f'{HEADER}\n{GOOD}\n2,"s1,a.png,b.png,posed\n3,"s1",a.png,b.png,posed\n',
        "line 3: ',' expected after '\"'; is a quotation mark left open?",
    ),
    # The content of a row
    'empty sample_id': (
        f'{HEADER}\n,s1,a.png,b.png,posed\n',
        'line 2: sample_id is empty',
    ),
    'empty subject': (f'{HEADER}\n1, ,a.png,b.png,posed\n', 'line 2: subject is empty'),
    'empty path': (f'{HEADER}\n1,s1,a.png,"",posed\n', 'line 2: apex is empty'),
    'empty label': (f'{HEADER}\n1,s1,a.png,b.png,\n', 'line 2: label is empty'),
    'duplicate sample_id': (
        f'{HEADER}\n{GOOD}\n2,s1,a.png,b.png,posed\n 1,s2,a.png,b.png,posed\n',
        "line 4: sample_id '1' is already in line 2",
    ),
    'unknown label': (
        f'{HEADER}\n{GOOD}\n2,s1,a.png,b.png,Posed\n',
        f"line 3: label is 'Posed'; it must be one of {CLASSES}",
    ),
    # The images
    'missing image': (
        f'{HEADER}\n{GOOD}\n2,s1,c.png,b.png,posed\n',
        "line 3: onset 'c.png': no such file",
    ),
    'missing folder of images': (
        f'{HEADER}\n1,s1,a.png,nowhere/b.png,posed\n',
        "line 2: apex 'nowhere/b.png': no such file",
    ),
    'folder as image': (
        f'{HEADER}\n1,s1,a.png,folder.png,posed\n',
        "line 2: apex 'folder.png': is a folder",
    ),
    'zero bytes as image': (
        f'{HEADER}\n{GOOD}\n2,s1,a.png,empty.png,posed\n',
        "line 3: apex '{folder}/empty.png': the file is empty",
    ),
    'text as image': (
        f'{HEADER}\n1,s1,text.png,b.png,posed\n',
        f"line 2: onset '{{folder}}/text.png': {DAMAGED}",
    ),
    **{
        f'damaged image, {name}': (
            f'{HEADER}\n{GOOD}\n2,s1,a.png,{name},posed\n',
            f"line 3: apex '{{folder}}/{name}': {DAMAGED}",
        )
        for name in ('half.png', 'open.png', 'flipped.png', 'half.jpg', 'open.jpg')
    },
}
JSON_ROW = dict(sample_id='1', subject='s1', onset='a.png', apex='b.png', label='posed')
BAD_JSON = {
    'missing file': (None, 'no such file'),
    'empty file': ('', 'line 1: not JSON (Expecting value)'),
    'not UTF-8': (b'{"data_list": ["\xfc"]}', 'not UTF-8 (invalid start byte)'),
    'syntax': (
        '{\n"metainfo": {},\n"data_list": [',
        'line 3: not JSON (Expecting value)',
    ),
    'a list': (
        [JSON_ROW],
        "not in the OpenMMLab 2.0 layout: no list 'data_list'",
    ),
    'COCO layout': (
        dict(images=[], annotations=[]),
        "not in the OpenMMLab 2.0 layout: no list 'data_list'",
    ),
    'data_list of another type': (
        dict(data_list={'1': JSON_ROW}),
        "not in the OpenMMLab 2.0 layout: no list 'data_list'",
    ),
    'no entry': (dict(data_list=[]), "'data_list' is empty"),
    'entry that is no object': (
        dict(data_list=[JSON_ROW, ['2', 's1']]),
        'data_list[1] is a list; it must be an object',
    ),
    'other classes': (
        dict(metainfo=dict(classes=['spontaneous', 'posed']), data_list=[JSON_ROW]),
        "metainfo: classes ['spontaneous', 'posed'] differ from the dataset's "
        f'[{CLASSES}]',
    ),
    'classes of another type': (
        dict(metainfo=dict(classes=2), data_list=[JSON_ROW]),
        f"metainfo: classes 2 differ from the dataset's [{CLASSES}]",
    ),
    'missing keys': (
        dict(data_list=[JSON_ROW, dict(sample_id='2', subject='s1', apex='b.png')]),
        "data_list[1]: no 'onset', 'label'",
    ),
    'list as a value': (
        dict(data_list=[JSON_ROW, dict(JSON_ROW, sample_id='2', box=[1, 2])]),
        'data_list[1]: box is a list; it must be a string or a number',
    ),
    'gt_label out of range': (
        dict(data_list=[dict(JSON_ROW, gt_label=2)]),
        f'data_list[0]: gt_label is 2; it must be an index of [{CLASSES}]',
    ),
    'gt_label of another type': (
        dict(data_list=[dict(JSON_ROW, gt_label='0')]),
        f"data_list[0]: gt_label is '0'; it must be an index of [{CLASSES}]",
    ),
    'two labels': (
        dict(data_list=[dict(JSON_ROW, gt_label=1)]),
        "data_list[0]: gt_label 1 means 'spontaneous', but label is 'posed'",
    ),
    'duplicate sample_id': (
        dict(data_list=[JSON_ROW, dict(JSON_ROW, sample_id=1)]),
        "data_list[1]: sample_id '1' is already in data_list[0]",
    ),
    'missing image': (
        dict(data_list=[dict(JSON_ROW, onset='c.png')]),
        "data_list[0]: onset 'c.png': no such file",
    ),
    'damaged image': (
        dict(data_list=[dict(JSON_ROW, onset='half.png')]),
        f"data_list[0]: onset '{{folder}}/half.png': {DAMAGED}",
    ),
}


@pytest.mark.parametrize('cache', ['ram', 'none'])
@pytest.mark.parametrize(
    ('name', 'content', 'fault'),
    [
        pytest.param(name, *case, id=f'{name[6:]}, {kind}')
        for name, cases in (('table.csv', BAD_TABLES), ('table.json', BAD_JSON))
        for kind, case in cases.items()
    ],
)
def test_bad_table_is_refused(folder, name, content, fault, cache):
    path = write(folder, name, content)
    with pytest.raises(PairTableError) as caught:
        PairDataset(str(path), cache=cache)
    fault = fault.format(folder=folder)
    assert str(caught.value) == f'pair table {str(path)!r} has 1 fault:\n  {fault}'


def test_all_faults_at_once(folder):
    rows = (
        '1,s1,c.png,b.png,Posed\n'
        '2,s1,a.png\n'
        '\n'
        '1,,folder.png,,posed\n'
        '3,"s1,a.png,b.png,posed\n'
    )
    path = write(folder, 'table.csv', f'{HEADER}\n{rows}')
    assert sorted(faults_of(read_pair_table, path)) == sorted(
        [
            f"line 2: label is 'Posed'; it must be one of {CLASSES}",
            "line 2: onset 'c.png': no such file",
            f'line 3: 3 cells where the header has 5; {COMMA}',
            "line 5: sample_id '1' is already in line 2",
            'line 5: subject is empty',
            'line 5: apex is empty',
            "line 5: onset 'folder.png': is a folder",
            'line 6: unexpected end of data; is a quotation mark left open?',
        ]
    )


def test_every_duplicate_names_the_first_row(folder):
    rows = ''.join(f'{i},s1,a.png,b.png,posed\n' for i in (7, 8, 7, 7))
    path = write(folder, 'table.csv', f'{HEADER}\n{rows}')
    assert faults_of(read_pair_table, path) == [
        "line 4: sample_id '7' is already in line 2",
        "line 5: sample_id '7' is already in line 2",
    ]


def test_all_damaged_images_at_once(folder):
    rows = (
        '1,s1,half.png,text.png,posed\n'
        '2,s1,a.png,b.png,posed\n'
        '3,s1,a.png,empty.png,posed\n'
    )
    path = write(folder, 'table.csv', f'{HEADER}\n{rows}')
    assert faults_of(PairDataset, str(path)) == [
        f"line 2: onset '{folder}/half.png': {DAMAGED}",
        f"line 2: apex '{folder}/text.png': {DAMAGED}",
        f"line 4: apex '{folder}/empty.png': the file is empty",
    ]


@pytest.mark.parametrize('count', [20, 21, 45])
def test_message_lists_twenty_faults(folder, count):
    rows = ''.join(f'{i},s1,a.png,b.png,x\n' for i in range(count))
    path = write(folder, 'table.csv', f'{HEADER}\n{rows}')
    with pytest.raises(PairTableError) as caught:
        read_pair_table(path)
    first, *lines = str(caught.value).split('\n')
    assert first == f'pair table {str(path)!r} has {count} faults:'
    expected = [
        f"  line {i + 2}: label is 'x'; it must be one of {CLASSES}" for i in range(20)
    ]
    if count > 20:
        expected.append(f'  ... and {count - 20} more')
    assert lines == expected
    assert len(caught.value.faults) == count


def test_an_image_that_vanished_is_named(folder):
    path = write(folder, 'table.csv', f'{HEADER}\n{GOOD}\n')
    rows = read_pair_table(path)

    def load(image):
        if image.endswith('a.png'):
            raise FileNotFoundError(2, 'No such file or directory', image)
        raise MemoryError

    assert faults_of(decode_images, path, rows, load) == [
        f"line 2: onset '{folder}/a.png': [Errno 2] No such file or directory: "
        f"'{folder}/a.png'",
        f"line 2: apex '{folder}/b.png': MemoryError",
    ]


# ------------------------------------------------------------------- datasets of it

KFOLD = dict(type='mmcomp.SubjectKFold', n_splits=2)


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(cache='disk'), "cache is 'disk'; it must be one of 'ram', 'none'"),
        (
            dict(control='mirror'),
            "control is 'mirror'; it must be one of None, 'onset-only', 'apex-only', "
            "'swapped', 'shuffled-labels'",
        ),
        (
            dict(split=KFOLD, subset='dev'),
            "subset is 'dev'; it must be one of 'train', 'val', 'test', 'all'",
        ),
        (dict(subset='train'), "subset is 'train'; without a split it must be 'all'"),
        (
            dict(split=dict(KFOLD, n_splits=10), subset='train'),
            'n_splits is 10; it must be at most 2, the number of subjects',
        ),
        (
            dict(split=dict(KFOLD, fold=2), subset='train'),
            'fold is 2; it must be between 0 and 1',
        ),
        (
            dict(split=dict(KFOLD, val_folds=1), subset='train'),
            'val_folds is 1; it must be between 0 and 0, to leave a fold for training',
        ),
        (
            dict(split=KFOLD, subset='val'),
            r"subset 'val' of '.*table\.csv' is empty: SubjectKFold\(.*val_folds=0.*\)"
            ' gives it no subject',
        ),
        (
            dict(split=KFOLD, subset='train'),
            "the training subset of .* holds only the class '(posed|spontaneous)'",
        ),
        (
            dict(metainfo=dict(classes=('posed', 'faked'))),
            "line 3: label is 'spontaneous'; it must be one of 'posed', 'faked'",
        ),
        (
            dict(pipeline=[dict(type='mmcomp.PackPairInputs')]),
            r"the first transform is PackPairInputs\(.*\); with cache='ram' it must be "
            'LoadPair',
        ),
    ],
)
def test_impossible_dataset_is_refused(folder, kwargs, message):
    text = f'{HEADER}\n{GOOD}\n2,s2,a.png,b.png,spontaneous\n'
    path = write(folder, 'table.csv', text)
    with pytest.raises(ValueError, match=message):
        PairDataset(str(path), **kwargs)
