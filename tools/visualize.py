"""Show pairs, networks and curves: tools/visualize.py COMMAND ... --out FILE

The same as mmcomp visualize; --help lists the options.
"""

from mmcomp.cli import run_tool
from mmcomp.cli.visualize import main

if __name__ == '__main__':
    run_tool(main)
