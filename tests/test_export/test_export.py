"""Exports of every shipped network against PyTorch."""

import json

import numpy as np
import pytest
import torch
from runs import CONFIGS, NETWORKS

from mmcomp.apis.model import load_model
from mmcomp.export import FORMATS, export_model
from mmcomp.models.deployed import DeployedNetwork

pytestmark = pytest.mark.slow  # whole runs, files or clips

PAIRS = np.random.default_rng(0).integers(0, 256, (6, 2, 1, 48, 48), np.uint8)


def network(name):
    torch.manual_seed(0)
    model = load_model(CONFIGS / f'{name}.py', device='cpu')
    for svm in getattr(model, 'svms', ()):
        rng = np.random.default_rng(0)
        width = svm.weight.shape[1]
        svm.fit(rng.normal(size=(40, width)), np.arange(40) % 2)
    return model


@pytest.mark.slow
@pytest.mark.parametrize('name', NETWORKS)
def test_onnx_of_every_network(name, tmp_path):
    """Any batch size, normalisation and SVM inside, metadata."""
    import onnxruntime

    model = network(name)
    path = tmp_path / f'{name} x.onnx'
    result = export_model(model, path, 'onnx', PAIRS)
    assert result['difference'] < 1e-4
    assert result['bytes'] == path.stat().st_size
    session = onnxruntime.InferenceSession(str(path))
    assert [i.name for i in session.get_inputs()] == ['pairs']
    crop = PAIRS[..., 2:46, 2:46].astype(np.float32)
    for count in (1, 3, 6):
        scores = session.run(None, {'pairs': crop[:count]})[0]
        batch = model.data_preprocessor(dict(inputs=torch.from_numpy(PAIRS[:count])))
        with torch.inference_mode():
            expected = model(batch['inputs']).softmax(1).numpy()
        np.testing.assert_allclose(scores, expected, atol=1e-4)
    meta = session.get_modelmeta().custom_metadata_map
    assert json.loads(meta['classes']) == ['posed', 'spontaneous']
    assert meta['align_size'] == '48'
    assert 'no fact about people' in meta['note']


@pytest.mark.parametrize(
    'name',
    ['compcnn_comb@2', pytest.param('compcnn_sub-svm', marks=pytest.mark.slow)],
)
@pytest.mark.parametrize('fmt', FORMATS)
def test_every_format(name, fmt, tmp_path):
    path = tmp_path / 'network.bin'
    if fmt == 'safetensors':
        path = tmp_path / 'network.safetensors'
    result = export_model(network(name), path, fmt, PAIRS)
    assert result['difference'] < 1e-4
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_difference_writes_nothing(tmp_path, monkeypatch):
    """The check can fail: a file that says something else is not kept."""
    from mmcomp.export import export

    path = tmp_path / 'network.onnx'
    path.write_text('the old one')
    real = export.run_onnx
    monkeypatch.setattr(export, 'run_onnx', lambda *args: real(*args) + 0.001)
    with pytest.raises(
        ValueError, match=r'difference from PyTorch is 0\.001; it must be at most'
    ):
        export_model(network('compcnn_sub@1'), path, 'onnx', PAIRS)
    assert path.read_text() == 'the old one'
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(fmt='tflite'), "format is 'tflite'; it must be one of 'onnx'"),
        (dict(pairs=PAIRS[..., :40, :]), '40x48 pixels; they must be at least 44x44'),
        (dict(pairs=PAIRS[:1]), 'number of pairs is 1; it must be at least 2'),
    ],
)
def test_wrong_arguments(kwargs, message, tmp_path):
    arguments = dict(out=tmp_path / 'x', fmt='onnx', pairs=PAIRS)
    with pytest.raises(ValueError, match=message):
        export_model(network('compcnn_sub@1'), **{**arguments, **kwargs})


def test_unfitted_stack_is_refused():
    model = load_model(CONFIGS / 'compcnn_sub-svm.py', device='cpu')
    with pytest.raises(ValueError, match='SVM of this stack is not fitted'):
        DeployedNetwork(model)


def test_a_deployed_network_stays_in_evaluation_mode():
    """Scores do not depend on dropout, whoever calls ``train``."""
    deployed = DeployedNetwork(network('compcnn_sub@1').train())
    pairs = torch.from_numpy(PAIRS[..., 2:46, 2:46])
    expected = deployed(pairs)
    torch.testing.assert_close(deployed.train()(pairs), expected)


@pytest.mark.slow
def test_an_odd_margin_is_cropped_alike_everywhere(tmp_path):
    """48 to 45 pixels: by the export, the inferencers and the preprocessor."""
    from mmcomp.apis.scorers import make_scorer
    from mmcomp.config import load_config

    config = load_config(CONFIGS / 'compcnn_sub@1.py')
    config.model.data_preprocessor.augment.crop_size = 45
    config.model.backbone.input_shape = (1, 45, 45)
    torch.manual_seed(0)
    model = load_model(config, device='cpu')
    path = tmp_path / 'network.onnx'
    result = export_model(model, path, 'onnx', PAIRS)
    assert result['difference'] < 1e-4
    with torch.no_grad():  # the margin of 3 as torchvision halves it: 2 left, 1 right
        centre = torch.from_numpy(PAIRS[..., 2:47, 2:47])
        inputs = model.data_preprocessor.normalize(centre)
        expected = model(inputs).softmax(1).numpy()
        other = torch.from_numpy(PAIRS[..., 1:46, 1:46])
        inputs = model.data_preprocessor.normalize(other)
        assert np.abs(model(inputs).softmax(1).numpy() - expected).max() > 1e-3
    for own in (path, model):
        scores = make_scorer(own, None).scores(PAIRS)
        np.testing.assert_allclose(scores, expected, atol=1e-4)
    inputs = model.data_preprocessor(dict(inputs=torch.from_numpy(PAIRS)))['inputs']
    with torch.no_grad():
        np.testing.assert_allclose(model(inputs).softmax(1), expected, atol=1e-4)
