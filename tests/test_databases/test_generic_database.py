"""Patterns and tables: the generic database and USTC-NVIE."""

import pytest

from mmcomp.databases.common.pattern import compile_pattern
from mmcomp.datasets import read_pair_table


def rows_of(index, *names):
    return [tuple(row.get(name) for name in names) for row in index.rows]


@pytest.mark.parametrize(
    ('pattern', 'path', 'groups'),
    [
        (
            '{subject}/{label}/{frame}',
            'a b/posed/1',
            dict(subject='a b', label='posed'),
        ),
        ('{subject}-{take}/{frame}', 'a-b-3/1', dict(subject='a', take='b-3')),
        ('{subject}/{subject}_{label}', 's1/s1_fake', dict(subject='s1', label='fake')),
        ('{subject}/{subject}_{label}', 's1/s2_fake', None),
        ('{label}/**/{subject}/x_*', 'p/q/r/s/x_1', dict(label='p', subject='s')),
        ('{label}/**/{subject}/x_*', 'p/s/x_', dict(label='p', subject='s')),
        ('v.1 (x)/{subject}', 'v.1 (x)/s', dict(subject='s')),
        ('v.1 (x)/{subject}', 'vo1 (x)/s', None),
        ('{label}/{emotion}*', 'p/3a-7', dict(label='p', emotion='3')),
        (r'(?P<subject>\d+)[ab](?P<label>.)', '12ap', dict(subject='12', label='p')),
    ],
)
def test_patterns(pattern, path, groups):
    match = compile_pattern(pattern).fullmatch(path)
    found = match and {k: v for k, v in match.groupdict().items() if k != 'frame'}
    assert found == groups


def test_patterns_that_are_none(index):
    for pattern, message in (
        ('(?P<subject>', 'missing'),
        ('a/b', 'must name something'),
        ('{subject}/x', 'it must also name label'),
    ):
        with pytest.raises(ValueError, match=message):
            index('generic', pattern=[pattern])
    with pytest.raises(ValueError, match='pattern and table are missing'):
        index('generic')
    with pytest.raises(ValueError, match="labels: 'fake' must have the form A=B"):
        index('generic', pattern=['{subject}/{label}'], labels=['fake'])


def test_videos_and_folders_of_frames(root, grow, index, problems_of, read):
    grow('ann/fake/joy/a.b.avi', 'ann/fake/joy.mov')
    grow(*(f'Bob/real/JOY/{n}.png' for n in (2, 10, 11)), 'odd.png')
    result = index('generic', pattern=['{subject}/{label}/{emotion}/{take}'])
    assert rows_of(result, 'sample_id', 'subject', 'label', 'emotion', 'take') == [
        ('ann__fake__joy__a.b', 'ann', 'posed', 'joy', 'a.b'),
    ]
    assert {kind for kind, *_ in problems_of(result)} == {'unmatched', 'ambiguous'}
    result = index(
        'generic',
        pattern=['{subject}/{label}/{emotion}/{frame}', '{subject}/{label}/{emotion}'],
    )
    assert rows_of(result, 'sample_id', 'subject', 'label', 'emotion') == [
        ('Bob__real__JOY', 'Bob', 'spontaneous', 'joy'),
        ('ann__fake__joy', 'ann', 'posed', 'joy'),
        ('ann__fake__joy__a.b', 'ann', 'posed', 'joy'),
    ]
    assert problems_of(result) == {
        ('unmatched', 'odd.png', 'no pattern fits'),
        ('inconsistent frames', 'Bob/real/JOY', 'frames missing from 2 to 11: 7'),
    }
    out, rows = read(result)
    assert all((out.parent / row['clip']).exists() for row in rows)


def test_moments_make_pairs(root, grow, index, problems_of, read):
    grow('1/real_joy_onset.png', '1/real_joy_apex.png', '1/real_joy_peak.png')
    grow('1/fake_neutral_neutral.png', '1/fake_joy_apex.png', '1/fake_fear_apex.png')
    grow('2/real_joy_apex.png', '3/real_joy_onset.png', '3/real_joy_offset.png')
    result = index('generic', pattern=['{subject}/{label}_{emotion}_{moment}'])
    assert rows_of(result, 'sample_id', 'label', 'emotion') == [
        ('1__fake_fear_apex', 'posed', 'fear'),
        ('1__fake_joy_apex', 'posed', 'joy'),
        ('1__real_joy_apex', 'spontaneous', 'joy'),
        ('1__real_joy_peak', 'spontaneous', 'joy'),
    ]
    assert {row['onset'].name for row in result.rows[:2]} == {
        'fake_neutral_neutral.png'
    }
    assert problems_of(result) == {
        ('missing image', '2/real_joy_apex.png', 'no onset agrees with this apex'),
        ('missing apex', '3/real_joy_onset.png', 'no apex agrees with this onset'),
        (
            'unmatched',
            '3/real_joy_offset.png',
            "moment is 'offset'; it must be one of onset, neutral, apex, peak",
        ),
    }
    out, _ = read(result)
    assert len(read_pair_table(out)) == 4


def test_each_apex_gets_the_onset_of_its_own_expression(grow, index):
    grow(*(f'1/posed_{e}_{m}.png' for e in ('joy', 'fear') for m in ('onset', 'apex')))
    result = index('generic', pattern=['{subject}/{label}_{emotion}_{moment}'])
    assert not result.problems
    assert len(result.rows) == 2
    for row in result.rows:
        emotion = row['emotion']
        assert row['onset'].name == f'posed_{emotion}_onset.png'
        assert row['apex'].name == f'posed_{emotion}_apex.png'


def test_two_onsets_for_an_apex(grow, index, problems_of):
    grow('1/posed_onset_1.png', '1/posed_onset_2.png', '1/posed_apex_1.png')
    result = index('generic', pattern=['{subject}/{label}_{moment}_*'])
    assert result.rows[0]['onset'].name == 'posed_onset_1.png'
    assert problems_of(result) == {
        (
            'ambiguous',
            '1/posed_apex_1.png',
            '2 onsets fit; 1/posed_onset_1.png is used',
        )
    }


def test_several_clips_in_one_folder(grow, index):
    grow('1/posed a 1.png', '1/posed b 1.png', '2/posed a 1.png')
    result = index('generic', pattern=['{subject}/{label} {take} {frame}'])
    assert rows_of(result, 'sample_id', 'take') == [('2', 'a')]
    assert [(p.kind, p.position) for p in result.problems] == [('ambiguous', '1')]


def test_labels_and_emotions_can_be_renamed(grow, index):
    grow('1/lie/h/1.png', '1/smile/x/1.png')
    result = index(
        'generic',
        pattern=['{subject}/{label}/{emotion}/{frame}'],
        labels=['Lie=posed'],
        emotions={'h': 'happiness'},
    )
    assert rows_of(result, 'label', 'emotion') == [
        ('posed', 'happiness'),
        ('smile', 'x'),
    ]


def test_table_of_images(root, grow, table, index, problems_of, read):
    grow('a/x 1.png', 'a/x 9.png', 'b/x 1.png', 'b/y 9.png', 'c/1.png')
    path = table(
        't.csv',
        [
            ['who', 'label', 'on', 'apex', 'index', 'place'],
            ['s1', 'posed', 'a/x 1.png', 'a\\x 9.png', '3', 'Bonn'],
            ['s2', 'real', 'b/x 1.png', 'y 9', '', ''],
            ['s2', 'real', 'x 1.png', 'y 9.png', '', ''],
            ['s2', 'real', 'b/x 1.png', 'z.png', '', ''],
            ['s2', 'real', '', 'y 9.png', '', ''],
            ['s2', '', 'b/x 1.png', 'y 9.png', '', ''],
        ],
    )
    result = index('generic', table=path, columns=['subject=who', 'onset=on'])
    columns = 'sample_id', 'subject', 'label', 'index', 'place'
    assert rows_of(result, *columns) == [
        ('a__x 9', 's1', 'posed', '3', 'Bonn'),
        ('b__y 9', 's2', 'spontaneous', None, None),
    ]
    assert problems_of(result) == {
        ('ambiguous', 't.csv:4', "2 images fit onset 'x 1.png'"),
        ('missing apex', 't.csv:5', "0 images fit apex 'z.png'"),
        ('missing image', 't.csv:6', "0 images fit onset ''"),
        ('unmatched', 't.csv:7', 'label unknown'),
        ('unmatched', 'c', 'no row in t.csv'),
    }
    out, _ = read(result)
    assert len(read_pair_table(out)) == 2
    with pytest.raises(ValueError, match=r"no header row with the columns 'subject'"):
        index('generic', table=path)


def test_table_of_clips(root, grow, table, index, problems_of):
    """Named by the table, or found by what a pattern tells."""
    for clip in ('01/posed/joy', '01/posed/fear', '02/real/joy', '02/real/anger'):
        grow(*(f'{clip}/{n}.png' for n in range(1, 6)))
    grow('03/real/joy/v.avi')
    pattern = ['{subject}/{label}/{emotion}/*']
    header = ['subject', 'label', 'emotion', 'onset_frame', 'apex_frame', 'age']
    path = table(
        't.csv',
        [
            header,
            ['1', 'fake', 'joy', 1, 3, 33],
            ['1', 'posed', 'fear', 2, '', 33],
            ['1', 'posed', 'sadness', 2, 3, 33],
            ['2', 'genuine', '', 2, 3, 44],
            ['3', 'genuine', 'joy', 2, '', 55],
        ],
    )
    result = index('generic', table=path, pattern=pattern)
    columns = 'sample_id', 'subject', 'label', 'onset_frame', 'apex_frame', 'age'
    assert rows_of(result, *columns) == [
        ('01__posed__fear', '1', 'posed', 2, None, '33'),
        ('01__posed__joy', '1', 'posed', 1, 3, '33'),
        ('03__real__joy__v', '3', 'spontaneous', 2, None, '55'),
    ]
    assert rows_of(result, 'onset')[1] == (root / '01/posed/joy/1.png',)
    assert problems_of(result) == {
        ('missing apex', 't.csv:3', "apex is ''"),
        (
            'missing clip',
            't.csv:4',
            '0 clips fit subject 1, label posed, emotion sadness',
        ),
        ('ambiguous', 't.csv:5', '2 clips fit subject 2, label spontaneous'),
        ('missing apex', 't.csv:6', 'no apex_frame'),
        ('unmatched', '02/real/anger', 'no row in t.csv'),
        ('unmatched', '02/real/joy', 'no row in t.csv'),
    }
    named = table(
        'named.csv',
        [
            ['sample_id', 'clip', 'subject', 'label'],
            ['x', '02/real/joy', 's', 'real'],
            ['y', 'nowhere', 's', 'real'],
        ],
    )
    result = index('generic', table=named)
    assert rows_of(result, 'sample_id', 'clip') == [('x', root / '02/real/joy')]
    assert ('missing clip', 'named.csv:3', '0 clips fit clip nowhere') in problems_of(
        result
    )


def test_table_and_pattern_share_the_telling(grow, table, index):
    """The table tells the files, the paths who and how."""
    grow('7/posed/joy/1.png', '7/posed/joy/2.png')
    path = table('t.csv', [['onset', 'apex'], ['1.png', '2.png']])
    result = index(
        'generic', table=path, pattern=['{subject}/{label}/{emotion}/{frame}']
    )
    assert rows_of(result, 'subject', 'label', 'emotion') == [('7', 'posed', 'joy')]


POSED = '0-PosedExpressionDatabase/part1'


def test_nvie(root, grow, table, index, problems_of, read):
    """A table, a pattern for each half, codes of emotions, eyes."""
    grow(f'{POSED}/007/visible/neutral/a.bmp', f'{POSED}/007/visible/1/a.bmp')
    grow(f'{POSED}/008/visible/neutral/a.bmp', f'{POSED}/008/visible/2/a.bmp')
    grow('Spontaneous/SelectedSamples/1-007-onset.bmp')
    grow('Spontaneous/SelectedSamples/1-007-apex.bmp', 'Spontaneous/extra/1.bmp')
    eyes = table(
        'eyes.csv',
        [
            ['Image', 'x1', 'y1', 'x2', 'y2'],
            [f'{POSED}/007/visible/neutral/a.bmp', 30, 20.5, 10, 21],
            ['007\\visible\\1\\a', 11, 21, 31, 20],
            ['1-007-onset.bmp', 1, 2, 3, 4],
            ['1-007-apex.bmp', 1, 2, 3, 4],
            ['1-007-apex.bmp', 1, 2, 3, 5],
            ['x.bmp', 1, 2, 3, '?'],
            ['y.bmp', 1, 2, 3, 'nan'],
        ],
    )
    names = dict(file='Image', left_x='x1', left_y='y1', right_x='x2', right_y='y2')
    samples = table(
        'samples.csv',
        [
            ['subject', 'emotion', 'label', 'onset', 'apex', 'light'],
            ['7', '1', 'posed', f'{POSED}/007/visible/neutral/a.bmp',
             f'{POSED}/007/visible/1/a.bmp', 'front'],
            ['7', '1', 'spontaneous', '1-007-onset', '1-007-apex.bmp', 'left'],
        ],
    )  # fmt: skip
    patterns = [
        '{label}/**/{subject}/visible/{emotion}/{frame}',
        r'(?P<label>Spontaneous)/SelectedSamples/(?P<emotion>\d)-(?P<subject>\d+).*',
    ]
    result = index(
        'nvie', table=samples, pattern=patterns, eyes=eyes, eye_columns=names
    )
    columns = 'subject', 'label', 'emotion', 'light', 'onset_eyes', 'apex_eyes'
    assert rows_of(result, *columns) == [
        ('7', 'posed', 'happiness', 'front', '10 21 30 20.5', '11 21 31 20'),
        ('7', 'spontaneous', 'happiness', 'left', '1 2 3 4', None),
    ]
    assert problems_of(result) == {
        ('unmatched', 'Spontaneous/extra/1.bmp', 'no pattern fits'),
        ('unmatched', f'{POSED}/008/visible/2', 'no row in samples.csv'),
        ('unmatched', f'{POSED}/008/visible/neutral', 'no row in samples.csv'),
        ('ambiguous', 'eyes.csv:6', '1-007-apex.bmp is here a second time'),
        ('unreadable', 'eyes.csv:7', 'eye positions that are not numbers'),
        ('unreadable', 'eyes.csv:8', 'eye positions that are not numbers'),
        (
            'missing eyes',
            'Spontaneous/SelectedSamples/1-007-apex.bmp',
            'not in eyes.csv',
        ),
    }
    out, _ = read(result)
    assert len(read_pair_table(out)) == 2


def test_nvie_by_folders(grow, index):
    grow(f'{POSED}/007/visible/neutral/a.bmp', f'{POSED}/007/visible/apex/a.bmp')
    result = index('nvie', pattern=['{label}/**/{subject}/visible/{moment}/*'])
    assert rows_of(result, 'subject', 'label') == [('007', 'posed')]


def test_onset_and_apex_are_two(grow, table, index, problems_of):
    """One image is no pair."""
    grow('a.png', 'b.png')
    header = ['subject', 'label', 'sample_id']
    path = table(
        'images.csv',
        [
            [*header, 'onset', 'apex'],
            ['s1', 'posed', 'same', 'a.png', 'a.png'],
            ['s1', 'posed', 'fine', 'a.png', 'b.png'],
        ],
    )
    result = index('generic', table=str(path), pattern=['{name}'])
    assert [row['sample_id'] for row in result.rows] == ['fine']
    text = 'onset and apex are both a.png'
    assert ('inconsistent frames', 'images.csv:2', text) in problems_of(result)
