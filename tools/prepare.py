"""Make aligned face pairs: tools/prepare.py TABLE.csv --out DIR

The same as mmcomp prepare; --help lists the options.
"""

from mmcomp.cli import run_tool
from mmcomp.cli.prepare import main

if __name__ == '__main__':
    run_tool(main)
