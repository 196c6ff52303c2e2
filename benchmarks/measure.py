"""The single measurements; each is a process of its own: ``python -m ... TASK JSON``.

A process prints one line of JSON. Rates are pairs per second.
"""

import json
import os
import re
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

STARTED = float(os.environ.get('MMCOMP_STARTED', time.time()))


def peak_mb() -> float:
    """Peak memory of this process so far, in MB."""
    try:
        status = Path('/proc/self/status').read_text()
    except OSError:  # macOS; on Linux getrusage would tell the parent's peak, too
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return int(re.search(r'VmHWM:\s*(\d+)', status)[1]) / 1024


def timed(functions: dict[str, Callable[[], None]], seconds: float) -> dict[str, list]:
    """Seconds of single calls, the functions taking turns, after three of warm-up."""
    for function in functions.values():
        for _ in range(3):
            function()
    times: dict[str, list[float]] = {name: [] for name in functions}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(next(iter(times.values()))) < 5:
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            times[name].append(time.perf_counter() - start)
    return times


def steps(
    name: str, position: int, learned: bool, batch: int, threads: int, seconds: float
) -> dict:
    """A's and D's training steps, evaluations, and the float32 ceiling, interleaved.

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


def epochs(
    kind: str, config: str, table: str, batch: int, threads: int, n: int
) -> dict:
    """Epochs through the Runner: 'C' is mmcomp's config, 'B' stock MMPretrain.

    Returns:
        dict: ``rate`` of training (median epoch but the first), ``start`` seconds from
        process start to the first iteration, ``memory`` in MB above the imports.
    """
    import torch

    torch.set_num_threads(threads)
    from mmengine.config import Config
    from mmengine.hooks import Hook

    import mmcomp.engine
    import mmcomp.models  # noqa: F401
    from mmcomp.engine.launch import build_runner

    imports = peak_mb()

    class Clock(Hook):
        """Notes when epochs and the first iteration start."""

        def __init__(self):
            self.first, self.epochs, self.began = None, [], None

        def before_train_epoch(self, runner):
            self.began = time.perf_counter()

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            self.first = self.first or time.time()

        def after_train_epoch(self, runner):
            self.epochs.append(time.perf_counter() - self.began)

    if kind == 'B':
        from .stock import stock_config

        cfg = Config(stock_config(table, 2, batch, n))
    else:
        cfg = Config.fromfile(config)
        cfg.train_cfg.max_epochs = cfg.train_cfg.val_interval = n
        cfg.train_dataloader.batch_size = batch
        for loader in ('train', 'val', 'test'):
            dataset = cfg[f'{loader}_dataloader'].dataset
            dataset.type = 'mmcomp.PairDataset'
            dataset.pop('preset', None)
            dataset.ann_file = table
        # The stock run trains on all pairs; so does this one.
        cfg.train_dataloader.dataset.update(split=None, subset='all')
        cfg.custom_hooks = [h for h in cfg.custom_hooks if 'Seed' in h['type']]
    clock = Clock()
    with tempfile.TemporaryDirectory() as work_dir:
        cfg.work_dir, cfg.log_level = work_dir, 'WARNING'
        cfg.launcher = 'none'
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
        runner = build_runner(cfg)
        runner.register_hook(clock, 'VERY_LOW')
        runner.train()
    size = len(runner.train_dataloader.dataset)
    later = clock.epochs[1:] or clock.epochs
    return dict(
        rate=size / statistics.median(later),
        start=clock.first - STARTED,
        memory=peak_mb() - imports,
    )


def bare_import() -> dict:
    """Seconds from process start until torch and MMPretrain are imported."""
    import mmpretrain  # noqa: F401
    import torch  # noqa: F401

    return dict(start=time.time() - STARTED, memory=peak_mb())


def import_mmcomp() -> dict:
    """What ``import mmcomp`` adds to its parent packages, in seconds."""
    import mmcv  # noqa: F401
    import mmpretrain  # noqa: F401
    import torch  # noqa: F401

    start = time.perf_counter()
    import mmcomp  # noqa: F401

    return dict(extra=time.perf_counter() - start)


def inference(config: str, threads: int, seconds: float) -> dict:
    """The exported network in ONNX Runtime beside PyTorch, taking turns.

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


def growth_pairs(table: str, n: int, cache: str) -> dict:
    """Building a dataset of ``n`` pairs, the rows of a table repeated under new ids.

    Returns:
        dict: ``seconds``, and ``memory`` in MB above the imports.
    """
    import csv

    from mmcomp.datasets import PairDataset

    folder = os.path.dirname(table)
    with open(table, encoding='utf-8', newline='') as stream:
        rows = list(csv.DictReader(stream))
    with tempfile.TemporaryDirectory() as temporary:
        larger = os.path.join(temporary, 'pairs.csv')
        with open(larger, 'w', encoding='utf-8', newline='') as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            for i in range(n):
                writer.writerow({**rows[i % len(rows)], 'sample_id': f'p{i}'})
        del rows
        pipeline = [dict(type='mmcomp.LoadPair'), dict(type='mmcomp.PackPairInputs')]
        options = dict(pipeline=pipeline, cache=cache)
        PairDataset(table, **options)[0]  # imports what is imported late
        imports, start = peak_mb(), time.perf_counter()
        dataset = PairDataset(larger, data_prefix=dict(img_path=folder), **options)
        seconds = time.perf_counter() - start
        for i in range(0, n, max(1, n // 1000)):
            dataset[i]
    return dict(seconds=seconds, memory=peak_mb() - imports)


def growth_subjects(n: int) -> dict:
    """Seconds for all ten folds of ``n`` subjects with ten pairs each."""
    from mmcomp.datasets.splits import SubjectKFold

    subjects = [f's{i}' for i in range(n) for _ in range(10)]
    start = time.perf_counter()
    for fold in range(10):
        SubjectKFold(n_splits=10, fold=fold, seed=0).assign(subjects)
    return dict(seconds=time.perf_counter() - start)


def growth_runs(n: int) -> dict:
    """Writing the report of ``n`` runs of one network, 100 pairs each.

    Returns:
        dict: ``seconds``, and ``memory`` in MB above the imports.
    """
    import numpy as np
    import pandas as pd

    from mmcomp.columns import MEMBER, STACK, VARIANT
    from mmcomp.evaluation.prediction_table import write_prediction_table
    from mmcomp.experiments.driver import DATA_FILE
    from mmcomp.experiments.plan import ExperimentSettings, make_runs, write_settings
    from mmcomp.experiments.report import write_report

    classes, folds = ['posed', 'spontaneous'], 10
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        settings = ExperimentSettings(['diffcnn.py'], seeds=list(range(n // folds)))
        write_settings(settings, folder)
        data = dict(
            table='pairs.csv', name='made up', synthetic=True, classes=classes,
            pairs=100 * folds, subjects=10 * folds, labels=dict.fromkeys(classes, 500),
            folds=folds, oracle=None, columns={},
        )  # fmt: skip
        (folder / DATA_FILE).write_text(json.dumps(data))
        for run in make_runs(settings, folds):
            ids = [f'{run.fold}-{i}' for i in range(100)]
            score = rng.random(100)
            own = pd.DataFrame(
                {
                    'sample_id': ids,
                    'subject': [f'{run.fold}-{i // 10}' for i in range(100)],
                    'label': [classes[i % 2] for i in range(100)],
                    'score_posed': 1 - score,
                    'score_spontaneous': score,
                    'predicted': np.take(classes, (score > 0.5).astype(int)),
                    'model': 'diffcnn',
                    'fold': run.fold,
                    'seed': run.seed,
                    **dict.fromkeys([*VARIANT, STACK, MEMBER]),
                }
            )
            write_prediction_table(own, folder / run.folder / 'predictions.csv')
        imports, start = peak_mb(), time.perf_counter()
        write_report([folder])
        return dict(seconds=time.perf_counter() - start, memory=peak_mb() - imports)


def main() -> None:
    """Do one measurement and print it."""
    task, arguments = sys.argv[1], json.loads(sys.argv[2])
    result = globals()[task](**arguments)
    print(json.dumps(result))


if __name__ == '__main__':
    main()
