"""Predict photos, tables or videos: tools/predict.py MODEL [CHECKPOINT] INPUT...

MODEL is a config, with a CHECKPOINT, or an .onnx file of tools/export.py. An INPUT is a
video, a folder of videos or frames, or a pair table; --pair ONSET APEX are two images.
Faces are found and aligned, onset and apex of a video spotted. Writes predictions.csv
and predictions.json: a row for each input, with a reason where there is no prediction.

What a score means: how sure this network is, of classes as it learned them from its
training data. It is no probability and no fact about a person. A network trained on the
rendered heads that come with mmcomp says nothing about people.
"""

import argparse
import json
import os
import sys
from pathlib import Path

# Decoders complain of odd files on stderr; what matters of it is in the results.
os.environ.setdefault('OPENCV_LOG_LEVEL', 'ERROR')
os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')

import pandas as pd

from mmcomp.cli import run_tool

NOTE = (
    'Scores are what the network learned from its training data; they are no '
    'probabilities and no facts about people.'
)


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('model', help='config file, or .onnx file')
    add('inputs', nargs='*', metavar='[CHECKPOINT] INPUT')
    add('--pair', nargs=2, action='append', default=[], metavar=('ONSET', 'APEX'))
    add('--out', type=Path, required=True, help='folder of the results')
    add('--pictures', action='store_true', help='also draw each prediction')
    add('--aligned', action='store_true', help='images are aligned faces already')
    add(
        '--several',
        choices=['fail', 'largest'],
        default='largest',
        help='where several people are seen; default: %(default)s',
    )
    add(
        '--align-by',
        choices=['own', 'onset'],
        default='own',
        help='whose eyes align the apex; default: %(default)s',
    )
    add(
        '--limit',
        type=float,
        default=1.0,
        help='least motion of an expression in percent of the eye distance; '
        'default: %(default)s',
    )
    add('--batch-size', type=int, default=32)
    add('--device', help='of PyTorch; default: a GPU if there is one')
    args = parser.parse_args()
    args.checkpoint = None
    if not args.model.endswith('.onnx'):
        if not args.inputs:
            parser.error('a config needs a CHECKPOINT behind it')
        args.checkpoint, *args.inputs = args.inputs
    if not args.inputs and not args.pair:
        parser.error('there is no INPUT')
    return args


def main() -> None:
    """Predict and write."""
    args = parse_args()
    from rich.progress import track

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
    results = list(
        track(
            inferencer.stream(inputs, args.batch_size, pictures),
            'predicting',
            disable=not sys.stderr.isatty(),
        )
    )
    args.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(
        dict(note=NOTE, predictions=results), indent=1, ensure_ascii=False
    )
    (args.out / 'predictions.json').write_text(text + '\n', encoding='utf-8')
    table = pd.DataFrame(results).drop(columns='pred_scores')
    for name in inferencer.classes:
        table[f'score_{name}'] = [(r['pred_scores'] or {}).get(name) for r in results]
    table.to_csv(args.out / 'predictions.csv', index=False)
    for result in results:
        if result['success']:
            said = f'{result["pred_class"]} ({result["pred_score"]:.2f})'
        else:
            said = f'no prediction: {result["reason"]}'
        notes = f' [{result["notes"]}]' if result['notes'] else ''
        print(f'{result["input"]}: {said}{notes}')
    print(f'written: {args.out / "predictions.csv"}. {NOTE}')


if __name__ == '__main__':
    run_tool(main)
