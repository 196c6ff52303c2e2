"""Train a network and test it."""

import argparse
from collections.abc import Sequence

from mmcomp.files import require_file

from .common import add_config, add_run_options, config_from_args, new_parser


def make_parser(prog: str | None = None) -> argparse.ArgumentParser:
    """Return the parser, with the options of MMPretrain's tools/train.py."""
    parser = new_parser(__doc__, prog)
    add_config(parser)
    add_run_options(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from a checkpoint, or from the last one in the work folder; it is '
        'read as plain data and can run no code',
    )
    parser.add_argument(
        '--no-validate', action='store_true', help='do not evaluate after training'
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate with the batch size of all processes',
    )
    parser.add_argument(
        '--no-persistent-workers',
        action='store_true',
        help='disable persistent_workers of dataloaders',
    )
    return parser


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Apply the options and train."""
    args = make_parser(prog).parse_args(argv)
    if args.resume not in (None, 'auto'):
        require_file(args.resume, 'checkpoint')
    cfg = config_from_args(args)
    from mmengine.device import get_device

    from mmcomp.engine.launch import build_runner

    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        if get_device() == 'cpu':  # AmpOptimWrapper needs a GPU
            cfg.optim_wrapper.type = 'mmcomp.Bfloat16OptimWrapper'
        else:
            cfg.optim_wrapper.type = 'AmpOptimWrapper'
            cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if args.resume is not None:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    if args.auto_scale_lr:
        cfg.auto_scale_lr.enable = True
    if args.no_persistent_workers:
        for name in ('train_dataloader', 'val_dataloader'):
            if cfg.get(name):
                cfg[name].persistent_workers = False
    build_runner(cfg).train()
