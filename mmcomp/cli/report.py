"""Report an experiment: tables, tests, plots and a web page.

Writes table.md, table.csv, summary.json, report.html and figures from the prediction
tables of the command cross-validate, finished or not.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmcomp.experiments.record import read_settings

from .common import new_parser


def make_parser(prog: str | None = None) -> argparse.ArgumentParser:
    """Return the parser."""
    parser = new_parser(__doc__, prog)
    parser.add_argument(
        'folders',
        nargs='+',
        type=Path,
        metavar='DIR',
        help='folders of experiments on the same data',
    )
    parser.add_argument(
        '--out', type=Path, help='folder to write to; default: DIR/report of the first'
    )
    parser.add_argument(
        '--best-test-epoch',
        action='store_true',
        help='add what choosing the epoch on the test fold would claim (not valid; '
        'needs --every-epoch in cross-validate)',
    )
    parser.add_argument(
        '--format',
        choices=('png', 'pdf', 'svg'),
        default='png',
        help='format of the figures next to the page; default: %(default)s',
    )
    return parser


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Write the report and print its table."""
    args = make_parser(prog).parse_args(argv)
    for folder in args.folders:
        read_settings(folder)
    from mmcomp.experiments.report import write_report

    suffix = f'.{args.format}'
    print(write_report(args.folders, args.out, args.best_test_epoch, suffix))
