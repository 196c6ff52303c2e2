"""Show pairs, networks and training curves.

FILE is a .png, .pdf or .svg, or an .html page that needs no other file. Pairs come from
the data of the config, from --dataset or --table (some of each class, or the rows of
--id), or are image files (--pair). See docs/visualize.md for what each picture means.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmcomp.figures import check_format
from mmcomp.files import require_file
from mmcomp.installed import find_config

from .common import (
    CHECKPOINT_HELP,
    add_config,
    add_config_options,
    add_dataset,
    add_device,
    add_image_pairs,
    at_least,
    new_parser,
)

if TYPE_CHECKING:
    from mmcomp.visualization.page import Page

SUBSETS = ('train', 'val', 'test', 'all')
OUT_HELP = '.png, .pdf, .svg or .html file'


def make_parser(prog: str | None = None) -> argparse.ArgumentParser:
    """Return the parser: a subcommand for each kind of picture."""
    parser = new_parser(__doc__, prog)
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')

    def command(
        name: str, text: str, checkpoint: bool = True, **defaults: Any
    ) -> argparse.ArgumentParser:
        own = commands.add_parser(name, help=text, description=text)
        add_config(own)
        if checkpoint:
            own.add_argument('checkpoint', nargs='?', help=CHECKPOINT_HELP)
            own.add_argument('--random', action='store_true', help='random weights')
            own.set_defaults(plain=True)
        add_pairs(own, **defaults)
        return own

    own = command(
        'pairs', 'pairs as they enter the network', False, subset='train', count=8
    )
    own.set_defaults(checkpoint=None, random=True)
    own.add_argument(
        '--plain', action='store_true', help='as in a test: no augmentation'
    )

    own = command(
        'landmarks', 'facial points of both images, and how they move', False, count=4
    )
    own.set_defaults(checkpoint=None, random=True, plain=True)

    own = command('features', 'maps of onset and apex, and compared maps', count=4)
    own.add_argument(
        '--stage',
        help="layer of the trunk, or 'input'; default: where the comparison is",
    )
    own.add_argument(
        '--channels',
        type=at_least(1),
        default=8,
        help='channels shown; default: %(default)s',
    )

    own = command('explain', 'which motion a decision rests on', count=4)
    own.add_argument(
        '--class', dest='target', help='class to explain; default: the predicted one'
    )
    own.add_argument(
        '--patch',
        type=at_least(1),
        help='side of the covered patch in pixels; default: a fifth of the image',
    )
    own.add_argument(
        '--baseline',
        choices=['still', 'flat'],
        default='still',
        help='what covers the patch: no motion, or the mean gray; default: %(default)s',
    )
    own.add_argument(
        '--controls',
        type=at_least(0),
        default=2,
        help='number of random networks to compare with; default: %(default)s',
    )

    own = command('embedding', 't-SNE of the features of the last layer')
    own.set_defaults(count=1)
    own.add_argument(
        '--color-by',
        nargs='+',
        metavar='COLUMN',
        help='columns that give the colors; default: label, subject, emotion',
    )
    own.add_argument(
        '--perplexity',
        type=at_least(1, float),
        default=30,
        help='perplexity of t-SNE; default: %(default)s',
    )

    own = commands.add_parser(
        'curves',
        help='training curves of runs or experiments',
        description='training curves of runs or experiments',
    )
    own.add_argument(
        'folders',
        nargs='+',
        type=Path,
        metavar='DIR',
        help='folders of runs or experiments',
    )
    own.add_argument('--metrics', nargs='+', help='such as loss lr pair/error_rate')
    own.add_argument('--out', required=True, type=Path, help=OUT_HELP)
    return parser


def add_pairs(
    parser: argparse.ArgumentParser, subset: str = 'test', count: int = 0
) -> None:
    """Add the options that say which pairs to show, and where to."""
    add = parser.add_argument
    add('--out', required=True, type=Path, help=OUT_HELP)
    add_dataset(parser)
    add('--table', help='pair table to use instead, all of it')
    add(
        '--subset',
        choices=SUBSETS,
        default=subset,
        help='subset of the data; default: %(default)s',
    )
    add('--id', nargs='+', default=[], help='sample_id of rows to show')
    add_image_pairs(parser)
    if count:
        add(
            '--count',
            type=at_least(1),
            default=count,
            help='pairs; default: %(default)s',
        )
    add('--seed', type=at_least(0), default=0, help='seed of all random numbers')
    add_device(parser)
    add_config_options(parser)


def check_files(args: argparse.Namespace) -> None:
    """Check that what is read is there, before anything heavy is imported.

    Raises:
        ValueError: Naming what is not.
    """
    if args.command == 'curves':
        for folder in args.folders:
            if not folder.is_dir():
                raise ValueError(f'{folder}: no such folder')
        return
    find_config(args.config)
    if args.dataset:
        find_config(args.dataset)
    images = itertools.chain.from_iterable(args.pair)
    for path in filter(None, (args.checkpoint, args.table, *images)):
        require_file(path)


def make_page(args: argparse.Namespace) -> Page:
    """Return the pictures of a subcommand."""
    from mmcomp.classes import check_same_classes
    from mmcomp.config import load_config
    from mmcomp.visualization import commands, examples
    from mmcomp.visualization.networks import open_model, seeded

    if args.command == 'curves':
        return commands.curves_page(args.folders, args.metrics)
    cfg = load_config(args.config, args.dataset, args.cfg_options)
    model = open_model(cfg, args.checkpoint, args.random, args.seed, args.device)
    commands.check_command(args.command, model)
    shown = examples.from_files(model, args.pair, args.aligned) if args.pair else []
    embeds = args.command == 'embedding'
    if embeds or args.id or not shown:
        training = not args.plain
        dataset = examples.load_dataset(cfg, args.subset, args.table, training)
        names = dataset.metainfo.get('classes')
        check_same_classes(model.classes, names, args.checkpoint or 'the network')
        if args.id or not embeds:
            with seeded(args.seed):
                shown += examples.from_dataset(dataset, args.id, args.count)
    if args.command == 'pairs':
        return commands.pairs_page(
            model, shown, training=not args.plain, seed=args.seed
        )
    if args.command == 'landmarks':
        return commands.landmarks_page(shown)
    if args.command == 'features':
        return commands.features_page(model, shown, args.stage, args.channels)
    if args.command == 'explain':
        return commands.explain_page(
            model,
            shown,
            args.target,
            args.patch,
            args.baseline,
            args.controls,
            args.seed,
        )
    return commands.embedding_page(
        model, dataset, args.color_by, shown, args.perplexity, args.seed
    )


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Draw and write."""
    args = make_parser(prog).parse_args(argv)
    check_format(args.out, ('.html',))
    check_files(args)
    from mmcomp.visualization.page import write_page

    page = make_page(args)
    for path in write_page(page, args.out):
        print(f'{page.heading}: {path}')
