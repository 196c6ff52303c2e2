"""Export a network: tools/export.py CONFIG CHECKPOINT --format onnx --out FILE

The file takes pairs (B, 2, C, H, W) of gray levels and gives scores; normalisation and
the SVM of a stack are inside. It is checked against PyTorch on real pairs.
"""

import argparse
from pathlib import Path

from mmcomp.apis.model import load_model
from mmcomp.cli import run_tool
from mmcomp.engine.launch import use_dataset
from mmcomp.export import FORMATS, export_model, real_pairs


def main() -> None:
    """Export, check, and say how it went."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='.pth or .safetensors file')
    parser.add_argument('--format', choices=FORMATS, default='onnx')
    parser.add_argument('--out', required=True, type=Path, help='file to write')
    parser.add_argument('--dataset', help='dataset config whose test pairs to check on')
    args = parser.parse_args()
    model = load_model(args.config, args.checkpoint, device='cpu')
    if args.dataset:
        use_dataset(model._config, args.dataset)
    pairs = real_pairs(model._config)
    result = export_model(model, args.out, args.format, pairs)
    print(
        f'{args.out}: {result["bytes"] / 1e6:.1f} MB, classes {model.classes}; largest '
        f'difference to PyTorch on {len(pairs)} pairs: {result["difference"]:.1e}'
    )


if __name__ == '__main__':
    run_tool(main)
