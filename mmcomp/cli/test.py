"""Test a trained network."""

import argparse
from collections.abc import Sequence

from mmcomp.files import require_file

from .common import (
    CHECKPOINT_HELP,
    add_config,
    add_run_options,
    config_from_args,
    new_parser,
)


def make_parser(prog: str | None = None) -> argparse.ArgumentParser:
    """Return the parser, with the options of MMPretrain's tools/test.py."""
    parser = new_parser(__doc__, prog)
    add_config(parser)
    parser.add_argument('checkpoint', help=CHECKPOINT_HELP)
    add_run_options(parser)
    parser.add_argument(
        '--out', help='file for the results (.pkl, or .json of metrics)'
    )
    parser.add_argument(
        '--out-item',
        choices=['metrics', 'pred'],
        help='what --out holds; default: pred',
    )
    return parser


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Apply the options and test."""
    parser = make_parser(prog)
    args = parser.parse_args(argv)
    if args.out is None and args.out_item is not None:
        parser.error('--out-item needs --out')
    require_file(args.checkpoint, 'checkpoint')
    cfg = config_from_args(args)
    import mmengine
    from mmengine.evaluator import DumpResults

    from mmcomp.engine.launch import build_runner

    cfg.load_from = args.checkpoint
    if args.amp:
        cfg.test_cfg.fp16 = True
    runner = build_runner(cfg)
    if args.out and args.out_item != 'metrics':
        runner.test_evaluator.metrics.append(DumpResults(out_file_path=args.out))
    metrics = runner.test()
    if args.out and args.out_item == 'metrics':
        mmengine.dump(metrics, args.out)
