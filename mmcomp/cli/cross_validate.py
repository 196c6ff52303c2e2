"""Cross-validate networks by subject and report the result.

Runs every config on every fold with every seed, each run in a process of its own. If it
is stopped and started again, it does only what is missing.
"""

import argparse
import functools
import sys
from collections.abc import Sequence
from pathlib import Path

from mmcomp.experiments.plan import SPLITS, ExperimentSettings
from mmcomp.installed import find_config

from .choices import CONTROLS
from .common import add_config_options, add_dataset, at_least, new_parser


def make_parser(prog: str | None = None) -> argparse.ArgumentParser:
    """Return the parser."""
    parser = new_parser(__doc__, prog)
    add = parser.add_argument
    add(
        'configs',
        nargs='+',
        metavar='CONFIG',
        help='config files, or names of those that come with mmcomp; a stack reports '
        'its members, too',
    )
    add('--work-dir', required=True, help='folder of the experiment')
    add_dataset(parser)
    add(
        '--split',
        choices=SPLITS,
        default='subject-kfold',
        help='how subjects are split; default: %(default)s',
    )
    add(
        '--n-splits',
        type=at_least(2),
        default=10,
        help='folds of subject-kfold; default: %(default)s',
    )
    add(
        '--split-seed',
        type=at_least(0),
        default=0,
        help='seed of the assignment of subjects to folds; default: %(default)s',
    )
    add(
        '--folds',
        type=at_least(0),
        nargs='+',
        help='run only these folds; default: all',
    )
    add(
        '--seeds',
        type=at_least(1),
        default=1,
        help='number of training seeds, counted from 0; default: %(default)s',
    )
    add(
        '--train-subjects',
        type=at_least(1),
        nargs='+',
        default=[],
        metavar='N',
        help='learning curve: train on N subjects. Larger sets contain the smaller '
        'ones, and the test subjects stay the same',
    )
    add(
        '--controls',
        nargs='+',
        default=[],
        choices=CONTROLS,
        help='run these controls as well',
    )
    add('--only-controls', action='store_true', help='run nothing but the controls')
    add(
        '--shift',
        type=float,
        nargs='+',
        default=[],
        metavar='PX',
        help='also test each network with the apex shifted by PX pixels',
    )
    add(
        '--every-epoch',
        action='store_true',
        help='test after every epoch, for the column "best test epoch (not valid)"',
    )
    add('--workers', type=at_least(1), help='runs at a time; default: one per core')
    add(
        '--threads',
        type=at_least(1),
        default=1,
        help='threads of each run; default: %(default)s',
    )
    add(
        '--executor',
        choices=['process', 'dask'],
        default='process',
        help='what starts the runs; default: %(default)s',
    )
    add(
        '--address',
        help='address of a Dask scheduler; all its machines must see the same files',
    )
    add('--keep-checkpoints', action='store_true', help='keep the weights of each run')
    add(
        '--no-report',
        action='store_true',
        help='write no report; the command report can do so later',
    )
    add_config_options(parser)
    return parser


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Run the experiment and report it."""
    args = make_parser(prog).parse_args(argv)
    options = dict(args.cfg_options or {})
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
    for name in [*args.configs, *filter(None, [args.dataset])]:
        find_config(name)
    from mmcomp.config import load_config

    for config in args.configs:
        load_config(config, args.dataset, options)
    from mmcomp.experiments.driver import run_experiment
    from mmcomp.experiments.executors import make_executor
    from mmcomp.experiments.report import write_report

    folder = Path(args.work_dir)
    executor = functools.partial(
        make_executor, args.executor, args.workers, args.threads, args.address
    )
    outcome = run_experiment(
        settings, folder, executor, args.threads, args.keep_checkpoints
    )
    for run, reason in outcome.failures.items():
        print(f'{run} failed: {reason}', file=sys.stderr)
    if outcome.failures:
        sys.exit(
            f'error: {len(outcome.failures)} of {len(outcome.runs)} runs failed; the '
            'others are done. Start again to repeat the failed ones.'
        )
    if not args.no_report:
        print(write_report([folder]))
