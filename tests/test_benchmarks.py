"""The benchmark measures what it says."""

import json
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from runs import REPOSITORY
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.plain import PlainNet, training_flops
from benchmarks.stock import stock_config
from mmcomp.registry import MODELS


@pytest.mark.parametrize('position', [1, 2, 3])
@pytest.mark.parametrize('learned', [False, True])
def test_formula_counts_what_pytorch_counts(position, learned):
    model = PlainNet(position, learned)
    with FlopCounterMode(display=False) as counter:
        scores = model(torch.randn(4, 2, 1, 44, 44))
        F.cross_entropy(scores, torch.tensor([0, 1, 0, 1])).backward()
    counted = counter.get_total_flops() / 4
    # The counter also has the gradient of the first layer's input, if it is computed.
    assert training_flops(position, learned) == pytest.approx(counted, rel=0.02)


def test_stock_network_is_the_plain_one():
    cfg = Config(stock_config('x.csv', 2, 8, 1))
    model = MODELS.build({**cfg.model, 'type': 'mmpretrain.ImageClassifier'}).eval()
    pairs = torch.randn(3, 2, 44, 44)
    torch.testing.assert_close(model(pairs), model.backbone.net(pairs[:, :, None]))


def measure(task, **arguments):
    """One measurement, in a process of its own as the tool does it."""
    command = [sys.executable, '-m', 'benchmarks.measure', task]
    done = subprocess.run(
        [*command, json.dumps(arguments)],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['B', 'C'])
def test_an_epoch_is_measured(kind, make_pair_table, tmp_path):
    table = str(make_pair_table(tmp_path, subjects=4, pairs=2))
    common = dict(config='configs/diffcnn.py', table=table, batch=8, threads=1, n=2)
    result = measure('epochs', kind=kind, **common)
    assert result['rate'] > 0
    assert 0 < result['start'] < 120
    assert 0 < result['memory'] < 2000


@pytest.mark.slow
def test_inference_is_measured():
    result = measure('inference', config='configs/diffcnn.py', threads=1, seconds=0.1)
    assert set(result) == {'torch_1', 'onnx_1', 'torch', 'onnx'}
    assert min(result.values()) > 0


@pytest.mark.slow
def test_memory_grows_only_with_what_is_kept(make_pair_table, tmp_path):
    table = str(make_pair_table(tmp_path, subjects=4, pairs=2))
    kept, read = (
        measure('growth_pairs', table=table, n=4000, cache=cache)['memory']
        for cache in ('ram', 'none')
    )
    pixels = 4000 * 2 * 48 * 48 / 2**20
    assert pixels < kept < 2.5 * pixels
    assert read < pixels


@pytest.mark.slow
def test_runs_of_a_report_are_measured():
    assert measure('growth_runs', n=20)['seconds'] > 0
