"""Predict the classes of photos, tables or videos.

MODEL is a checkpoint that mmcomp wrote, an exported .onnx or .safetensors file, or a
config with a CHECKPOINT behind it. An INPUT is a video, a
folder of videos or frames, or a table of pairs or clips; --pair ONSET APEX are two
photos of one person. Faces are detected and aligned, onset and apex of a video are
spotted. Writes predictions.csv and predictions.json: a row for each input, with a
reason where there is no prediction. If the table has labels, the error is printed. If
nothing could be predicted, the exit status is 1.

A score tells how sure this network is, of classes as it learned them from its training
data. It is no probability and no fact about a person. A network trained on the rendered
heads that come with mmcomp says nothing about people.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmcomp.columns import SCORE
from mmcomp.files import is_weights, require_file
from mmcomp.installed import find_config

from .common import (
    CONFIG_HELP,
    add_device,
    add_image_pairs,
    at_least,
    new_parser,
    quiet_decoders,
)

NOTE = (
    'Scores are what the network learned from its training data; they are no '
    'probabilities and no facts about people.'
)


#: Columns of predictions.csv before the scores.
COLUMNS = (
    'input',
    'success',
    'reason',
    'notes',
    'pred_class',
    'pred_score',
    'onset_frame',
    'apex_frame',
    'onset_face_score',
    'apex_face_score',
    'spotting_confidence',
    'clip',
    'onset',
    'apex',
    'subject',
    'label',
    'picture',
)


def make_parser(prog: str | None = None) -> argparse.ArgumentParser:
    """Return the parser."""
    parser = new_parser(__doc__, prog)
    add = parser.add_argument
    add('model', help=f'checkpoint, .onnx file, or {CONFIG_HELP}')
    add(
        'inputs',
        nargs='*',
        metavar='[CHECKPOINT] INPUT',
        help='the checkpoint of a config, then videos, folders or pair tables',
    )
    add_image_pairs(parser)
    add(
        '--out',
        type=Path,
        required=True,
        help='folder of the results; - writes a JSON line for each input to the '
        'standard output instead, as soon as it is predicted',
    )
    add('--quiet', action='store_true', help='print nothing but errors')
    add('--pictures', action='store_true', help='also draw each prediction')
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
        default=0.4,
        help='least motion of an expression in percent of the eye distance; '
        'default: %(default)s',
    )
    add(
        '--batch-size',
        type=at_least(1),
        default=32,
        help='pairs at a time; default: %(default)s',
    )
    add_device(parser)
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
    predictions: Iterable[dict[str, Any]] = inferencer.stream(
        inputs, args.batch_size, pictures
    )
    if not args.quiet and sys.stderr.isatty() and find_spec('rich'):
        from rich.console import Console
        from rich.progress import track

        predictions = track(predictions, 'predicting', console=Console(stderr=True))
    lines = str(args.out) == '-'
    results = []
    for result in predictions:
        results.append(result)
        if lines:
            print(json.dumps(result), flush=True)
    if not lines:
        write_results(results, inferencer.classes, args.out)
    if not args.quiet:
        report = [] if lines else [*map(describe, results)]
        report += error_lines(results, inferencer.classes)
        if not lines:
            report.append(f'written: {args.out / "predictions.csv"}. {NOTE}')
        print(*report, sep='\n', file=sys.stderr if lines else sys.stdout)
    if not any(result['success'] for result in results):
        raise ValueError(f'none of {len(results)} inputs could be predicted')


def describe(result: dict[str, Any]) -> str:
    """Return a line on one result."""
    if result['success']:
        said = f'{result["pred_class"]} ({result["pred_score"]:.2f})'
    else:
        said = f'no prediction: {result["reason"]}'
    notes = f' [{result["notes"]}]' if result['notes'] else ''
    return f'{result["input"]}: {said}{notes}'


def error_lines(results: Sequence[dict[str, Any]], classes: Sequence[str]) -> list[str]:
    """Return lines on the error of inputs with a label; none if there is no label."""
    labelled = [result for result in results if result['label'] is not None]
    known = [result for result in labelled if result['label'] in classes]
    predicted = [result for result in known if result['success']]
    lines = []
    if predicted:
        wrong = sum(result['pred_class'] != result['label'] for result in predicted)
        lines.append(
            f'error: {100 * wrong / len(predicted):.2f} % ({wrong} of {len(predicted)})'
        )
    if len(predicted) < len(known):
        lines.append(f'not counted: {len(known) - len(predicted)} without a prediction')
    if len(known) < len(labelled):
        others = dict.fromkeys(r['label'] for r in labelled if r not in known)
        lines.append(
            f'not counted: {len(labelled) - len(known)} with a label that is none of '
            f"the network's classes, such as {next(iter(others))!r}"
        )
    return lines


def parse_args(argv: Sequence[str] | None, prog: str | None) -> argparse.Namespace:
    """Read the command line, and tell the checkpoint from the inputs."""
    parser = make_parser(prog)
    args = parser.parse_intermixed_args(argv)
    args.checkpoint = None
    if not args.model.endswith('.onnx') and not is_weights(args.model):
        if not args.inputs:
            parser.error('a config needs a CHECKPOINT (.pth, .safetensors) behind it')
        args.checkpoint, *args.inputs = args.inputs
    if not args.inputs and not args.pair:
        parser.error('there is no INPUT')
    if args.pictures and str(args.out) == '-':
        parser.error('--pictures needs a folder as --out')
    return args


def write_results(
    results: Sequence[dict[str, Any]], classes: Sequence[str], folder: Path
) -> None:
    """Write ``predictions.json`` and ``predictions.csv`` into a folder."""
    from mmcomp.files import write_text

    content = dict(note=NOTE, predictions=results)
    text = json.dumps(content, indent=1, ensure_ascii=False)
    write_text(folder / 'predictions.json', text + '\n')
    stream = io.StringIO(newline='')
    header = [*COLUMNS, *(f'{SCORE}{name}' for name in classes)]
    writer = csv.DictWriter(stream, header, extrasaction='ignore', lineterminator='\n')
    writer.writeheader()
    for result in results:
        scores = (result['pred_scores'] or {}).items()
        writer.writerow({**result, **{f'{SCORE}{name}': x for name, x in scores}})
    write_text(folder / 'predictions.csv', stream.getvalue())
