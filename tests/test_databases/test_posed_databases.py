"""Posed and spontaneous: SPOS, UvA-NEMO, BBC, MMI, SASE-FE."""

import hashlib

import pytest

from mmcomp.databases import check_report


def rows_of(index, *names):
    return [tuple(row.get(name) for name in names) for row in index.rows]


def test_spos(root, grow, index, problems_of, read):
    grow(
        *(f'posed/anger/ann-1/{k}.bmp' for k in (8, 9, 10)),
        *(f'spontaneous/anger/ann-1/{k}.bmp' for k in (1, 2)),
        *(f'spontaneous/Happiness/b-c-12/{k}.bmp' for k in (1, 2, 4)),
        'spontaneous/happiness/stray.bmp',
        'extra/anger/ann-2/1.bmp',
        'posed/anger/ann/1.bmp',
    )
    result = index('spos')
    assert rows_of(result, 'sample_id', 'subject', 'label', 'emotion') == [
        ('posed-anger-ann-1', 'ann', 'posed', 'anger'),
        ('spontaneous-anger-ann-1', 'ann', 'spontaneous', 'anger'),
        ('spontaneous-happiness-b-c-12', 'b-c', 'spontaneous', 'happiness'),
    ]
    layout = 'not <class>/<emotion>/<subject>-<n>'
    assert problems_of(result) == {
        ('unmatched', 'extra/anger/ann-2', layout),
        ('unmatched', 'posed/anger/ann', layout),
        ('unmatched', 'spontaneous/happiness', layout),
        (
            'inconsistent frames',
            'spontaneous/Happiness/b-c-12',
            'frames missing from 1 to 4: 1',
        ),
    }
    out, rows = read(result)
    assert all((out.parent / row['clip']).is_dir() for row in rows)
    assert 'onset' not in rows[0]


NEMO = 'UvA-NEMO_Smile_Database_File_Details.txt'


def test_uva_nemo(grow, table, index, problems_of, read):
    videos = ['001_deliberate_smile_2', '001_spontaneous_smile_1']
    videos += ['002_spontaneous_smile_3', '003_deliberate_smile_1', '4_smile']
    grow(*(f'videos/{name}.mp4' for name in videos))
    lines = [[f'header {i}'] for i in range(5)]
    lines += [
        ['001_deliberate_smile_2.mp4', '77', 'f', '33', 'deliberate'],
        ['001_spontaneous_smile_1.mp4', '77', 'f', '33', 'spontaneous'],
        ['002_spontaneous_smile_3.mp4', '78', 'm', '8', 'deliberate'],
        ['009_spontaneous_smile_1.mp4', '79', 'm', '9', 'spontaneous'],
        ['short', 'line'],
        ['009_spontaneous_smile_1.mp4', '80', 'm', '9', 'spontaneous'],
        [],
    ]
    table(NEMO, lines, '\t')
    result = index('uva-nemo')
    assert rows_of(result, 'sample_id', 'subject', 'label', 'emotion') == [
        ('001_deliberate_smile_2', '77', 'posed', 'happiness'),
        ('001_spontaneous_smile_1', '77', 'spontaneous', 'happiness'),
        ('003_deliberate_smile_1', '003', 'posed', 'happiness'),
    ]
    assert problems_of(result) == {
        (
            'duplicate',
            f'{NEMO}:11',
            f'009_spontaneous_smile_1.mp4 is already in {NEMO}:9',
        ),
        ('unreadable', f'{NEMO}:10', '2 columns of at least 5'),
        ('contradiction', f'{NEMO}:8', "'deliberate' for 002_spontaneous_smile_3.mp4"),
        ('missing clip', f'{NEMO}:9', 'no such video'),
        ('unmatched', 'videos/003_deliberate_smile_1.mp4', f'no line in {NEMO}'),
        ('unmatched', 'videos/4_smile.mp4', 'not NNN_<class>_smile_K'),
    }
    out, rows = read(result)
    assert all((out.parent / row['clip']).is_file() for row in rows)


def test_uva_nemo_without_details(grow, index):
    grow('001_deliberate_smile_2.mp4')  # in the root itself
    result = index('uva-nemo')
    assert rows_of(result, 'subject', 'label') == [('001', 'posed')]
    assert result.notes == [f'no {NEMO}: subjects are taken from the file names']
    assert not result.problems


def test_bbc(grow, index, problems_of):
    grow('Genuine/1.mp4', 'posed/1.mp4', 'trailer.mp4')
    result = index('bbc')
    assert rows_of(result, 'sample_id', 'subject', 'label') == [
        ('posed-1', 'posed-1', 'posed'),
        ('spontaneous-1', 'spontaneous-1', 'spontaneous'),
    ]
    assert problems_of(result) == {
        ('unmatched', 'trailer.mp4', 'in neither Genuine nor posed')
    }


def session(root, number, video, subject='<subject id="5"/>', emotion=None):
    folder = root / 'Sessions' / str(number)
    folder.mkdir(parents=True)
    (folder / f'{video}.avi').touch()
    text = f'<session>{subject}<track view="0"/></session>'
    (folder / 'session.xml').write_text(text)
    if emotion is not None:
        tag = f'<x><Metatag Name="Emotion" Value="{emotion}"/></x>'
        (folder / f'{video}.xml').write_text(tag)
    return folder


def test_mmi(root, grow, index, problems_of):
    session(root, 7, 'S005-001', emotion=4)
    session(root, 20, 'S005-002', emotion=9)
    session(root, 36, 'S006-001', '<subject id="6"/>')
    session(root, 40, 'S007-001', subject='')
    broken = session(root, 41, 'S008-001')
    (broken / 'session.xml').write_text('<session>')
    grow('Sessions/old/x.avi')
    result = index('mmi', spontaneous=['7', '20-35'])
    columns = 'sample_id', 'subject', 'label', 'emotion', 'view'
    assert rows_of(result, *columns) == [
        ('20-S005-002', '5', 'spontaneous', 'emotion 9', '0'),
        ('36-S006-001', '6', 'posed', None, '0'),
        ('7-S005-001', '5', 'spontaneous', 'happiness', '0'),
    ]
    missing = 'no session.xml with <subject id="..."> next to it'
    parse = next(p for p in result.problems if p.kind == 'unreadable')
    assert parse.position == 'Sessions/41/session.xml'
    assert problems_of(result) - {parse} == {
        ('unmatched', 'Sessions/40/S007-001.avi', missing),
        ('unmatched', 'Sessions/41/S008-001.avi', missing),
        ('unmatched', 'Sessions/old/x.avi', 'not in a folder named by a number'),
    }


@pytest.mark.parametrize('value', [(), ['a'], ['3-']])
def test_mmi_needs_the_spontaneous_sessions(root, index, value):
    with pytest.raises(ValueError, match='spontaneous is'):
        index('mmi', spontaneous=value)


REAL = {'N2H': 'happiness', 'N2S': 'sadness', 'N2D': 'disgust', 'N2A': 'anger'}
REAL.update({'N2C': 'contempt', 'N2Sur': 'surprise'})
FAKE = {'S2N2H': 'happiness', 'H2N2S': 'sadness', 'H2N2D': 'disgust', 'H2N2A': 'anger'}
FAKE.update({'H2N2C': 'contempt', 'D2N2Sur': 'surprise'})


def test_sase_fe(root, grow, index, problems_of, read, tmp_path):
    people = ['Jane Doe', 'Jörg']
    for code in (*REAL, *FAKE):
        grow(f'FakeTrue_DB/Jane Doe/{code}.MP4')
    grow('FakeTrue_DB/Jörg/D2N2SUR.MP4', 'FakeTrue_DB/Jörg/N2h.mp4')
    grow('FakeTrue_DB/Jörg/jörg laughs.MP4')
    result = index('sase-fe')
    jane, joerg = (hashlib.sha256(n.encode()).hexdigest()[:10] for n in people)
    found = {(r['subject'], r['sample_id'].split('-')[1]): r for r in result.rows}
    for codes, label in ((REAL, 'spontaneous'), (FAKE, 'posed')):
        for code, emotion in codes.items():
            row = found[jane, code]
            assert (row['label'], row['emotion']) == (label, emotion)
    assert found[jane, 'S2N2H']['felt'] == 'sadness'
    assert found[jane, 'N2C']['felt'] == 'contempt'
    assert found[joerg, 'D2N2SUR']['emotion'] == 'surprise'
    assert found[joerg, 'N2h']['label'] == 'spontaneous'
    assert problems_of(result) == {('unmatched', joerg, 'videos without a code: 1')}
    out, rows = read(result)
    assert all((out.parent / row['clip']).is_file() for row in rows)
    for text in (
        check_report(result),
        *(p.read_text() for p in out.parent.glob('*.csv')),
    ):
        text = text.lower()
        assert 'jane' not in text
        assert 'jörg' not in text
    assert sorted(p.name for p in (out.parent / 'pairs.links').iterdir()) == sorted(
        [jane, joerg]
    )
    read(result)  # links that are there already do no harm


def test_sase_fe_calls_d2n2s_surprise(grow, index):
    grow('Ann/D2N2S.MP4', 'Ann/H2N2S.MP4')
    found = {r['sample_id'].split('-')[1]: r for r in index('sase-fe').rows}
    assert found['D2N2S']['emotion'] == 'surprise'
    assert found['D2N2S']['felt'] == 'disgust'
    assert found['H2N2S']['emotion'] == 'sadness'
    salted = index('sase-fe', salt='pepper').rows[0]['subject']
    assert salted != found['D2N2S']['subject']
