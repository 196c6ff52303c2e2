"""Make and look at the embedded default data: rendered heads."""

from __future__ import annotations

import argparse
import sys

import cv2

from mmcomp.files import write_bytes
from mmcomp.synthetic import (
    EMOTIONS,
    LABELS,
    LEVELS,
    PRESETS,
    dataset_checksum,
    dataset_sheet,
    ensure_dataset,
    oracle_error,
    read_meta,
    render_clip,
    write_clip,
)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='Results on this data say that a pipeline works; they say nothing '
        'about people. See docs/synthetic-data.md.',
    )
    commands = parser.add_subparsers(dest='command', required=True)
    formatter = argparse.ArgumentDefaultsHelpFormatter

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name, help=text, description=text, formatter_class=formatter
        )
        sub.set_defaults(run=run)
        return sub

    sub = command('render', render, 'render a dataset, unless it is there already')
    sizes = ', '.join(f'{name} {preset.pairs}' for name, preset in PRESETS.items())
    sub.add_argument('preset', choices=PRESETS, help=f'pairs: {sizes}')
    sub.add_argument('--out', default='data/synthetic', help='folder of all datasets')
    sub.add_argument('--workers', type=int, help='processes; one for each core if None')
    _add_source(sub)

    sub = command('sheet', sheet, 'write a contact sheet: onset, apex, difference')
    sub.add_argument('dataset_dir', help='folder with pairs.csv')
    sub.add_argument('--out', required=True, metavar='FILE.png')
    sub.add_argument('--pairs', type=int, default=24, help='half of them posed')

    sub = command('oracle', oracle, 'print the error that no network should beat')
    sub.add_argument('dataset_dir', help='folder with meta.json')

    sub = command('verify', verify, 'check tables and pixels against the checksum')
    sub.add_argument('dataset_dir', help='folder with meta.json')

    sub = command('clip', clip, 'render a video with known onset and apex')
    sub.add_argument('--emotion', choices=EMOTIONS, default='happiness')
    sub.add_argument('--label', choices=LABELS, default='spontaneous')
    sub.add_argument('--out', required=True, help='file.mp4, file.avi or a folder')
    sub.add_argument('--subject', type=int, default=0, help='who is shown')
    sub.add_argument('--take', type=int, default=0, help='which clip of the subject')
    sub.add_argument('--fps', type=float, default=25.0, help='frames a second')
    sub.add_argument('--seconds', type=float, default=4.0, help='length')
    _add_source(sub)
    return parser.parse_args(argv)


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--level', choices=LEVELS, default='lab', help='how much frames differ'
    )
    parser.add_argument('--seed', type=int, default=0, help='other seed, other people')


def render(args: argparse.Namespace) -> None:
    """Render a dataset and prints its pair table."""
    print(
        ensure_dataset(
            args.preset,
            args.out,
            level=args.level,
            seed=args.seed,
            workers=args.workers,
        )
    )


def sheet(args: argparse.Namespace) -> None:
    """Write a contact sheet."""
    image = dataset_sheet(args.dataset_dir, args.pairs)
    write_bytes(args.out, cv2.imencode('.png', image)[1].tobytes())
    print(args.out)


def oracle(args: argparse.Namespace) -> None:
    """Print the oracle's errors."""
    for name, error in oracle_error(args.dataset_dir).items():
        wrong, total = error['wrong'], error['total']
        print(f'{name}: {wrong} errors of {total}, {100 * wrong / total:.2f}%')


def verify(args: argparse.Namespace) -> None:
    """Compare a dataset with the checksum that was written with it."""
    if dataset_checksum(args.dataset_dir) != read_meta(args.dataset_dir)['checksum']:
        raise ValueError(f'{args.dataset_dir} has changed since it was rendered')
    print('unchanged')


def clip(args: argparse.Namespace) -> None:
    """Render a clip and prints where its frame indices are written."""
    made = render_clip(
        args.emotion,
        args.label,
        seed=args.seed,
        subject=args.subject,
        take=args.take,
        fps=args.fps,
        seconds=args.seconds,
        level=args.level,
    )
    print(write_clip(made, args.out))


def main(argv: list[str] | None = None) -> None:
    """Run the command; a user's error is one line, not a traceback."""
    args = parse_args(argv)
    try:
        args.run(args)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')


if __name__ == '__main__':
    main()
