"""Train a network and test it: tools/train.py CONFIG

The same as mmcomp train; --help lists the options.
"""

from mmcomp.cli import run_tool
from mmcomp.cli.train import main

if __name__ == '__main__':
    run_tool(main)
