"""Test a trained network: tools/test.py CONFIG CHECKPOINT

The same as mmcomp test; --help lists the options.
"""

from mmcomp.cli import run_tool
from mmcomp.cli.test import main

if __name__ == '__main__':
    run_tool(main)
