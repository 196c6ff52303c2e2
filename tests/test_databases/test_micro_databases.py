"""Micro-expressions: CASME II, SAMM, SMIC."""

import pytest

from mmcomp.databases import CASME2
from mmcomp.datasets import read_pair_table

HEADER = ['Subject', 'Filename', '', 'OnsetFrame', 'ApexFrame', 'OffsetFrame', '']
HEADER += ['Action Units', 'Estimated Emotion', '']
CODES = 'CASME2-coding-20140508.csv'


def casme2(grow, table, *rows, frames='CASME2_RAW_selected'):
    """A tree whose clips have frames 46 to 54; rows name clip, codes and emotion."""
    lines = [HEADER]
    for subject, clip, onset, apex, offset, emotion in rows:
        lines.append([subject, clip, '', onset, apex, offset, '', '4+7', emotion, ''])
        if clip != 'EP99':
            folder = f'{frames}/sub{int(subject):02d}/{clip}'
            grow(*(f'{folder}/img{n}.jpg' for n in range(46, 55)))
    table(CODES, lines)


def codes_of(index):
    names = 'sample_id', 'onset_frame', 'apex_frame', 'offset_frame'
    return [tuple(row.get(name) for name in names) for row in index.rows]


def test_casme2_pairs(root, grow, table, index, read):
    casme2(
        grow,
        table,
        (1, 'EP02_01f', 46, 50, 54, 'happiness'),
        (1, 'EP03_02', 47, 49, 53, 'disgust'),
        (26, 'EP18_50', 46, 47, 47, 'surprise'),
        frames='Cropped',
    )
    result = index('casme2')
    assert not result.problems
    out, rows = read(result)
    first = rows[0]
    assert first['sample_id'] == 'sub01-EP02_01f'
    assert (first['subject'], first['label'], first['emotion']) == (
        'sub01',
        'positive',
        'happiness',
    )
    assert first['onset'].endswith('Cropped/sub01/EP02_01f/img46.jpg')
    assert first['apex'].endswith('Cropped/sub01/EP02_01f/img50.jpg')
    assert (out.parent / first['clip']).is_dir()
    checked = read_pair_table(out, ['negative', 'positive', 'surprise'])
    assert [row['apex_frame'] for row in checked] == ['50', '49', '47']


def test_casme2_problems(grow, table, index, problems_of):
    casme2(
        grow,
        table,
        (1, 'EP01', 46, '/', 54, 'repression'),
        (1, 'EP02', 50, 48, 54, 'disgust'),
        (1, 'EP03', 47, 90, 93, 'disgust'),
        (1, 'EP04', 1, 50, 54, 'disgust'),
        (1, 'EP99', 1, 50, 54, 'disgust'),
        (1, 'EP05', 47, 50, 54, 'others'),
        (1, 'EP06', 54, '', 46, 'disgust'),
        (1, 'EP08', 50, 50, 54, 'disgust'),
    )
    grow('CASME2_RAW_selected/sub03/EP07/img1.jpg')
    grow('CASME2_RAW_selected/sub03/.ipynb_checkpoints/img1.jpg')
    result = index('casme2')
    assert codes_of(result) == [
        ('sub01-EP01', 46, None, 54),
        ('sub01-EP02', 50, None, None),
        ('sub01-EP03', 47, None, 93),
        ('sub01-EP04', None, 50, 54),
        ('sub01-EP06', 54, None, None),
        ('sub01-EP08', 50, None, 54),
    ]
    assert all('onset' not in row for row in result.rows)
    base = 'CASME2_RAW_selected/sub01'
    range_ = 'is not among the frames 46 to 54'
    assert problems_of(result) == {
        ('missing apex', f'{CODES}:2', "apex is '/'"),
        (
            'inconsistent frames',
            f'{CODES}:3',
            f'{base}/EP02: not in order: onset 50, apex 48, offset 54',
        ),
        ('inconsistent frames', f'{CODES}:4', f'{base}/EP03: apex 90 {range_}'),
        ('inconsistent frames', f'{CODES}:5', f'{base}/EP04: onset 1 {range_}'),
        ('missing clip', f'{CODES}:6', 'sub01/EP99'),
        ('left out', f'{CODES}:7', 'others is in no class'),
        ('missing apex', f'{CODES}:8', "apex is ''"),
        (
            'inconsistent frames',
            f'{CODES}:8',
            f'{base}/EP06: not in order: onset 54, offset 46',
        ),
        (
            'inconsistent frames',
            f'{CODES}:9',
            f'{base}/EP08: onset and apex are both 50',
        ),
        ('unmatched', 'CASME2_RAW_selected/sub03/EP07', f'no row in {CODES}'),
    }


@pytest.mark.parametrize(
    ('policy', 'expected'),
    [
        ('clip', [('sub01-EP01', 46, None, 54), ('sub01-EP02', 46, None, '')]),
        ('middle', [('sub01-EP01', 46, 50, 54), ('sub01-EP02', 46, None, '')]),
        ('drop', []),
    ],
)
def test_missing_apex(grow, table, index, policy, expected):
    casme2(
        grow,
        table,
        (1, 'EP01', 46, '/', 54, 'sadness'),
        (1, 'EP02', 46, '-', '', 'fear'),
        (1, 'EP03', 46, 48, 54, 'surprise'),
    )
    result = index('casme2', missing_apex=policy)
    expected = [tuple(x if x != '' else None for x in row) for row in expected]
    assert codes_of(result) == [*expected, ('sub01-EP03', 46, 48, 54)]
    assert [p.kind for p in result.problems] == ['missing apex'] * 2
    paired = [row['sample_id'] for row in result.rows if 'apex' in row]
    assert ('sub01-EP01' in paired) == (policy == 'middle')


@pytest.mark.parametrize('policy', ['clip', 'middle', 'drop'])
def test_the_middle_comes_after_the_onset(grow, table, index, policy):
    """Onset 46 and offset 46 or 47 of frames 46 to 54; onset 54 leaves no later one."""
    casme2(
        grow,
        table,
        (1, 'EP01', 46, '/', 46, 'sadness'),
        (1, 'EP02', 46, '/', 47, 'fear'),
        (1, 'EP03', 46, 46, 48, 'surprise'),
        (1, 'EP04', 54, '/', 54, 'surprise'),
        (1, 'EP05', 46, 50, 54, 'fear'),
    )
    rows = index('casme2', missing_apex=policy).rows
    expected = {
        'clip': [None, None, None, None, 50],
        'middle': [None, 47, 47, None, 50],
        'drop': [50],
    }
    assert [row.get('apex_frame') for row in rows] == expected[policy]


def test_classes(grow, table, index, root):
    names = ['disgust', 'Happiness', 'repression', 'surprise', 'others', 'fear']
    casme2(grow, table, *((1, f'EP{i}', 46, 50, 54, n) for i, n in enumerate(names)))
    labels = {
        classes: [row['label'] for row in index('casme2', classes=classes).rows]
        for classes in ('3', '5', 'raw')
    }
    three = ['negative', 'positive', 'negative', 'surprise', 'negative']
    assert labels['3'] == three
    assert labels['5'] == [name.lower() for name in names[:5]]
    assert labels['raw'] == [name.lower() for name in names]
    assert set(labels['5']) == set(CASME2.five_classes)


def test_samm(root, grow, table, index, problems_of, read):
    header = ['Subject', 'Filename', 'Inducement Code', 'Onset Frame', 'Apex Frame']
    header += ['Offset Frame', 'Duration', 'Micro', 'Action Units', 'Estimated Emotion']
    table(
        'SAMM_Micro_FACS_Codes_v2.csv',
        [
            ['Note:', 'Onset Frame is the first, Apex Frame the strongest'],
            ['Subject and more are below'],
            [],
            header,
            ['006', '006_1_2', '1', '5562', '5564', '5566', '', '', '', 'Anger'],
            ['6', '006_1_3', '1', '5562', '-1', '5566', '', '', '', 'Other'],
            ['7', '007_1_1', '1', '10', '12', '14', '', '', '', 'Surprise'],
        ],
    )
    for subject, clip, first in (
        ('006', '006_1_2', 5562),
        ('006', '006_1_3', 5562),
        ('007', '007_1_1', 10),
        ('008', '008_1_1', 10),
    ):
        grow(
            *(
                f'{subject}/{clip}/{subject}_{n:05d}.jpg'
                for n in range(first, first + 5)
            )
        )
    result = index('samm')
    assert codes_of(result) == [
        ('006-006_1_2', 5562, 5564, 5566),
        ('007-007_1_1', 10, 12, 14),
    ]
    name = 'SAMM_Micro_FACS_Codes_v2.csv'
    assert problems_of(result) == {
        ('left out', f'{name}:6', 'other is in no class'),
        ('unmatched', '008/008_1_1', f'no row in {name}'),
    }
    out, rows = read(result)
    assert rows[0]['apex'].endswith('006/006_1_2/006_05564.jpg')
    assert read_pair_table(out, ['negative', 'positive', 'surprise'])
    other = index('samm', classes='5', missing_apex='middle').rows[1]
    assert (other['label'], other['apex_frame']) == ('other', 5564)


def test_smic(root, grow, index, problems_of, read):
    """Trimmed clips: onset is the first frame, and no apex is known."""
    for folder, numbers in {
        's1/micro/negative/s1_ne_01': range(98, 103),
        's1/micro/surprise/s1_sur_02': range(3),
        's10/micro/positive/s10_po_01': (1, 2, 4),
        's1/non_micro/s1_non_01': range(3),
        's1/micro/odd': range(2),
    }.items():
        grow(*(f'{folder}/image{n:06d}.bmp' for n in numbers))
    result = index('smic')
    assert codes_of(result) == [
        ('s01_ne_01', 98, None, 102),
        ('s01_sur_02', 0, None, 2),
        ('s10_po_01', 1, None, 4),
    ]
    assert [row['label'] for row in result.rows] == ['negative', 'surprise', 'positive']
    assert [row['subject'] for row in result.rows] == ['s01', 's01', 's10']
    place = 's10/micro/positive/s10_po_01'
    assert problems_of(result) == {
        ('unmatched', 's1/micro/odd', 'not named like s01_ne_01'),
        ('inconsistent frames', place, f'{place}: frames missing from 1 to 4: 1'),
    }
    middle = index('smic', missing_apex='middle')
    assert [row['apex_frame'] for row in middle.rows] == [100, 1, 2]
    out, _ = read(middle)
    assert read_pair_table(out, ['negative', 'positive', 'surprise'])


def test_smic_e_with_its_table(grow, table, index, problems_of, root):
    for clip in ('s01/s01_ne_01', 's01/s01_ne_02', 's02/s2_po_1'):
        grow(*(f'{clip}/image{n}.jpg' for n in range(100, 110)))
    header = ['Subject', 'Filename', 'FirstF', 'OnsetF', 'ApexF', 'OffsetF', 'LastF']
    path = table(
        'SMIC-HS-E_annotation.csv',
        [
            [*header, 'Emotion'],
            [1, 's1_ne_01', 100, 102, 104, 106, 109, 'negative'],
            [2, 's2_po_01', 100, 103, '/', 106, 109, 'negative'],
            [2, 's2_po_02', 100, 103, 105, 106, 109, 'positive'],
            [2, 's2_po_1', 100, 103, 105, 106, 109, 'positive'],
        ],
    )
    result = index('smic', table=path)
    assert codes_of(result) == [
        ('s01_ne_01', 102, 104, 106),
        ('s01_ne_02', None, None, None),
        ('s02_po_01', 103, None, 106),
    ]
    assert problems_of(result) == {
        ('unmatched', 's01/s01_ne_02', 'no row in the table'),
        ('missing apex', f'{path.name}:3', "apex is '/'"),
        ('contradiction', f'{path.name}:3', 'negative s2_po_1'),
        ('missing clip', f'{path.name}:4', 's2_po_02'),
        (
            'duplicate',
            f'{path.name}:5',
            f's2_po_1 is already in {path.name}:3',
        ),
    }
    without = [
        row[:4] + row[5:] for row in ([*header], [1, 's1_ne_01', 0, 102, 0, 106, 0])
    ]
    older = index('smic', table=table('older.csv', without))
    assert codes_of(older)[0] == ('s01_ne_01', 102, None, 106)
    assert 'missing apex' not in {p.kind for p in older.problems}


def test_two_cameras_in_one_root(grow, index):
    grow('HS/s1/micro/s1_ne_01/1.bmp', 'VIS/s1/micro/s1_ne_01/1.bmp')
    result = index('smic')
    assert len(result.rows) == 1
    assert result.problems == [
        (
            'duplicate',
            'VIS/s1/micro/s1_ne_01',
            's01_ne_01 is already in HS/s1/micro/s1_ne_01',
        )
    ]
