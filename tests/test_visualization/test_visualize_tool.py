"""tools/visualize.py: what users type, and what they get wrong."""

import os
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from runs import CONFIGS, NETWORKS, REPOSITORY

CONFIG = CONFIGS / 'compcnn_comb@2.py'
MOMENTS = 'onset', 'apex'


@pytest.fixture
def checkpoint(make_model, tmp_path):
    path = tmp_path / 'weights @ ü.pth'
    torch.save(make_model('compcnn_comb@2', seed=5).state_dict(), path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize('name', NETWORKS)
def test_every_network_is_shown_and_explained(name, visualize, table, tmp_path):
    config, data = CONFIGS / f'{name}.py', ('--table', table, '--count', 2)
    for command, options in (
        ('features', ('--channels', 3)),
        ('explain', ('--controls', 0, '--patch', 22)),
    ):
        out = tmp_path / f'{command}.html'
        visualize(command, config, '--random', *data, *options, '--out', out)
        pictures = out.read_text(encoding='utf-8').count('<img')
        stack = name.endswith('svm') and command == 'features'
        assert pictures == (3 if stack else 1)


def test_a_checkpoint_is_what_is_shown(visualize, checkpoint, table, tmp_path):
    rows = ('--table', table, '--id', 's01-posed-0', 's03-spontaneous-1')
    for out, weights in (('trained', checkpoint), ('random', '--random')):
        visualize('features', CONFIG, weights, *rows, '--out', tmp_path / f'{out}.png')
    trained, random = (cv2.imread(str(tmp_path / f'{x}.png')) for x in
                       ('trained', 'random'))  # fmt: skip
    assert trained.shape[1] > 800  # two columns, as there are two classes
    assert not np.array_equal(trained, random)


@pytest.mark.parametrize('command', ['features', 'explain', 'embedding'])
def test_data_must_have_the_classes_of_the_checkpoint(
    command, visualize, make_model, table, tmp_path
):
    """As in test, predict and export; the order counts as well."""
    path, out = tmp_path / 'weights.pth', tmp_path / 'x.png'
    meta = dict(dataset_meta=dict(classes=['spontaneous', 'posed']))
    state = make_model('compcnn_comb@2').state_dict()
    torch.save(dict(state_dict=state, meta=meta), path)
    with pytest.raises(
        ValueError,
        match="data are 'posed', 'spontaneous'; they must be those of "
        rf"{re.escape(str(path))}, in its order: 'spontaneous', 'posed'",
    ):
        visualize(command, CONFIG, path, '--table', table, '--out', out)
    assert not out.exists()
    if command == 'features':  # pictures without a class have none to compare
        files = [table.parent / f'images/s00-posed-0-{x}.png' for x in MOMENTS]
        visualize(command, CONFIG, path, '--aligned', '--pair', *files, '--out', out)
        assert out.exists()


def test_explanations_report_the_check_with_random_weights(
    visualize, checkpoint, table, tmp_path, monkeypatch
):
    from mmcomp.visualization import explanations

    texts = []
    draw = explanations.explanation_figure

    def keep(*args):
        figure = draw(*args)
        texts.extend(text.get_text() for text in figure.texts)
        return figure

    monkeypatch.setattr(explanations, 'explanation_figure', keep)
    common = ('--table', table, '--id', 's01-posed-0', '--patch', 22)
    out = ('--out', tmp_path / 'x.png')
    visualize('explain', CONFIG, checkpoint, *common, *out, '--class', 'spontaneous')
    text = '\n'.join(texts)
    assert 'rank correlation with maps of random weights' in text
    assert 'explained: spontaneous' in text
    assert 'control: the first pair' in text


def test_pairs_of_image_files(visualize, table, tmp_path):
    files = [table.parent / f'images/s00-posed-0-{x}.png' for x in MOMENTS]
    out = tmp_path / 'x.png'
    aligned = ('--pair', *files, '--aligned')
    visualize('pairs', CONFIG, *aligned, '--plain', '--out', out)
    assert out.is_file()
    with pytest.raises(ValueError, match='face'):  # noise, if a face is to be found
        visualize('pairs', CONFIG, '--pair', *files, '--out', out)
    visualize('explain', CONFIG, '--random', *aligned, '--controls', 0, '--out', out)


def test_landmarks(visualize, table, tmp_path):
    out = tmp_path / 'x.html'
    common = ('landmarks', CONFIG, '--table', table, '--count', 2)
    assert str(out) in visualize(*common, '--out', out)
    assert 'motion of 51 of 468 points' in out.read_text(encoding='utf-8')


def test_unaligned_images_are_refused(visualize, make_pair_table, tmp_path):
    photos = make_pair_table(tmp_path, subjects=1, pairs=1, size=(60, 80))
    with pytest.raises(ValueError, match=r'60x80 pixels .* must be 48x48.*prepare'):
        visualize('pairs', CONFIG, '--table', photos, '--out', tmp_path / 'x.png')


def test_embedding_of_a_table_with_a_marked_row(visualize, table, tmp_path):
    out = tmp_path / 'x.html'
    printed = visualize(
        'embedding',
        CONFIG,
        '--random',
        *('--table', table, '--id', 's01-posed-0', '--color-by', 'subject'),
        *('--out', out),
    )
    assert str(out) in printed
    assert '256 features of 16 pairs' in out.read_text(encoding='utf-8')


class Hostile:
    """Would leave a file behind if it were unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize('command', ['features', 'explain', 'embedding'])
def test_a_hostile_checkpoint_is_refused(command, visualize, table, tmp_path):
    path, trap = tmp_path / 'x.pth', tmp_path / 'trap'
    torch.save({'state_dict': Hostile(trap)}, path)
    with pytest.raises(ValueError, match='refused'):
        visualize(command, CONFIG, path, '--table', table, '--out', tmp_path / 'x.png')
    assert not trap.exists()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (
            ('features', '--stage', 'stages.9'),
            "stage is 'stages.9'; it must be .* stages.0",
        ),
        (
            ('features', '--id', 'nobody'),
            "sample_id is 'nobody'; it must be .* 16 pairs: s00-posed-0",
        ),
        (
            ('explain', '--class', 'happy'),
            "'happy'; it must be one of 'posed', 'spontaneous'",
        ),
        (('explain', '--patch', '99'), 'patch is 99'),
        (
            ('embedding', '--color-by', 'age'),
            "columns include 'age'; they must be of .*subject",
        ),
    ],
)
def test_mistakes_are_named(arguments, message, visualize, table, tmp_path):
    command, *options = arguments
    with pytest.raises(ValueError, match=message):
        visualize(
            *(command, CONFIG, '--random', '--table', table, *options),
            *('--out', tmp_path / 'x.png'),
        )


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (('features', '--channels', '0'), '--channels: value is 0'),
        (('features', '--count', '0'), '--count: value is 0'),
        (('explain', '--controls', '-1'), '--controls: value is -1'),
    ],
)
def test_numbers_that_are_too_small(arguments, message, visualize, tmp_path, capsys):
    command, *options = arguments
    with pytest.raises(SystemExit, match=r'^2$'):
        visualize(command, CONFIG, '--out', tmp_path / 'x.png', *options)
    assert message in capsys.readouterr().err


def test_weights_must_be_chosen(visualize, checkpoint, table, tmp_path):
    rest = ('--table', table, '--out', tmp_path / 'x.png')
    with pytest.raises(ValueError, match='give a CHECKPOINT, or --random'):
        visualize('features', CONFIG, *rest)
    with pytest.raises(ValueError, match='not both'):
        visualize('features', CONFIG, checkpoint, '--random', *rest)
    with pytest.raises(ValueError, match='belongs to another network'):
        visualize('features', CONFIGS / 'diffcnn.py', checkpoint, *rest)


@pytest.mark.slow
def test_an_unknown_row_is_one_line_for_the_user(table, tmp_path):
    done = subprocess.run(
        [sys.executable, 'tools/visualize.py', 'pairs', str(CONFIG)]
        + ['--table', str(table), '--id', 'nobody', '--out', str(tmp_path / 'x.png')],
        cwd=REPOSITORY,
        env=dict(os.environ, OMP_NUM_THREADS='1'),
        text=True,
        capture_output=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: sample_id is 'nobody'; it must be")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / 'x.png').exists()
