"""From the command line to a Runner, for tools/train.py and tools/test.py."""

import argparse
import os
from pathlib import Path

from mmengine.config import Config, DictAction
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mmcomp.config import load_config

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that training and testing share, as MMPretrain names them."""
    parser.add_argument(
        '--work-dir',
        help='folder of logs, checkpoints and predictions; default work_dirs/CONFIG',
    )
    parser.add_argument(
        '--dataset',
        metavar='CONFIG',
        help="a file of configs/_base_/datasets/ to use instead of the config's own "
        'data',
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='automatic mixed precision; bfloat16 on a CPU',
    )
    parser.add_argument(
        '--no-pin-memory', action='store_true', help='disable pin_memory of dataloaders'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='override settings, key=value; lists as key="[a,b]" or key=a,b, without '
        'white space',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='job launcher',
    )
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS
    )


def config_from_args(args: argparse.Namespace) -> Config:
    """Read the config and apply the common options.

    Raises:
        ValueError: If a config file is missing.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = load_config(args.config, args.dataset)
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs', Path(args.config).stem))
    if args.cfg_options is not None:
        cfg.merge_from_dict(args.cfg_options)
    for name in LOADERS:
        loader = cfg.get(name)
        if loader is not None:
            loader.setdefault('collate_fn', dict(type='default_collate'))
            if args.no_pin_memory:
                loader.pin_memory = False
    return cfg


def build_runner(cfg: Config) -> Runner:
    """Return the runner that the config asks for."""
    return RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
