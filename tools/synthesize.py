"""Render faces: tools/synthesize.py COMMAND ...

The same as mmcomp synthesize; --help lists the options.
"""

from mmcomp.cli import run_tool
from mmcomp.cli.synthesize import main

if __name__ == '__main__':
    run_tool(main)
