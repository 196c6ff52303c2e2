"""Single measurements, each in a process of its own: ``python -m ... TASK JSON``.

A process prints one line of JSON. Rates are pairs per second. Growth with the size of
the data is measured here, steps and epochs in their modules.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from .clock import peak_mb
from .epochs import bare_import, epochs, import_mmcomp
from .steps import inference, steps


def growth_pairs(table: str, n: int, cache: str) -> dict:
    """Measure building a dataset of ``n`` pairs: rows of a table under new ids.

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
    """Return seconds for all ten folds of ``n`` subjects with ten pairs each."""
    from mmcomp.datasets.splits import SubjectKFold

    subjects = [f's{i}' for i in range(n) for _ in range(10)]
    start = time.perf_counter()
    for fold in range(10):
        SubjectKFold(n_splits=10, fold=fold, seed=0).assign(subjects)
    return dict(seconds=time.perf_counter() - start)


def growth_runs(n: int) -> dict:
    """Measure writing the report of ``n`` runs of one network, 100 pairs each.

    Returns:
        dict: ``seconds``, and ``memory`` in MB above the imports.
    """
    import numpy as np
    import pandas as pd

    from mmcomp.columns import MEMBER, STACK, VARIANT
    from mmcomp.evaluation.prediction_table import write_prediction_table
    from mmcomp.experiments.driver import DATA_FILE
    from mmcomp.experiments.plan import ExperimentSettings, make_runs
    from mmcomp.experiments.record import write_settings
    from mmcomp.experiments.report import write_report

    classes, folds = ['posed', 'spontaneous'], 10
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        settings = ExperimentSettings(['diffcnn.py'], seeds=list(range(n // folds)))
        write_settings(settings, dict(configs={}, files={}), folder)
        data = dict(
            table='pairs.csv', name='made up', synthetic=True, classes=classes,
            pairs=100 * folds, subjects=10 * folds, labels=dict.fromkeys(classes, 500),
            folds=folds, oracle=None, columns={}, digest='',
            samples={
                f'{fold}-{i}': (f'{fold}-{i // 10}', classes[i % 2], fold)
                for fold in range(folds) for i in range(100)
            },
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


TASKS = (
    bare_import,
    epochs,
    growth_pairs,
    growth_runs,
    growth_subjects,
    import_mmcomp,
    inference,
    steps,
)


def main() -> None:
    """Do one measurement and print it."""
    tasks = {task.__name__: task for task in TASKS}
    name, arguments = sys.argv[1], json.loads(sys.argv[2])
    if name not in tasks:
        raise ValueError(f'task is {name!r}; it must be one of {", ".join(tasks)}')
    print(json.dumps(tasks[name](**arguments)))


if __name__ == '__main__':
    main()
