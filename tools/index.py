"""Turn a database on disk into a pair or clip table: tools/index.py NAME ROOT

Prints what was found: counts by class, subject and emotion, and problems. Pictures stay
where they are; tools/index.py NAME --help shows the layout that is expected.
"""

import argparse
import dataclasses
import inspect
import sys
from pathlib import Path

from mmcomp.databases import DATABASES, check_report


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line: a subcommand for each database, its fields as options."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    commands = parser.add_subparsers(dest='database', required=True, metavar='NAME')
    for name, database in sorted(DATABASES.module_dict.items()):
        text = inspect.cleandoc(database.__doc__)
        sub = commands.add_parser(
            name,
            help=text.splitlines()[0],
            description=f'{text}\n\nNot ours: {database.credit}.',
            formatter_class=formatter,
        )
        sub.add_argument('root', type=Path, metavar='ROOT')
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
                settings['help'] += f' (default: {field.default})'
            sub.add_argument(f'--{field.name.replace("_", "-")}', **settings)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Index a database, write the table and print the report."""
    args = parse_args(argv)
    database = DATABASES.module_dict[args.database]
    options = {field.name: getattr(args, field.name) for field in _options(database)}
    try:
        index = database(args.root, **options).index()
        problems = index.write(args.out, args.force)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    print(check_report(index))
    print(f'\nwritten: {args.out}')
    if problems:
        print(f'all problems: {problems}')


def _options(database: type) -> list[dataclasses.Field]:
    return [field for field in dataclasses.fields(database) if field.name != 'root']


if __name__ == '__main__':
    main()
