"""Rates of single steps: training, evaluation and inference, in turns."""

import os
import statistics
import tempfile

from .clock import timed


def steps(
    name: str, position: int, learned: bool, batch: int, threads: int, seconds: float
) -> dict:
    """Time training and evaluation of A and D, and the float32 ceiling, in turns.

    Returns:
        dict: Rates ``A``, ``D``, ``D_bf16`` (training), ``A_eval``, ``D_eval``; the
        median of the ratios ``D/A`` and their quartiles; ``ceiling`` in GFLOP/s and
        ``D_share`` of it by the formula's operations.
    """
    import torch
    import torch.nn.functional as F
    from mmengine.config import Config

    import mmcomp.models  # noqa: F401
    from mmcomp.registry import MODELS

    from .plain import PlainNet, training_flops

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    pairs = torch.randn(batch, 2, 1, 44, 44)
    labels = torch.randint(0, 2, (batch,))
    plain = PlainNet(position, learned)
    ours = MODELS.build(Config.fromfile(name).model)

    def training(model, fused, dtype=None):
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=1e-4, weight_decay=0.5, fused=fused
        )

        def step():
            model.train()
            with torch.autocast('cpu', dtype or torch.bfloat16, enabled=bool(dtype)):
                loss = F.cross_entropy(model(pairs).float(), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        return step

    def evaluation(model):
        def step():
            model.eval()
            with torch.inference_mode():
                model(pairs)

        return step

    square = torch.randn(2048, 2048)
    times = timed(
        {
            'A': training(plain, None),
            'D': training(ours, True),
            'D_bf16': training(ours, True, torch.bfloat16),
            'A_eval': evaluation(plain),
            'D_eval': evaluation(ours),
            'ceiling': lambda: square @ square,
        },
        seconds,
    )
    result = {k: batch / statistics.median(v) for k, v in times.items()}
    result['ceiling'] = 2 * 2048**3 / statistics.median(times['ceiling']) / 1e9
    for key in ('D', 'D_bf16'):
        ratios = [a / d for a, d in zip(times['A'], times[key])]
        result[f'{key}/A'] = statistics.median(ratios)
        result[f'{key}/A quartiles'] = statistics.quantiles(ratios, n=4)[::2]
    flops = training_flops(position, learned)
    result['D_share'] = result['D'] * flops / 1e9 / result['ceiling']
    return result


def inference(config: str, threads: int, seconds: float) -> dict:
    """Compare the exported network in ONNX Runtime with PyTorch, taking turns.

    Returns:
        dict: ``torch_1``, ``onnx_1``, milliseconds for one pair; ``torch``, ``onnx``,
        pairs per second in batches of 64.
    """
    import numpy as np
    import onnxruntime
    import torch

    from mmcomp.apis.model import load_model
    from mmcomp.export import export_model
    from mmcomp.models.deployed import DeployedNetwork

    torch.set_num_threads(threads)
    model = load_model(config, device='cpu')
    shape = (64, 2, *DeployedNetwork(model).input_shape)
    pairs = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'network.onnx')
        export_model(model, path, 'onnx', pairs)
        session = onnxruntime.InferenceSession(path, options)
    network = DeployedNetwork(model)

    def in_torch(pairs):
        with torch.inference_mode():
            network(torch.from_numpy(pairs))

    def in_onnx(pairs):
        session.run(None, {'pairs': pairs.astype(np.float32)})

    times = timed(
        {
            'torch_1': lambda: in_torch(pairs[:1]),
            'onnx_1': lambda: in_onnx(pairs[:1]),
            'torch': lambda: in_torch(pairs),
            'onnx': lambda: in_onnx(pairs),
        },
        seconds,
    )
    middle = {key: statistics.median(value) for key, value in times.items()}
    return {k: 1000 * t if k.endswith('1') else 64 / t for k, t in middle.items()}
