"""Serve a web page to try a network: tools/demo.py CONFIG CHECKPOINT

The same as mmcomp demo; --help lists the options.
"""

from mmcomp.cli import run_tool
from mmcomp.cli.demo import main

if __name__ == '__main__':
    run_tool(main)
