"""Measure mmcomp next to a plain PyTorch loop and stock MMPretrain, on this machine.

A  a training loop as a researcher would write it, data as tensors in memory
B  the same network as stock MMPretrain would be used, images read from files
C  mmcomp through its Runner with a shipped config
D  mmcomp's bare training step

Rates are pairs per second; what is compared takes turns in one process or round by
round. A few minutes; --folds adds whole cross-validations. Frames per second from
video to aligned face: benchmarks/faces.py.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import pandas as pd

from mmcomp.cli import run_tool
from mmcomp.progress import track
from mmcomp.synthetic import ensure_dataset

ROOT = Path(__file__).parents[1]
CONFIG = str(ROOT / 'configs' / 'compcnn_comb@2.py')


def measure(task: str, **arguments) -> dict:
    """Return one measurement of :mod:`benchmarks.measure`, in a process of its own."""
    threads = str(arguments.get('threads', 1))
    env = dict(os.environ, OMP_NUM_THREADS=threads, MMCOMP_STARTED=str(time.time()))
    command = [sys.executable, '-m', 'benchmarks.measure', task]
    done = subprocess.run(
        [*command, json.dumps(arguments)],
        env=env,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    if done.returncode:
        raise ValueError(f'{task} {arguments} failed:\n{done.stderr[-2000:]}')
    return json.loads(done.stdout.strip().splitlines()[-1])


def median(rows: list) -> dict:
    """Return the median of each number over rounds."""
    return {k: statistics.median(row[k] for row in rows) for k in rows[0]}


def step_rows(seconds: float, full: bool) -> list:
    """Compare A with D, at each position, batch size and number of threads."""
    cases = [(p, 32, 1) for p in (1, 2, 3)]
    cases += [(2, 64, 1), (2, 128, 1), (2, 32, 2), (2, 128, 2)] if full else []
    rows = []
    for position, batch, threads in track(cases, len(cases), 'A and D: training steps'):
        name = str(ROOT / 'configs' / f'compcnn_comb@{position}.py')
        result = measure(
            'steps', name=name, position=position, learned=True, batch=batch,
            threads=threads, seconds=seconds,
        )  # fmt: skip
        rows.append(dict(position=position, batch=batch, threads=threads, **result))
    return rows


def epoch_rows(table: str, rounds: int, full: bool) -> list:
    """Compare B with C through the Runner, round by round."""
    cases = [(32, 1), (32, 2)] + ([(64, 1), (128, 1), (128, 2)] if full else [])
    rows = []
    for batch, threads in track(cases, len(cases), 'B and C: epochs'):
        common = dict(config=CONFIG, table=table, batch=batch, threads=threads, n=4)
        results = {kind: [] for kind in 'BC'}
        for _ in range(rounds):
            for kind in 'BC':
                results[kind].append(measure('epochs', kind=kind, **common))
        rows.append(dict(batch=batch, threads=threads, **_compared(results)))
    return rows


def _compared(results: dict) -> dict:
    b, c = median(results['B']), median(results['C'])
    ratios = [x['rate'] / y['rate'] for x, y in zip(results['C'], results['B'])]
    row = {'B': b['rate'], 'C': c['rate'], 'C/B': statistics.median(ratios)}
    for key in ('start', 'memory'):
        row.update({f'B {key}': b[key], f'C {key}': c[key]})
    return row


def fold_rows(table: str, epochs: int, folds: int) -> dict:
    """Time all ten folds: MMPretrain's kfold-cross-valid.py with B, ours with C."""
    import mmpretrain

    tool = Path(mmpretrain.__file__).parent / '.mim/tools/kfold-cross-valid.py'
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, 'stock.py')
        code = (
            'from benchmarks.stock import stock_config\n'
            'from mmengine.config import Config\n'
            f'Config(stock_config({table!r}, 2, 32, {epochs})).dump({str(config)!r})\n'
        )
        subprocess.run([sys.executable, '-c', code], check=True, cwd=ROOT)
        stock = [sys.executable, str(tool), str(config), '--num-splits', str(folds)]
        stock += ['--work-dir', str(Path(folder, 'stock'))]
        dataset = Path(folder, 'dataset.py')
        dataset.write_text(
            f'_base_ = {str(ROOT / "configs/_base_/datasets/pairs.py")!r}\n'
            f'data = dict(ann_file={table!r})\n'
            'train_dataloader = dict(dataset=data)\n'
            'val_dataloader = dict(dataset=data)\n'
            'test_dataloader = val_dataloader\n'
        )
        ours = [sys.executable, str(ROOT / 'tools/cross_validate.py'), CONFIG]
        ours += ['--n-splits', str(folds), '--dataset', str(dataset)]
        options = ['--cfg-options', f'train_cfg.max_epochs={epochs}']
        options += [f'train_cfg.val_interval={epochs}']
        bfloat16 = ['optim_wrapper.type=mmcomp.Bfloat16OptimWrapper']
        commands = {'MMPretrain': stock}
        for name, more in (('mmcomp', []), ('mmcomp, bfloat16', bfloat16)):
            work_dir = ['--work-dir', str(Path(folder, name))]
            commands[name] = [*ours, *work_dir, *options, *more]
        seconds = {}
        for name, command in track(commands.items(), len(commands), 'whole folds'):
            start = time.time()
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise ValueError(f'{name} failed:\n{done.stderr[-2000:]}')
            seconds[name] = time.time() - start
    return dict(epochs=epochs, folds=folds, **seconds)


def growth_rows(table: str) -> dict:
    """Measure time and memory against the number of pairs, subjects and runs."""
    cases = [
        *(
            ('pairs', dict(table=table, n=n, cache=cache))
            for cache in ('ram', 'none')
            for n in (1000, 4203, 20000, 100000)
        ),
        *(('subjects', dict(n=n)) for n in (148, 1000, 10000)),
        *(('runs', dict(n=n)) for n in (10, 100, 1000)),
    ]
    rows = {}
    for what, case in track(cases, len(cases), 'growth'):
        result = measure(f'growth_{what}', **case)
        case = {k: v for k, v in case.items() if k != 'table'}
        rows.setdefault(what, []).append({**case, **result})
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--seconds', type=float, default=8, help='for each A/D case')
    parser.add_argument('--rounds', type=int, default=3, help='of B and C')
    parser.add_argument('--quick', action='store_true', help='only the main cases')
    parser.add_argument('--folds', type=int, nargs='*', metavar='EPOCHS',
                        help='also ten folds with so many epochs')  # fmt: skip
    parser.add_argument('--growth', action='store_true',
                        help='also up to 100,000 pairs, 1,000 runs')  # fmt: skip
    parser.add_argument('--data', default='data/synthetic', help='rendered data')
    parser.add_argument('--json', type=Path, help='also write all numbers here')
    args = parser.parse_args()
    small = str(ensure_dataset('nvie-subset', args.data).resolve())
    large = str(ensure_dataset('nvie-full', args.data).resolve())
    big = dict(kind='C', config=CONFIG, table=large, batch=32, threads=1, n=2)
    results = dict(
        machine=f'{platform.processor() or platform.machine()}, {os.cpu_count()} cores',
        date=str(date.today()),
        steps=step_rows(args.seconds, not args.quick),
        epochs=epoch_rows(small, args.rounds, not args.quick),
        large=median([measure('epochs', **big) for _ in range(args.rounds)]),
        bare_import=median([measure('bare_import') for _ in range(args.rounds)]),
        import_mmcomp=measure('import_mmcomp'),
        inference=[
            dict(
                threads=n,
                **measure('inference', config=CONFIG, threads=n, seconds=args.seconds),
            )
            for n in (1, 2)
        ],
        growth=growth_rows(small) if args.growth else {},
        folds=[fold_rows(small, epochs, 10) for epochs in args.folds or []],
    )
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + '\n')
    show(results)


def show(results: dict) -> None:
    """Print the tables."""
    print(f'{results["date"]}, {results["machine"]}\n')
    steps = pd.DataFrame(results['steps'])
    steps = steps.drop(columns=[c for c in steps if 'quartiles' in c])
    print('training and evaluation steps, pairs/s; ceiling in GFLOP/s, share of it')
    print(steps.to_markdown(index=False, floatfmt='.2f'), '\n')
    print('epochs through the Runner, pairs/s; seconds to the first iteration; MB')
    epochs = pd.DataFrame(results['epochs'])
    print(epochs.to_markdown(index=False, floatfmt='.2f'), '\n')
    bare, first = results['bare_import'], results['epochs'][0]
    print(
        f'start: {first["C start"]:.1f} s to the first iteration, '
        f'{first["C start"] / bare["start"]:.2f} times the bare import of torch and '
        f'mmpretrain ({bare["start"]:.1f} s); import mmcomp adds '
        f'{1000 * results["import_mmcomp"]["extra"]:.0f} ms'
    )
    large = results['large']
    print(f'4203 pairs: {large["memory"]:.0f} MB above the imports')
    print('\ninference: one pair in ms, batches of 64 in pairs/s')
    print(pd.DataFrame(results['inference']).to_markdown(index=False, floatfmt='.2f'))
    for what, rows in results['growth'].items():
        print(f'\ngrowth with {what}: seconds, MB above the imports')
        print(pd.DataFrame(rows).to_markdown(index=False, floatfmt='.2f'))
    for row in results['folds']:
        print(
            f'{row["folds"]} folds of {row["epochs"]} epochs: MMPretrain '
            f'{row["MMPretrain"]:.0f} s; '
            + '; '.join(
                f'{name} {row[name]:.0f} s, '
                f'{row["MMPretrain"] / row[name]:.1f} times faster'
                for name in ('mmcomp', 'mmcomp, bfloat16')
            )
        )


if __name__ == '__main__':
    run_tool(main)
