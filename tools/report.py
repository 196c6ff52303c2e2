"""Report an experiment: tools/report.py DIR...

Writes table.md, table.csv, summary.json, report.html and plots from the prediction
tables of tools/cross_validate.py, finished or not.
"""

import argparse
from pathlib import Path

from mmcomp.cli import run_tool
from mmcomp.experiments.report import write_report


def main() -> None:
    """Write the report and print its table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'folders',
        nargs='+',
        type=Path,
        metavar='DIR',
        help='experiments on the same data',
    )
    parser.add_argument('--out', type=Path, help='default: DIR/report of the first')
    parser.add_argument(
        '--best-test-epoch',
        action='store_true',
        help='add what choosing the epoch on the test fold would claim (not valid; '
        'needs cross_validate.py --every-epoch)',
    )
    args = parser.parse_args()
    print(write_report(args.folders, args.out, args.best_test_epoch))


if __name__ == '__main__':
    run_tool(main)
