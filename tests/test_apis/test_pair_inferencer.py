"""PairInferencer and tools/predict.py."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from runs import REPOSITORY, build, small_config

from mmcomp.apis import PairInferencer
from mmcomp.apis.model import load_model
from mmcomp.checkpoint import load_plain_checkpoint
from mmcomp.export import export_model

NAMES = ['compcnn_sub@1', 'compcnn_comb-svm']


def inferencer(trained, name='compcnn_sub@1', **kwargs):
    return PairInferencer(
        str(trained / f'{name}.py'), str(trained / name / 'epoch_2.pth'), **kwargs
    )


@pytest.mark.parametrize('name', NAMES)
def test_aligned_pairs_get_the_scores_of_the_test_run(trained, name, tmp_path):
    """One by one, in batches, from the table or from arrays."""
    table = trained / 'pairs.csv'
    cfg = small_config(table, tmp_path, name)
    cfg.load_from = str(trained / name / 'epoch_2.pth')
    cfg.test_dataloader.dataset.update(subset='all', split=None)
    build(cfg).test()
    expected = pd.read_csv(tmp_path / 'predictions.csv')
    infer = inferencer(trained, name, aligned=True)
    rows = pd.read_csv(table)
    arrays = [
        tuple(cv2.imread(str(trained / row[c]), 0) for c in ('onset', 'apex'))
        for _, row in rows.iterrows()
    ]
    for inputs, batch_size in ((str(table), 1), (table, 7), (arrays, 5)):
        results = infer(inputs, batch_size=batch_size)
        scores = [r['pred_scores']['spontaneous'] for r in results]
        np.testing.assert_allclose(scores, expected['score_spontaneous'], atol=1e-5)
        assert [r['pred_class'] for r in results] == expected['predicted'].tolist()
    assert [r['input'] for r in infer(table)] == expected['sample_id'].tolist()


@pytest.mark.slow
def test_onnx_file_gives_the_same_scores_without_torch(trained, tmp_path):
    model = load_model(
        trained / 'compcnn_comb-svm.py',
        str(trained / 'compcnn_comb-svm' / 'epoch_2.pth'),
        'cpu',
    )
    pairs = np.random.default_rng(0).integers(0, 256, (8, 2, 1, 48, 48), np.uint8)
    path = tmp_path / 'a network.onnx'
    export_model(model, path, 'onnx', pairs)
    table = trained / 'pairs.csv'
    expected = inferencer(trained, 'compcnn_comb-svm', aligned=True)(table)
    code = (
        'import sys, json\n'
        'from mmcomp.apis import PairInferencer\n'
        f'r = PairInferencer({str(path)!r}, aligned=True)({str(table)!r})\n'
        'print(json.dumps([x["pred_scores"] for x in r]))\n'
        'assert "torch" not in sys.modules and "mmengine" not in sys.modules\n'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for own, other in zip(json.loads(done.stdout), expected):
        assert own == pytest.approx(other['pred_scores'], abs=1e-4)


def test_what_cannot_be_predicted_has_a_reason(trained, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    (tmp_path / 'broken.mp4').write_bytes(b'not a video')
    (tmp_path / 'broken.png').write_bytes(b'not an image')
    broken = tmp_path / 'broken.png'
    results = inferencer(trained)(
        [(noise, noise[::-1]), str(tmp_path / 'broken.mp4'), (broken, broken)]
    )
    assert [r['success'] for r in results] == [False] * 3
    assert 'no face' in results[0]['reason']
    assert all(r['reason'] and r['pred_class'] is None for r in results)
    assert [r['input'] for r in results] == ['pair0', 'broken.mp4', 'broken+broken']


def test_colours_are_brought_to_the_networks(trained):
    images = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 3), np.uint8)
    grays = [cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) for image in images]
    colour, plain = inferencer(trained, aligned=True)([tuple(images), tuple(grays)])
    assert colour['pred_scores'] == plain['pred_scores']


def test_aligned_images_of_another_size_are_refused(trained):
    """And neither squashed nor enlarged."""
    infer = inferencer(trained, aligned=True)
    face = np.zeros((48, 48), np.uint8)
    for shape in ((96, 120), (96, 96), (47, 48)):
        (result,) = infer([(face, np.zeros(shape, np.uint8))])
        assert not result['success']
        assert result['pred_class'] is None
        assert result['reason'].startswith(
            f'apex: the image has {shape[0]}x{shape[1]} pixels; an aligned face must '
            'have 48x48'
        )


def test_a_network_brings_its_class_names(trained, tmp_path):
    """Those of its training data, which its checkpoint holds."""
    checkpoint = load_plain_checkpoint(trained / 'compcnn_sub@1' / 'epoch_2.pth')
    checkpoint['meta']['dataset_meta']['classes'] = ('none', 'smile')
    path = tmp_path / 'smile.pth'
    torch.save(checkpoint, path)
    infer = PairInferencer(str(trained / 'compcnn_sub@1.py'), str(path), aligned=True)
    assert infer.classes == ('none', 'smile')
    plain = inferencer(trained, aligned=True)(trained / 'pairs.csv')
    other = {'posed': 'none', 'spontaneous': 'smile'}
    expected = [other[result['pred_class']] for result in plain]
    found = [result['pred_class'] for result in infer(trained / 'pairs.csv')]
    assert found == expected


def test_predicting_leaves_a_network_in_its_mode(trained):
    """Each part of it, and dropout has no effect meanwhile."""
    config = trained / 'compcnn_sub@1.py'
    model = load_model(config, str(trained / 'compcnn_sub@1' / 'epoch_2.pth'), 'cpu')
    expected = PairInferencer(model, aligned=True)(trained / 'pairs.csv')
    model.train()
    model.backbone.trunk.stages[0].eval()
    modes = [part.training for part in model.modules()]
    found = PairInferencer(model, aligned=True)(trained / 'pairs.csv')
    assert [r['pred_scores'] for r in found] == [r['pred_scores'] for r in expected]
    assert [part.training for part in model.modules()] == modes


def test_the_compared_map_is_that_of_the_operator(trained):
    """Computed by hand after the first stage: pool, ReLU, difference, ReLU."""
    config = trained / 'compcnn_sub@1.py'
    model = load_model(config, str(trained / 'compcnn_sub@1' / 'epoch_2.pth'), 'cpu')
    pairs = np.random.default_rng(0).integers(0, 256, (3, 2, 1, 48, 48), np.uint8)
    found = PairInferencer(model, aligned=True).scorer.compared(pairs)
    stage = model.backbone.trunk.stages[0]
    centre = torch.from_numpy(pairs[..., 2:46, 2:46])
    with torch.no_grad():
        onset, apex = (
            stage.forward(x)  # without the hook that compares
            for x in model.data_preprocessor.normalize(centre).unbind(1)
        )
    expected = (apex - onset).relu().mean(1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_stream_is_lazy(trained):
    """Results come as batches are full, so memory stays with one batch."""
    made = []
    infer = inferencer(trained, aligned=True)
    original = infer.make_pair
    infer.make_pair = lambda item: made.append(item.name) or original(item)
    stream = infer.stream(str(trained / 'pairs.csv'), batch_size=2)
    next(stream)
    assert len(made) == 2


def test_wrong_models_are_refused(trained, tmp_path):
    with pytest.raises(ValueError, match='no such file'):
        PairInferencer('nowhere.py', 'x.pth')
    with pytest.raises(ValueError, match='no such file'):
        PairInferencer('nowhere.onnx')
    (tmp_path / 'bad.onnx').write_text('hello')
    with pytest.raises(ValueError, match='cannot be read as ONNX'):
        PairInferencer(tmp_path / 'bad.onnx')
    with pytest.raises(ValueError, match='belongs to another network'):
        PairInferencer(
            str(trained / 'compcnn_sub@1.py'),
            str(trained / 'compcnn_comb-svm' / 'epoch_2.pth'),
        )
    with pytest.raises(ValueError, match='batch_size is 0'):
        inferencer(trained)([], batch_size=0)


@pytest.mark.slow
def test_tool_writes_table_json_and_pictures(trained, tmp_path):
    out = tmp_path / 'an @ out'
    (tmp_path / 'broken.mp4').write_bytes(b'x')
    command = [
        sys.executable, REPOSITORY / 'tools' / 'predict.py', trained / f'{NAMES[0]}.py',
        trained / NAMES[0] / 'epoch_2.pth', trained / 'pairs.csv',
        tmp_path / 'broken.mp4', '--aligned', '--pictures', '--out', out,
    ]  # fmt: skip
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 'no facts about people' in done.stdout
    table = pd.read_csv(out / 'predictions.csv')
    content = json.loads((out / 'predictions.json').read_text())
    assert len(table) == len(content['predictions']) == 25
    assert table['success'].sum() == 24
    assert isinstance(table['reason'].iloc[-1], str)
    scores = table[['score_posed', 'score_spontaneous']].iloc[:24]
    np.testing.assert_allclose(scores.sum(1), 1, atol=1e-5)
    pictures = sorted((out / 'pictures').glob('*.png'))
    assert len(pictures) == 24
    picture = cv2.imread(str(pictures[0]))
    assert picture.shape[1] > 2 * picture.shape[0]
    assert picture.std() > 20


@pytest.mark.slow
def test_tool_says_what_is_missing(tmp_path):
    command = [sys.executable, REPOSITORY / 'tools' / 'predict.py', 'x.py']
    for rest, message in (
        ([], 'a config needs a CHECKPOINT'),
        (['x.pth'], 'there is no INPUT'),
        (['x.pth', 'y.mp4'], "config 'x.py': no such file"),
    ):
        done = subprocess.run(
            [*map(str, [*command, *rest, '--out', tmp_path])],
            capture_output=True,
            text=True,
        )
        assert done.returncode != 0
        assert message in done.stderr
        assert 'Traceback' not in done.stderr
