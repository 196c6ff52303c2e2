"""The generic database: what is reported, links, and columns that are named."""

import pytest

from mmcomp.databases import check_report


def rows_of(index, *names):
    return [tuple(row.get(name) for name in names) for row in index.rows]


def test_a_header_that_does_not_fit_says_what_it_holds(grow, table, index):
    grow('a.png', 'b.png')
    path = table('t.csv', [['notes'], ['Who', 'label', 'from', 'to']])
    message = (
        r"columns 'subject', 'label'; found are 'Who', 'label', 'from', "
        r"'to'; name them with --columns OURS=THEIRS"
    )
    with pytest.raises(ValueError, match=message):
        index('generic', table=path)


def test_a_named_column_is_not_taken_for_another(root, grow, table, index):
    """'Onset' is the number of a frame here, not an image; 'subject' is a room."""
    grow('v.avi')
    path = table(
        't.csv',
        [
            ['subject', 'Person', 'label', 'clip', 'Onset', 'Apex', 'onset_frame'],
            ['room 7', 'ann', 'posed', 'v.avi', '2', '9.0', 'x'],
        ],
    )
    names = ['subject=Person', 'onset_frame=Onset', 'apex_frame=Apex']
    result = index('generic', table=path, columns=names)
    assert not result.problems
    (row,) = result.rows
    assert (row['subject'], row['onset_frame'], row['apex_frame']) == ('ann', 2, 9)
    assert row['clip'] == root / 'v.avi'
    assert not {'onset', 'apex'} & set(row)


def test_frames_that_are_no_numbers_or_not_in_order(grow, table, index, problems_of):
    grow('v.avi', 'w.avi', 'x.avi')
    path = table(
        't.csv',
        [
            ['sample_id', 'subject', 'label', 'clip', 'onset_frame', 'apex_frame'],
            ['a', 's', 'posed', 'v.avi', '1,5', '9'],
            ['b', 's', 'posed', 'w.avi', '9', '9'],
            ['c', 's', 'posed', 'x.avi', '/', '-1'],
        ],
    )
    result = index('generic', table=path)
    columns = 'sample_id', 'onset_frame', 'apex_frame'
    assert rows_of(result, *columns) == [
        ('a', None, 9), ('b', 9, None), ('c', None, None)
    ]  # fmt: skip
    reason = (
        "onset_frame is '1,5'; it must be a frame number, or '/' or empty where unknown"
    )
    assert problems_of(result) == {
        ('inconsistent frames', 't.csv:2', reason),
        ('inconsistent frames', 't.csv:3', 'apex 9 does not come after onset 9'),
        ('missing apex', 't.csv:3', 'no apex_frame'),
        ('missing apex', 't.csv:4', 'no apex_frame'),
    }


def test_lost_rows_come_first_in_the_report(grow, table, index):
    """3 of 4 rows gave no sample; 20 clips without a row are no loss."""
    grow(*(f'more/{n}.avi' for n in range(20)), 'v.avi')
    rows = [[f's{n}', 'posed', f'gone{n}.avi'] for n in range(3)]
    header = ['subject', 'label', 'clip']
    path = table('t.csv', [header, *rows, ['s', 'posed', 'v.avi']])
    lines = check_report(index('generic', table=path)).splitlines()
    lost = lines.index('rows of the table that gave no sample: 3 of 4')
    assert lines[lost + 1] == '  missing clip: 3'
    assert lines[lost + 2] == '      t.csv:2: 0 clips fit clip gone0.avi'
    assert lines.index('other problems: 20') > lost


def test_a_linked_folder_is_found_once_under_each_name(
    root, grow, index, tmp_path, problems_of
):
    (tmp_path / 'disk' / 'ben' / 'posed').mkdir(parents=True)
    (tmp_path / 'disk' / 'ben' / 'posed' / 'v.avi').touch()
    grow('ann/posed/v.avi', 'ann/posed/._v.avi', '__MACOSX/ann/posed/v.avi')
    (root / 'ben').symlink_to(tmp_path / 'disk' / 'ben')
    (root / 'dan').symlink_to(root / 'ann')
    result = index('generic', pattern=['{subject}/{label}/*'])
    assert rows_of(result, 'subject') == [('ann',), ('ben',)]
    assert problems_of(result) == {
        ('duplicate', 'dan/posed/v.avi', 'its files are already in ann/posed/v.avi')
    }


def test_formats_that_are_not_read_are_reported(grow, index, problems_of):
    grow(
        'ann/posed/v.avi', 'ann/posed/w.gif', 'ann/posed/x.HEIC', 'ann/posed/notes.txt'
    )
    result = index('generic', pattern=['{subject}/{label}/*'])
    text = 'is not read; convert it to PNG, or a video to MP4'
    assert problems_of(result) == {
        ('unreadable', 'ann/posed/w.gif', f'.gif {text}'),
        ('unreadable', 'ann/posed/x.HEIC', f'.HEIC {text}'),
    }
