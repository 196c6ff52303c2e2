"""Export a network to ONNX, torch.export or safetensors.

The file takes pairs (B, 2, C, H, W) of gray levels and gives scores; normalization and
the SVM of a stack are inside. It is compared with PyTorch on real pairs.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmcomp.files import require_file
from mmcomp.installed import find_config

from .choices import FORMATS
from .common import CHECKPOINT_HELP, add_config, add_dataset, new_parser


def make_parser(prog: str | None = None) -> argparse.ArgumentParser:
    """Return the parser."""
    parser = new_parser(__doc__, prog)
    add = parser.add_argument
    add_config(parser)
    add('checkpoint', help=CHECKPOINT_HELP)
    add(
        '--format',
        choices=FORMATS,
        default='onnx',
        help='format of the file; default: %(default)s',
    )
    add('--out', required=True, type=Path, help='file to write')
    add_dataset(parser, 'whose test pairs are compared')
    return parser


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Export, compare, and print the result."""
    args = make_parser(prog).parse_args(argv)
    find_config(args.dataset or args.config)
    require_file(args.checkpoint, 'checkpoint')
    from mmcomp.config import classes_of_config, load_config, use_dataset

    loaded = load_config(args.config)
    from mmcomp.apis.model import load_model
    from mmcomp.classes import check_same_classes
    from mmcomp.compat import config_of
    from mmcomp.export import check_exportable, export_model, real_pairs

    model = load_model(loaded, args.checkpoint, device='cpu')
    check_exportable(model, args.format)
    cfg = config_of(model)
    if args.dataset:
        use_dataset(cfg, args.dataset)
        check_same_classes(model.classes, classes_of_config(cfg), args.checkpoint)
    pairs = real_pairs(cfg)
    result = export_model(model, args.out, args.format, pairs)
    print(
        f'{args.out}: {result["bytes"] / 1e6:.1f} MB, classes {model.classes}; largest '
        f'difference to PyTorch on {len(pairs)} pairs: {result["difference"]:.1e}'
    )
