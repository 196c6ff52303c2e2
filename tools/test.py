"""Test a network: tools/test.py CONFIG CHECKPOINT"""

import argparse

import mmengine
from mmengine.evaluator import DumpResults

from mmcomp.cli import run_tool
from mmcomp.engine.launch import add_common_arguments, build_runner, config_from_args


def parse_args() -> argparse.Namespace:
    """Command line, with the options of MMPretrain's tools/test.py."""
    parser = argparse.ArgumentParser(description='Test a network.')
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='.pth or .safetensors file')
    add_common_arguments(parser)
    parser.add_argument(
        '--out', help='file for the results (.pkl, or .json of metrics)'
    )
    parser.add_argument(
        '--out-item',
        choices=['metrics', 'pred'],
        help='what --out holds; default pred',
    )
    args = parser.parse_args()
    if args.out is None and args.out_item is not None:
        parser.error('--out-item needs --out')
    return args


def main() -> None:
    """Apply the options and test."""
    args = parse_args()
    cfg = config_from_args(args)
    cfg.load_from = args.checkpoint
    if args.amp:
        cfg.test_cfg.fp16 = True
    runner = build_runner(cfg)
    if args.out and args.out_item != 'metrics':
        runner.test_evaluator.metrics.append(DumpResults(out_file_path=args.out))
    metrics = runner.test()
    if args.out and args.out_item == 'metrics':
        mmengine.dump(metrics, args.out)


if __name__ == '__main__':
    run_tool(main)
