"""Cross-validate networks by subject: tools/cross_validate.py CONFIG... --work-dir DIR

Runs every config on every fold with every seed, each run in a process of its own.
Started again, it does only what is missing. See tools/report.py, too.
"""

import argparse
import functools
import sys
from pathlib import Path

from mmengine.config import DictAction

from mmcomp.cli import run_tool
from mmcomp.datasets.controls import CONTROLS
from mmcomp.experiments.driver import run_experiment
from mmcomp.experiments.executors import make_executor
from mmcomp.experiments.plan import SPLITS, ExperimentSettings
from mmcomp.experiments.report import write_report


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('configs', nargs='+', metavar='CONFIG', help='a stack gives its members too')
    add('--work-dir', required=True, help='folder of the experiment')
    add('--dataset', metavar='CONFIG', help='a file of configs/_base_/datasets/ to use')
    add('--split', choices=SPLITS, default='subject-kfold', help='default: %(default)s')
    add('--n-splits', type=int, default=10, help='folds; default: %(default)s')
    add('--split-seed', type=int, default=0, help='assignment of subjects to folds')
    add('--folds', type=int, nargs='+', help='only these folds')
    add(
        '--seeds',
        type=int,
        default=1,
        help='how many seeds of training, from 0; default: %(default)s',
    )
    add(
        '--train-subjects',
        type=int,
        nargs='+',
        default=[],
        metavar='N',
        help='learning curve: train on this many subjects, each set within the next; '
        'the test subjects stay the same',
    )
    add(
        '--controls',
        nargs='+',
        default=[],
        choices=CONTROLS,
        help='also run the networks on pairs that are spoilt in these ways',
    )
    add('--only-controls', action='store_true', help='run the controls alone')
    add(
        '--shift',
        type=float,
        nargs='+',
        default=[],
        metavar='PX',
        help='also test each network with the apex shifted by this many pixels',
    )
    add(
        '--every-epoch',
        action='store_true',
        help='test after every epoch, for the column "best test epoch (not valid)"',
    )
    add('--workers', type=int, help='runs at once; default: one for each core')
    add('--threads', type=int, default=1, help='threads of each; default: %(default)s')
    add('--executor', choices=['process', 'dask'], default='process')
    add('--address', help='of a Dask scheduler; all must see the same files')
    add('--keep-checkpoints', action='store_true', help='keep the weights of each run')
    add('--no-report', action='store_true', help='leave tools/report.py for later')
    add('--cfg-options', nargs='+', action=DictAction, default={}, help='key=value ...')
    return parser.parse_args()


def main() -> None:
    """Run the experiment and report it."""
    args = parse_args()
    options = dict(args.cfg_options)
    if args.every_epoch:
        options['train_cfg.val_interval'] = 1
    settings = ExperimentSettings(
        configs=args.configs,
        dataset=args.dataset,
        split=args.split,
        n_splits=args.n_splits,
        split_seed=args.split_seed,
        folds=args.folds,
        seeds=list(range(args.seeds)),
        train_subjects=args.train_subjects,
        controls=args.controls,
        only_controls=args.only_controls,
        shift=args.shift,
        cfg_options=options,
    )
    folder = Path(args.work_dir)
    executor = functools.partial(
        make_executor, args.executor, args.workers, args.threads, args.address
    )
    outcome = run_experiment(
        settings, folder, executor, args.threads, args.keep_checkpoints
    )
    for run, reason in outcome.failures.items():
        print(f'\n{run} failed:\n{reason}', file=sys.stderr)
    if outcome.failures:
        sys.exit(
            f'error: {len(outcome.failures)} of {len(outcome.runs)} runs failed; the '
            'others are done. Start again to repeat the failed ones.'
        )
    if not args.no_report:
        print(write_report([folder]))


if __name__ == '__main__':
    run_tool(main)
