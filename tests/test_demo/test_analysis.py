"""What the page computes, without the page."""

import gc
from dataclasses import replace

import numpy as np
import pytest

from mmcomp.apis import PairInferencer
from mmcomp.demo import analysis, drawing
from mmcomp.demo.analysis import CannotCompareError, count_frames
from mmcomp.demo.uploads import Upload
from mmcomp.faces import pair_from_images

pytestmark = pytest.mark.slow

pytest.importorskip('captum', reason='Captum is not installed')


@pytest.fixture(scope='module')
def analyst(network):
    return analysis.Analyst(*network, device='cpu')


def test_scores_are_those_of_the_inferencer(analyst, network, files):
    folder, clip = files
    told = []
    spotting = analyst.spot(folder / 'smile.mp4', lambda *n: told.append(n))
    found = analyst.compare_frames(folder / 'smile.mp4', spotting.onset, spotting.apex)
    inferencer = PairInferencer(*network, device='cpu')
    expected = inferencer(str(folder / 'smile.mp4'))[0]
    assert found.scores == expected['pred_scores']
    assert (spotting.onset, spotting.apex) == (
        expected['onset_frame'],
        expected['apex_frame'],
    )
    assert told == [(i, len(clip)) for i in range(len(clip))]
    assert found.pair.shape == (2, 44, 44)
    assert found.counted.shape == (44, 44)
    assert np.abs(found.counted).max() > 0


def test_where_nothing_changes_nothing_counts(analyst, files):
    folder = files[0]
    pair = pair_from_images(folder / 'onset.png', folder / 'apex.png')
    counted = analyst._where_it_counted(replace(pair, apex=pair.onset), 'posed')
    np.testing.assert_allclose(counted, 0, atol=1e-5)


def test_the_same_picture_twice_is_refused(analyst, files):
    path = files[0] / 'apex.png'
    with pytest.raises(CannotCompareError, match='are the same picture'):
        analyst.compare_pictures(path, path)


def test_a_face_at_rest_leaves_a_curve_to_choose_from(analyst, files):
    spotting = analyst.spot(files[0] / 'still.mp4')
    assert not spotting.success
    assert spotting.problem == 'no expression'
    assert spotting.curve.shape == (20,)


@pytest.mark.parametrize(
    ('name', 'sentence'),
    [
        ('broken.mp4', "'broken.mp4' cannot be opened as a video"),
        ('no such.mp4', "'no such.mp4': no such file or folder"),
        ('blank.png', "'blank.png' is a photo; a clip is a video or a folder"),
    ],
)
def test_no_clip(analyst, files, name, sentence):
    with pytest.raises(CannotCompareError, match=sentence):
        analyst.spot(files[0] / name)


def test_no_face(analyst, files):
    folder = files[0]
    with pytest.raises(CannotCompareError, match='apex: no face was found'):
        analyst.compare_pictures(folder / 'onset.png', folder / 'blank.png')


def test_frames_are_counted(files, monkeypatch):
    folder, clip = files
    assert count_frames(folder / 'smile.mp4') == len(clip)
    assert count_frames(folder / 'broken.mp4') == 0
    monkeypatch.setattr(analysis, 'MAX_FRAMES', len(clip) - 1)
    with pytest.raises(CannotCompareError, match='more than 49 frames'):
        count_frames(folder / 'smile.mp4')


def test_an_upload_lives_as_long_as_its_object(files):
    upload = Upload(files[0] / 'blank.png')
    path = upload.path
    assert path.read_bytes() == (files[0] / 'blank.png').read_bytes()
    del upload
    gc.collect()
    assert not path.parent.exists()


def test_what_users_hand_over_is_escaped():
    assert drawing.message('<b>.mp4 is empty') == (
        '<p class="problem" role="alert">&lt;b&gt;.mp4 is empty.</p>'
    )
    assert '&lt;i&gt;' in drawing.score_bars({'<i>': 0.75, 'b': 0.25})
