"""tools/predict.py on real input: clips of people, and what people hand over instead.

The network is trained on noise; what it says does not matter here.
"""

import json
import subprocess
import sys

import cv2
import numpy as np
import pandas as pd
import pytest
from runs import REPOSITORY

from mmcomp.apis import PairInferencer
from mmcomp.faces import Clip

SMILE = 17  # the last frame before the smile of single_face.mp4


@pytest.fixture(scope='module')
def odd_clips(real_clips, tmp_path_factory, write_video):
    """A folder of clips made of the smile: large, turned, of two, broken."""
    folder = tmp_path_factory.mktemp('odd clips')
    clip = Clip(real_clips / 'single_face.mp4')
    frames = [frame for _, frame in clip]
    smile = frames[:36]
    large = [cv2.resize(frame, (3840, 2160)) for frame in smile[::3]]
    write_video(folder / '4k.mp4', large, clip.fps / 3)
    turned = [cv2.rotate(frame, cv2.ROTATE_90_CLOCKWISE) for frame in smile]
    write_video(folder / 'turned.mp4', turned, clip.fps)
    two = [np.hstack([frame, frame[:, ::-1]]) for frame in smile]
    write_video(folder / 'two.mp4', two, clip.fps)
    write_video(folder / 'one frame.mp4', frames[:1], clip.fps)
    write_video(folder / 'still.mp4', [frames[0]] * 20, clip.fps)
    (folder / 'corrupt.mp4').write_bytes(b'nonsense' * 500)
    whole = (real_clips / 'single_face.mp4').read_bytes()
    (folder / 'cut off.mp4').write_bytes(whole[: len(whole) // 2])
    return folder


@pytest.fixture(scope='module')
def model(trained):
    """Config and checkpoint."""
    return trained / 'compcnn_sub@1.py', trained / 'compcnn_sub@1' / 'epoch_2.pth'


@pytest.fixture(scope='module')
def predicted(model, real_clips, odd_clips, tmp_path_factory):
    """The tool's rows by input, what it printed, and its folder."""
    out = tmp_path_factory.mktemp('predicted')
    names = 'single_face.mp4', 'WolfgangLanger_Pexels.mp4', 'no_face.mp4'
    clips = [real_clips / name for name in names]
    command = [sys.executable, REPOSITORY / 'tools' / 'predict.py', *model, *clips]
    command += [odd_clips, '--pictures', '--device', 'cpu', '--out', out]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = json.loads((out / 'predictions.json').read_text())['predictions']
    return {row['input']: row for row in rows}, done.stdout, out


def test_smile(predicted):
    """The apex lies in the smile, the onset before it."""
    row = predicted[0]['single_face.mp4']
    assert row['success']
    assert row['onset_frame'] <= SMILE + 1 < row['apex_frame'] < 72
    assert row['spotting_confidence'] > 0.6
    assert min(row['onset_face_score'], row['apex_face_score']) > 0.9
    assert sum(row['pred_scores'].values()) == pytest.approx(1, abs=1e-4)
    assert row['pred_class'] in ('posed', 'spontaneous')


@pytest.mark.parametrize(
    ('name', 'reason'),
    [
        ('no_face.mp4', 'no face was found in any of the 95 frames'),
        ('corrupt.mp4', "'corrupt.mp4' cannot be opened as a video"),
        ('cut off.mp4', "'cut off.mp4' cannot be opened as a video"),
        ('one frame.mp4', 'the clip has one frame, and onset and apex need two'),
        ('still.mp4', 'no expression was found: the face moved by 0.'),
        # A hand that wipes the mouth.
        ('WolfgangLanger_Pexels.mp4', 'no expression was found: the face moved by'),
    ],
)
def test_what_is_wrong(predicted, name, reason):
    rows, said, _ = predicted
    row = rows[name]
    assert row['reason'].startswith(reason)
    assert not row['success']
    assert row['pred_class'] is row['pred_scores'] is row['apex_frame'] is None
    assert f'{name}: no prediction: {reason}' in said


@pytest.mark.parametrize(
    ('name', 'step', 'notes'),
    [
        ('4k.mp4', 3, ()),
        ('turned.mp4', 1, ('onset: the face is turned by', 'and was set upright')),
        ('two.mp4', 1, ('a second face was seen in', 'the one that was followed was')),
    ],
)
def test_what_was_chosen(predicted, name, step, notes):
    """Onset and apex are found as in the clip itself."""
    rows, said, _ = predicted
    row, smile = rows[name], rows['single_face.mp4']
    assert row['success']
    assert row['onset_frame'] * step <= SMILE + 1 < row['apex_frame'] * step
    assert abs(row['onset_frame'] * step - smile['onset_frame']) <= 2 * step
    assert all(note in row['notes'] for note in notes)
    assert bool(row['notes']) == bool(notes)
    assert all(note in said for note in notes)


def test_two_people_may_be_refused(model, odd_clips):
    infer = PairInferencer(*map(str, model), 'cpu', settings=dict(several='fail'))
    (row,) = infer(odd_clips / 'two.mp4')
    assert row['reason'] == 'onset: 2 faces of similar size were found'
    assert not row['success']


def test_table_and_pictures(predicted):
    rows, _, out = predicted
    table = pd.read_csv(out / 'predictions.csv')
    assert table['input'].tolist() == list(rows)
    assert table['success'].tolist() == [row['success'] for row in rows.values()]
    pictures = {path.name for path in (out / 'pictures').iterdir()}
    assert pictures == {f'{k}.png' for k, row in rows.items() if row['success']}
    picture = cv2.imread(str(out / 'pictures' / 'turned.mp4.png'))
    upright = cv2.imread(str(out / 'pictures' / 'single_face.mp4.png'))
    assert picture.shape == upright.shape
    side = picture.shape[0]
    onset = np.s_[side // 4 : -side // 8, 10:side]
    assert np.abs(picture[onset].astype(int) - upright[onset]).mean() < 8
