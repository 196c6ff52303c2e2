"""Tables of photos and clips in, aligned pairs out, and nothing lost on the way."""

import csv
import os
import re
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pandas as pd
import pytest
from runs import REPOSITORY

from mmcomp.cli.prepare import main
from mmcomp.datasets.pair_table import read_pair_table
from mmcomp.faces import FaceSettings, align_face
from mmcomp.faces.landmark_table import landmark_cache, landmarks_of_table
from mmcomp.faces.outcome import sources
from mmcomp.faces.prepare import prepare_faces
from mmcomp.faces.sheet import pair_sheet
from mmcomp.faces.table import read_input
from mmcomp.figures import encode_figure

pytestmark = pytest.mark.slow  # whole runs, files or clips

TOOL = REPOSITORY / 'tools' / 'prepare.py'


def write_table(path, columns, rows):
    with path.open('w', encoding='utf-8', newline='') as stream:
        csv.writer(stream).writerows([columns, *rows])
    return path


def read(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False)


@pytest.fixture(scope='module')
def photos(tmp_path_factory, astronaut):
    """A pair table of photos: fine ones, and one of each failure."""
    folder = tmp_path_factory.mktemp('photos')
    small = cv2.resize(astronaut, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(folder / 'a.png'), small)
    cv2.imwrite(str(folder / 'b.png'), np.roll(small, 7, axis=0))
    cv2.imwrite(str(folder / 'two.png'), np.hstack([small, small]))
    cv2.imwrite(str(folder / 'blank.png'), np.full((90, 90), 128, np.uint8))
    (folder / 'broken.png').write_bytes(b'nonsense')
    eyes = '102.5 51 123.5 52.5'
    columns = [
        'sample_id',
        'subject',
        'onset',
        'apex',
        'label',
        'camera',
        'onset_eyes',
        'apex_eyes',
    ]
    rows = [
        ['fine', 's1', 'a.png', 'b.png', 'posed', 'x', '', ''],
        ['given/eyes', 's1', 'a.png', 'b.png', 'spontaneous', 'y', eyes, ''],
        ['no-face', 's1', 'a.png', 'blank.png', 'posed', '', '', ''],
        ['two-faces', 's1', 'two.png', 'b.png', 'posed', '', '', ''],
        ['unreadable', 's1', 'broken.png', 'b.png', 'posed', '', '', ''],
        ['missing', 's1', 'a.png', 'none.png', 'posed', '', '', ''],
        ['bad-eyes', 's1', 'a.png', 'b.png', 'posed', '', '1 2 3', ''],
        ['outside', 's1', 'a.png', 'b.png', 'posed', '', '1 2 900 4', ''],
        ['closed', 's1', 'blank.png', 'b.png', 'posed', '', '30 40 60 40', ''],
        ['empty', 's1', '', 'b.png', 'posed', '', '', ''],
    ]
    return write_table(folder / 'pairs.csv', columns, rows)


@pytest.fixture(scope='module')
def prepared(photos, tmp_path_factory):
    out = tmp_path_factory.mktemp('prepared') / 'out'
    return prepare_faces([photos], out, FaceSettings(eyes_closed='fail'), workers=2)


def test_every_row_is_a_pair_or_a_failure(photos, prepared):
    pairs = read(prepared.table)
    failures = read(prepared.table.with_name('failures.csv'))
    assert pairs['sample_id'].tolist() == ['fine', 'given/eyes']
    assert dict(zip(failures['sample_id'], failures['problem'])) == {
        'no-face': 'no face',
        'two-faces': 'two faces',
        'unreadable': 'unreadable',
        'missing': 'unreadable',
        'bad-eyes': 'invalid cell',
        'outside': 'eyes outside image',
        'closed': 'eyes closed',
        'empty': 'invalid cell',
    }
    assert failures['reason'].str.len().min() > 10
    assert failures['path'].tolist()[0] == 'a.png blank.png'
    assert prepared.pairs == 2
    assert sum(prepared.failures.values()) == 8


def test_new_table(photos, prepared):
    """mmcomp reads it; further columns are kept; eyes of the old images are not."""
    rows = read_pair_table(prepared.table)
    assert [row['camera'] for row in rows] == ['x', 'y']
    assert 'onset_eyes' not in rows[0]
    assert rows[0]['onset_source'] == 'a.png'
    assert float(rows[0]['onset_face_score']) > 0.9
    assert float(rows[0]['apex_open']) > 0.3
    assert rows[1]['onset_face_score'] == ''
    image = cv2.imread(rows[1]['onset'], cv2.IMREAD_UNCHANGED)
    source = cv2.imread(str(photos.with_name('a.png')))
    np.testing.assert_array_equal(
        image, align_face(source, [[102.5, 51], [123.5, 52.5]])
    )
    sheet = cv2.imread(str(prepared.table.with_name('sheet.png')))
    assert sheet.shape[0] > 150


def test_again_does_nothing_and_gives_the_same(photos, prepared):
    out = prepared.table.parent
    before = {path: path.read_bytes() for path in out.rglob('*') if path.is_file()}
    again = prepare_faces([photos], out, FaceSettings(eyes_closed='fail'))
    assert again.done_before == 10
    after = {path: path.read_bytes() for path in out.rglob('*') if path.is_file()}
    assert before == after


def test_other_settings_are_refused(photos, prepared):
    with pytest.raises(
        ValueError, match=r"size is 64 and was 48; eyes_closed is 'warn' and was 'fail'"
    ):
        prepare_faces([photos], prepared.table.parent, FaceSettings(size=64))


def test_changed_and_failed_rows(photos, tmp_path):
    """A row that has changed is done anew; a failed one also if it is asked for."""
    frame = read(photos)
    for name in ('a.png', 'b.png', 'blank.png'):
        (tmp_path / name).write_bytes(photos.with_name(name).read_bytes())
    table = tmp_path / 'pairs.csv'
    frame.iloc[[0, 2]].to_csv(table, index=False)
    assert prepare_faces([table], tmp_path / 'out', workers=1).pairs == 1
    again = prepare_faces([table], tmp_path / 'out', workers=1)
    assert (again.pairs, again.done_before) == (1, 2)
    again = prepare_faces([table], tmp_path / 'out', workers=1, retry=True)
    assert (again.pairs, again.done_before) == (1, 1)
    (tmp_path / 'blank.png').write_bytes((tmp_path / 'b.png').read_bytes())
    assert prepare_faces([table], tmp_path / 'out', workers=1).pairs == 2
    frame.loc[0, 'apex'] = 'blank.png'
    frame.iloc[[0]].to_csv(table, index=False)
    done = prepare_faces([table], tmp_path / 'out', workers=1)
    assert (done.pairs, done.done_before) == (1, 0)
    assert read(done.table)['apex_source'].tolist() == ['blank.png']


def test_faces_follow_their_pictures(photos, tmp_path):
    """The faces are those of the pictures as they are now, and nothing else."""
    for name in ('a.png', 'b.png'):
        (tmp_path / name).write_bytes(photos.with_name(name).read_bytes())
    upright = cv2.imread(str(tmp_path / 'a.png'))
    cv2.imwrite(str(tmp_path / 'c.png'), np.roll(upright, 1, axis=0))
    table, out = tmp_path / 'pairs.csv', tmp_path / 'out'
    eyes = '102.5 51 123.5 52.5'
    columns = ['sample_id', 'onset', 'apex', 'onset_eyes', 'apex_eyes']
    rows = [['x', 'a.png', 'b.png', eyes, eyes], ['y', 'a.png', 'c.png', eyes, eyes]]
    write_table(table, columns, rows)
    prepare_faces([table], out, workers=1)

    def check(done_before):
        done = prepare_faces([table], out, workers=1)
        assert (done.pairs, done.done_before) == (2, done_before)
        for row in read(done.table).to_dict('records'):
            for moment in ('onset', 'apex'):
                source = cv2.imread(str(tmp_path / row[f'{moment}_source']))
                np.testing.assert_array_equal(
                    cv2.imread(str(out / row[moment]), cv2.IMREAD_UNCHANGED),
                    align_face(source, [[102.5, 51], [123.5, 52.5]]),
                )

    cv2.imwrite(str(tmp_path / 'b.png'), 255 - cv2.imread(str(tmp_path / 'b.png')))
    check(done_before=1)
    cv2.imwrite(str(out / 'images' / 'y-apex.png'), np.zeros((48, 48), np.uint8))
    check(done_before=1)
    check(done_before=2)
    (tmp_path / 'a.png').rename(tmp_path / 'gone.png')
    assert prepare_faces([table], out, workers=1).done_before == 2


def test_ids_that_differ_in_case_have_files_of_their_own(photos, tmp_path):
    """Where a file system ignores case, one would overwrite the other."""
    columns = ['sample_id', 'onset', 'apex']
    paths = [str(photos.with_name(name)) for name in ('a.png', 'b.png')]
    rows = [['S1', *paths], ['s1', *paths[::-1]], ['s2', *paths]]
    table = write_table(tmp_path / 'pairs.csv', columns, rows)
    out = tmp_path / 'out'
    done = prepare_faces([table], out, workers=1)
    assert (done.pairs, done.failures) == (3, {})
    for folder, files in (('images', 6), ('rows', 3)):
        assert len({p.name.casefold() for p in (out / folder).iterdir()}) == files
    made = read(out / 'pairs.csv')
    assert made['sample_id'].tolist() == ['S1', 's1', 's2']
    assert made['onset'][2] == 'images/s2-onset.png'
    first, second = (
        [(out / made[column][row]).read_bytes() for column in ('onset', 'apex')]
        for row in (0, 1)
    )
    assert first[0] != first[1]
    assert first == second[::-1]
    assert prepare_faces([table], out, workers=1).done_before == 3


def test_frames_of_a_clip_are_itssources(tmp_path):
    for name in ('1.png', '2.png', '._1.png'):
        (tmp_path / name).write_bytes(b'')
    row = {'sample_id': 'a', 'clip': tmp_path.name}
    assert sources(row, tmp_path.parent) == [tmp_path / '1.png', tmp_path / '2.png']
    row = {'sample_id': 'a', 'onset': 'x.png', 'apex': 'y.png', 'clip': ''}
    assert sources(row, tmp_path) == [tmp_path / 'x.png', tmp_path / 'y.png']


@pytest.mark.parametrize('suffix', ['.pdf', '.svg'])
def test_words_of_the_sheet(tmp_path, suffix):
    cv2.imwrite(str(tmp_path / 'a.png'), np.full((48, 48), 90, np.uint8))
    row = dict(sample_id='p$1', label='posed', subject='Zoë', notes='eyes closed')
    pairs = pd.DataFrame([{**row, 'onset': 'a.png', 'apex': 'a.png'}])
    figure = pair_sheet(tmp_path, pairs)
    texts = [text.get_text() for text in figure.texts]
    assert not any(text.get_parse_math() for text in figure.texts)
    assert texts == [
        'onset', 'apex', 'apex - onset', 'p$1', 'posed · Zoë', 'eyes closed'
    ]  # fmt: skip
    strip = figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(strip[5, [5, 53, 101], 0], [90, 90, 128])
    assert encode_figure(figure, suffix)


def test_landmarks_are_kept_and_distrust_is_noted(tmp_path, astronaut, capsys):
    cv2.imwrite(str(tmp_path / 'a.png'), astronaut)
    cv2.imwrite(str(tmp_path / 'b.png'), np.roll(astronaut, 7, axis=0))
    eyes, sleeve = '205 102 247 105', '60 300 102 300'
    columns = ['sample_id', 'subject', 'onset', 'apex', 'label', 'onset_eyes']
    rows = [[name, 's', 'a.png', 'b.png', 'posed'] for name in ('face', 'sleeve')]
    table = write_table(
        tmp_path / 'in.csv', columns, [[*rows[0], eyes], [*rows[1], sleeve]]
    )
    out = tmp_path / 'out'
    main([str(table), '--out', str(out), '--workers', '1', '--size', '96'])
    assert not list(out.glob('*.npz'))
    plain = read(out / 'pairs.csv')
    capsys.readouterr()
    main([
        *(str(table), '--out', str(out), '--workers', '1', '--size', '96'),
        '--landmarks',
    ])  # fmt: skip
    assert 'landmarks: not trusted in 1 of 2 pairs' in capsys.readouterr().out
    pairs = read(out / 'pairs.csv')
    assert pairs.notes[0] == plain.notes[0]
    added = pairs.notes[1].removeprefix(plain.notes[1]).removeprefix('; ')
    assert added.startswith('onset: landmarks: the presence of a face is ')
    assert pairs.drop(columns='notes').equals(plain.drop(columns='notes'))
    found = landmarks_of_table(out / 'pairs.csv')
    assert [bool(pair.fault) for pair in found] == [False, True]
    assert len(landmark_cache(out / 'pairs.csv')) == 3
    # In pixels of the crop: the tip of the nose is between the eyes, and below them.
    x, y = found[0].onset.points[4, :2]
    assert 0.4 * 96 < x < 0.6 * 96
    assert 0.45 * 96 < y < 0.7 * 96


@pytest.mark.slow
def test_killed_and_started_again(tmp_path, photos):
    """It does what is missing, and ends as if nothing had happened."""
    frame = read(photos).iloc[[0, 2]]
    table = photos.with_name('many.csv')
    many = pd.concat([frame] * 15, ignore_index=True)
    many['sample_id'] = [f'{name}-{i}' for i, name in enumerate(many['sample_id'])]
    many.to_csv(table, index=False)
    command = [sys.executable, str(TOOL), str(table), '--workers', '1', '--out']
    out = tmp_path / 'killed'
    process = subprocess.Popen(
        [*command, str(out)], stderr=subprocess.PIPE, start_new_session=True
    )
    limit = time.monotonic() + 60
    while len(list(out.glob('rows/[!.]*'))) < 3 and time.monotonic() < limit:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()  # until its worker has ended too
    done = {path: path.stat().st_mtime_ns for path in out.glob('rows/[!.]*')}
    assert 3 <= len(done) <= 30
    subprocess.run([*command, str(out)], check=True, capture_output=True)
    assert {path: path.stat().st_mtime_ns for path in done} == done
    whole = prepare_faces([table], tmp_path / 'whole', workers=2).table.parent
    for path in whole.rglob('*'):
        if path.is_file() and not path.name.startswith('.'):
            other = out / path.relative_to(whole)
            assert other.read_bytes() == path.read_bytes(), path.name


@pytest.mark.slow
def test_clips(tmp_path, make_clip, write_video):
    """Video files and folders of frames; frames that are known are used."""
    truth = {}
    for name, key in (
        ('smile.mp4', ('happiness', 'posed', 0)),
        ('still.mp4', ('none', 'posed', 10)),
    ):
        truth[name], frames = make_clip(*key)
        write_video(tmp_path / name, frames)
    folder = tmp_path / 'frames'
    folder.mkdir()
    for i, frame in enumerate(make_clip()[1]):
        cv2.imwrite(str(folder / f'img{i + 100}.png'), frame)
    columns = ['sample_id', 'subject', 'clip', 'onset_frame', 'apex_frame', 'label']
    smile = truth['smile.mp4']
    table = write_table(
        tmp_path / 'clips.csv',
        columns,
        [
            ['video', 's1', 'smile.mp4', '', '', 'posed'],
            ['folder', 's1', 'frames', '105.0', '/', 'posed'],
            ['known', 's1', 'smile.mp4', '2', str(smile.apex), 'posed'],
            ['still', 's1', 'still.mp4', '', '', 'posed'],
            ['gone', 's1', 'gone.mp4', '', '', 'posed'],
            ['text', 's1', 'smile.mp4', 'first', '', 'posed'],
            ['late', 's1', 'smile.mp4', '2', '999', 'posed'],
        ],
    )
    done = prepare_faces([table], tmp_path / 'out', FaceSettings(color='color'), 20, 2)
    pairs = {row['sample_id']: row for row in read_pair_table(done.table)}
    assert list(pairs) == ['video', 'folder', 'known']
    assert abs(int(pairs['video']['apex_frame']) - smile.apex) <= 6
    assert pairs['folder']['onset_frame'] == '105'
    assert abs(int(pairs['folder']['apex_frame']) - 100 - smile.apex) <= 6
    assert pairs['known']['spotting_confidence'] == ''
    assert float(pairs['video']['spotting_confidence']) > 0.3
    assert cv2.imread(pairs['video']['apex'], cv2.IMREAD_UNCHANGED).ndim == 3
    failures = read(done.table.with_name('failures.csv'))
    assert failures['problem'].tolist() == [
        'no expression',
        'unreadable',
        'invalid cell',
        'no such frame',
    ]


@pytest.mark.slow
def test_clips_without_a_table(tmp_path, smile):
    path, _ = smile
    command = [sys.executable, str(TOOL), str(path), '--out', str(tmp_path / 'out')]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert '1 pairs' in done.stdout
    assert read(tmp_path / 'out' / 'pairs.csv')['sample_id'].tolist() == ['smile']
    command = [*command[:-1], str(tmp_path / 'late'), '--apex-late', '999']
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert '1 rows failed: no such frame 1' in done.stdout


def test_nothing_but_failures(tmp_path, photos):
    table = photos.with_name('fail.csv')
    read(photos).iloc[[2]].to_csv(table, index=False)
    done = prepare_faces([table], tmp_path / 'out', workers=1)
    assert (done.pairs, done.failures) == (0, {'no face': 1})
    assert read(done.table).empty


@pytest.mark.parametrize(
    ('columns', 'rows', 'message'),
    [
        (['sample_id', 'clip'], [], 'there is no row below'),
        (['clip'], [['a']], r"are \['clip'\]; they must include 'sample_id'"),
        (['sample_id', 'onset'], [['a', 'b']], "must include 'clip', or 'onset'"),
        (['sample_id', 'clip'], [['a', 'x'], ['a', 'y']], r"not unique: \['a'\]"),
        (['sample_id', 'clip'], [['', 'x']], 'empty in a row'),
    ],
)
def test_wrong_tables(tmp_path, columns, rows, message):
    with pytest.raises(ValueError, match=message):
        read_input([write_table(tmp_path / 'a.csv', columns, rows)])


def test_tool_tells_errors_in_one_line(tmp_path):
    command = [sys.executable, str(TOOL), 'none.csv', '--out', str(tmp_path / 'out')]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == 'error: none.csv: no such file\n'


def test_a_bug_is_a_failure_of_its_row(photos, tmp_path, monkeypatch):
    from mmcomp.faces import table

    def broken(*_):
        raise RuntimeError('boom')

    monkeypatch.setattr(table, 'pair_from_images', broken)
    row = {'sample_id': 'a', 'onset': 'a.png', 'apex': 'b.png'}
    pair = table.pair_of_row(row, tmp_path, FaceSettings())
    assert (pair.success, pair.problem) == (False, 'error')
    assert 'RuntimeError: boom' in pair.reason


def test_a_part_of_each_clip(tmp_path, make_clip):
    """By the option, unless a cell says otherwise; another part is done anew."""
    clip, frames = make_clip()
    folder = tmp_path / 'frames'
    folder.mkdir()
    for i, frame in enumerate([*frames, *frames]):
        cv2.imwrite(str(folder / f'{i}.png'), frame)
    columns = ['sample_id', 'subject', 'label', 'clip', 'clip_start', 'clip_end']
    rows = [
        ['second', 's1', 'posed', 'frames', '', ''],
        ['first', 's1', 'posed', 'frames', '0', '2.5'],
        ['reversed', 's1', 'posed', 'frames', '5', '2.5'],
        ['text', 's1', 'posed', 'frames', 'two', ''],
    ]
    table = write_table(tmp_path / 'clips.csv', columns, rows)
    out = tmp_path / 'out'
    done = prepare_faces([table], out, fps=20, workers=1, part=(2.5, 99))
    pairs = read(done.table)
    assert pairs['sample_id'].tolist() == ['second', 'first']
    second, first = pairs['apex_frame'].astype(int)
    assert abs(second - 50 - clip.apex) <= 6
    assert abs(first - clip.apex) <= 6
    assert pairs['clip_start'].tolist() == ['2.5', '0']
    failures = read(out / 'failures.csv')
    assert failures['sample_id'].tolist() == ['reversed', 'text']
    done = prepare_faces([table], out, fps=20, workers=1)
    assert done.done_before == 2
    with pytest.raises(ValueError, match='end is 1; it must be above start, 2'):
        prepare_faces([table], out, part=(2, 1))


def test_the_tool_passes_the_part_on(monkeypatch):
    class EnoughError(Exception):
        pass

    def stub(*_, part, **__):
        assert part == (1.5, None)
        raise EnoughError

    monkeypatch.setattr('mmcomp.faces.prepare.prepare_faces', stub)
    with pytest.raises(EnoughError):
        main(['a.mp4', '--out', 'x', '--start', '1.5'])


@pytest.mark.slow
def test_progress_within_a_clip(tmp_path, make_clip):
    """The only clip takes some seconds; before it is done, its share is shown."""
    frames = make_clip()[1]
    folder = tmp_path / 'frames'
    folder.mkdir()
    for i in range(300):
        cv2.imwrite(str(folder / f'{i}.png'), frames[i % 50])
    code = (
        'from mmcomp import progress\n'
        'progress._PERIOD = progress._REFRESH = 0.1\n'
        'from mmcomp.faces.prepare import prepare_faces\n'
        f'prepare_faces([{str(folder)!r}], {str(tmp_path / "out")!r}, workers=1)\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True
    )
    shown = re.findall(r'Preparing pairs: ([\d.]+)/1, \d+ s', done.stderr)
    shares = [float(share) for share in shown]
    assert shares == sorted(shares)
    assert any(0 < share < 1 for share in shares)
    assert shares[-1] == 1


def test_faces_do_not_import_torch():
    code = 'import sys, mmcomp.faces; print("torch" in sys.modules)'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.stdout == 'False\n'
