"""Predict the classes of photos, tables or videos.

MODEL is a config, with a CHECKPOINT, or an exported .onnx file. An INPUT is a video, a
folder of videos or frames, or a pair table; --pair ONSET APEX are two images. Faces are
detected and aligned, onset and apex of a video are spotted. Writes predictions.csv and
predictions.json: a row for each input, with a reason where there is no prediction.

A score tells how sure this network is, of classes as it learned them from its training
data. It is no probability and no fact about a person. A network trained on the rendered
heads that come with mmcomp says nothing about people.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmcomp.files import require_file
from mmcomp.installed import find_config

from .common import at_least, new_parser, quiet_decoders

NOTE = (
    'Scores are what the network learned from its training data; they are no '
    'probabilities and no facts about people.'
)


def make_parser(prog: str | None = None) -> argparse.ArgumentParser:
    """Return the parser."""
    parser = new_parser(__doc__, prog)
    add = parser.add_argument
    add('model', help='config file, or .onnx file')
    add(
        'inputs',
        nargs='*',
        metavar='[CHECKPOINT] INPUT',
        help='the checkpoint of a config, then videos, folders or pair tables',
    )
    add(
        '--pair',
        nargs=2,
        action='append',
        default=[],
        metavar=('ONSET', 'APEX'),
        help='two image files; may be given several times',
    )
    add('--out', type=Path, required=True, help='folder of the results')
    add('--pictures', action='store_true', help='also draw each prediction')
    add('--aligned', action='store_true', help='the images are aligned faces already')
    add(
        '--several',
        choices=['fail', 'largest'],
        default='largest',
        help='fail where several people are seen, or take the largest face; '
        'default: %(default)s',
    )
    add(
        '--align-by',
        choices=['own', 'onset'],
        default='own',
        help='whose eyes align the apex; default: %(default)s',
    )
    add(
        '--limit',
        type=at_least(0, float),
        default=1.0,
        help='least motion of an expression in percent of the eye distance; '
        'default: %(default)s',
    )
    add(
        '--batch-size',
        type=at_least(1),
        default=32,
        help='pairs at a time; default: %(default)s',
    )
    add('--device', help='device of PyTorch; default: a GPU if there is one')
    return parser


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Predict and write."""
    args = parse_args(argv, prog)
    if args.checkpoint is None:
        require_file(args.model, 'network')
    else:
        find_config(args.model)
        require_file(args.checkpoint, 'checkpoint')
    if args.pictures and not find_spec('matplotlib'):
        raise ValueError('--pictures needs Matplotlib: pip install matplotlib')
    quiet_decoders()
    from mmcomp.apis import PairInferencer

    inferencer = PairInferencer(
        args.model,
        args.checkpoint,
        args.device,
        args.aligned,
        dict(several=args.several, by=args.align_by, limit=args.limit),
    )
    pictures = args.out / 'pictures' if args.pictures else None
    inputs = [*args.inputs, *map(tuple, args.pair)]
    predictions = inferencer.stream(inputs, args.batch_size, pictures)
    if sys.stderr.isatty() and find_spec('rich'):
        from rich.progress import track

        results = list(track(predictions, 'predicting'))
    else:
        results = list(predictions)
    write_results(results, inferencer.classes, args.out)
    for result in results:
        if result['success']:
            said = f'{result["pred_class"]} ({result["pred_score"]:.2f})'
        else:
            said = f'no prediction: {result["reason"]}'
        notes = f' [{result["notes"]}]' if result['notes'] else ''
        print(f'{result["input"]}: {said}{notes}')
    print(f'written: {args.out / "predictions.csv"}. {NOTE}')


def parse_args(argv: Sequence[str] | None, prog: str | None) -> argparse.Namespace:
    """Read the command line, and tell the checkpoint from the inputs."""
    parser = make_parser(prog)
    args = parser.parse_args(argv)
    args.checkpoint = None
    if not args.model.endswith('.onnx'):
        if not args.inputs:
            parser.error('a config needs a CHECKPOINT behind it')
        args.checkpoint, *args.inputs = args.inputs
    if not args.inputs and not args.pair:
        parser.error('there is no INPUT')
    return args


def write_results(
    results: Sequence[dict[str, Any]], classes: Sequence[str], folder: Path
) -> None:
    """Write ``predictions.json`` and ``predictions.csv`` into a folder."""
    import pandas as pd

    from mmcomp.files import write_text

    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(
        dict(note=NOTE, predictions=results), indent=1, ensure_ascii=False
    )
    write_text(folder / 'predictions.json', text + '\n')
    table = pd.DataFrame(results).drop(columns='pred_scores')
    for name in classes:
        table[f'score_{name}'] = [(r['pred_scores'] or {}).get(name) for r in results]
    table.to_csv(folder / 'predictions.csv', index=False)
