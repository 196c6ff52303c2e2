"""Say in a sentence why this machine cannot take the installation, if so.

Runs before anything is installed, on any Python 3.
"""

import argparse
import shutil
import sys

PYTHON = (3, 11)  # of the versions in constraints.txt

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument(
    '--free-gb',
    type=float,
    default=8,
    help='gigabytes that must be free on this disk; default: %(default)s',
)
args = parser.parse_args()

if sys.version_info < PYTHON:
    sys.exit(
        'error: the pinned requirements need Python {}.{} or newer, and this is {}.{}. '
        'Choose another one: make setup PYTHON=python3.12'.format(
            *PYTHON, *sys.version_info[:2]
        )
    )
free = shutil.disk_usage('.').free / 1e9
if free < args.free_gb:
    sys.exit(
        'error: {:.1f} GB are free here, and the installation needs {:.0f} GB. '
        'Make room, or clone to another disk.'.format(free, args.free_gb)
    )
