"""Turn a database on disk into a pair or clip table.

Prints what was found: counts by class, subject and emotion, and problems. The images
are not copied. NAME --help shows the layout that is expected.
"""

import argparse
import dataclasses
import inspect
from collections.abc import Sequence
from pathlib import Path

from .common import new_parser


def make_parser(prog: str | None = None) -> argparse.ArgumentParser:
    """Return the parser: a subcommand per database, its fields as options."""
    from mmcomp.databases import DATABASES

    parser = new_parser(__doc__, prog)
    commands = parser.add_subparsers(dest='database', required=True, metavar='NAME')
    for name, database in sorted(DATABASES.module_dict.items()):
        text = inspect.cleandoc(database.__doc__ or '')
        sub = commands.add_parser(
            name,
            help=text.splitlines()[0],
            description=f'{text}\n\nNot ours: {database.credit}.',
            formatter_class=parser.formatter_class,
        )
        sub.add_argument(
            'root', type=Path, metavar='ROOT', help='folder of the database'
        )
        sub.add_argument(
            '--out',
            type=Path,
            default=Path('data', name, 'pairs.csv'),
            help='the table; default: %(default)s',
        )
        sub.add_argument(
            '--force', action='store_true', help='overwrite a table that differs'
        )
        for field in _options(database):
            settings = dict(field.metadata, default=field.default)
            if field.default:
                settings['help'] += '; default: %(default)s'
            sub.add_argument(f'--{field.name.replace("_", "-")}', **settings)
    return parser


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Index, write and report."""
    args = make_parser(prog).parse_args(argv)
    from mmcomp.databases import DATABASES, check_report

    database = DATABASES.module_dict[args.database]
    options = {field.name: getattr(args, field.name) for field in _options(database)}
    index = database(args.root, **options).index()
    problems = index.write(args.out, args.force)
    print(check_report(index))
    print(f'\nwritten: {args.out}')
    if problems:
        print(f'all problems: {problems}')


def _options(database: type) -> list[dataclasses.Field]:
    return [field for field in dataclasses.fields(database) if field.name != 'root']
