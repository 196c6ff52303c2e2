"""The console command: ``mmcomp COMMAND ...``, or ``python -m mmcomp COMMAND ...``."""

import argparse
import functools
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from mmcomp.version import __version__

from .run_tool import run_tool

COMMANDS = (
    'train',
    'test',
    'cross-validate',
    'report',
    'index',
    'prepare',
    'predict',
    'visualize',
    'export',
    'synthesize',
    'demo',
)


def command_module(name: str) -> ModuleType:
    """Return the module of a command: its ``make_parser`` and its ``main``."""
    return import_module(f'mmcomp.cli.{name.replace("-", "_")}')


def make_parser() -> argparse.ArgumentParser:
    """Return the parser, whose help lists the commands."""
    lines = [
        f'  {name:15} {(command_module(name).__doc__ or "").splitlines()[0]}'
        for name in COMMANDS
    ]
    parser = argparse.ArgumentParser(
        prog='mmcomp',
        description='Siamese networks that compare onset and apex face images.',
        epilog='\n'.join(
            ['commands:', *lines, '', 'mmcomp COMMAND --help lists its options.']
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--version',
        action='version',
        version=f'mmcomp {__version__}',
        help='show the version and exit',
    )
    parser.add_argument(
        'command', choices=COMMANDS, metavar='COMMAND', help='one of those below'
    )
    parser.add_argument(
        'arguments',
        nargs=argparse.REMAINDER,
        metavar='...',
        help='arguments and options of the command',
    )
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command. A user's error is one line, not a traceback."""
    args = make_parser().parse_args(argv)
    command = command_module(args.command).main
    run_tool(functools.partial(command, args.arguments, f'mmcomp {args.command}'))
