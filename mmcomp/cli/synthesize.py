"""Render faces: default datasets, contact sheets, clips.

docs/synthetic-data.md is the data card.
"""

import argparse
from collections.abc import Callable, Sequence

from .choices import EMOTIONS, LABELS, LEVELS, PRESETS
from .common import at_least, new_parser


def make_parser(prog: str | None = None) -> argparse.ArgumentParser:
    """Return the parser: a subcommand for each function below."""
    parser = new_parser(__doc__, prog)
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    formatter = argparse.ArgumentDefaultsHelpFormatter

    def command(
        name: str, run: Callable[[argparse.Namespace], None], text: str
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name, help=text, description=text, formatter_class=formatter
        )
        sub.set_defaults(run=run)
        return sub

    sub = command('render', render, 'render a dataset, unless it is there already')
    sizes = ', '.join(f'{name} {pairs}' for name, pairs in PRESETS.items())
    sub.add_argument('preset', choices=PRESETS, help=f'number of pairs: {sizes}')
    sub.add_argument('--out', default='data/synthetic', help='folder of all datasets')
    sub.add_argument(
        '--workers', type=at_least(1), help='processes; None: one per core'
    )
    _add_source(sub)

    sub = command('sheet', sheet, 'write a contact sheet: onset, apex, difference')
    sub.add_argument('dataset_dir', help='folder with pairs.csv')
    sub.add_argument('--out', required=True, metavar='FILE.png', help='file to write')
    sub.add_argument('--pairs', type=at_least(1), default=24, help='half of them posed')

    sub = command('oracle', oracle, 'print the error that no network should beat')
    sub.add_argument('dataset_dir', help='folder with meta.json')

    sub = command('verify', verify, 'check tables and pixels against the checksum')
    sub.add_argument('dataset_dir', help='folder with meta.json')

    sub = command('clip', clip, 'render a video with known onset and apex')
    sub.add_argument(
        '--emotion', choices=EMOTIONS, default='happiness', help='emotion shown'
    )
    sub.add_argument(
        '--label', choices=LABELS, default='spontaneous', help='class of the clip'
    )
    sub.add_argument('--out', required=True, help='file.mp4, file.avi or a folder')
    sub.add_argument('--subject', type=at_least(0), default=0, help='who is shown')
    sub.add_argument(
        '--take', type=at_least(0), default=0, help='which clip of the subject'
    )
    sub.add_argument(
        '--fps', type=at_least(5, float), default=25.0, help='frames per second'
    )
    sub.add_argument('--seconds', type=at_least(2, float), default=4.0, help='length')
    _add_source(sub)
    return parser


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--level', choices=LEVELS, default='lab', help='how much frames differ'
    )
    parser.add_argument(
        '--seed', type=at_least(0), default=0, help='other seed, other people'
    )


def render(args: argparse.Namespace) -> None:
    """Render a dataset and print the path of its pair table."""
    from mmcomp.synthetic import ensure_dataset

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
    import cv2

    from mmcomp.files import write_bytes
    from mmcomp.synthetic import dataset_sheet

    if not args.out.endswith('.png'):
        raise ValueError(f'out is {args.out!r}; it must end in .png')
    image = dataset_sheet(args.dataset_dir, args.pairs)
    write_bytes(args.out, cv2.imencode('.png', image)[1].tobytes())
    print(args.out)


def oracle(args: argparse.Namespace) -> None:
    """Print the oracle's errors."""
    from mmcomp.synthetic import oracle_error

    for name, error in oracle_error(args.dataset_dir).items():
        wrong, total = error['wrong'], error['total']
        print(f'{name}: {wrong} errors of {total}, {100 * wrong / total:.2f}%')


def verify(args: argparse.Namespace) -> None:
    """Compare a dataset with the checksum that was written with it.

    Raises:
        ValueError: If they differ.
    """
    from mmcomp.synthetic import dataset_checksum, read_meta

    if dataset_checksum(args.dataset_dir) != read_meta(args.dataset_dir)['checksum']:
        raise ValueError(f'{args.dataset_dir} has changed since it was rendered')
    print('unchanged')


def clip(args: argparse.Namespace) -> None:
    """Render a clip and print the path of its frame indices."""
    from mmcomp.synthetic import render_clip, write_clip

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


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Run the subcommand."""
    args = make_parser(prog).parse_args(argv)
    args.run(args)
