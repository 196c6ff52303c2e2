"""Report an experiment: tools/report.py DIR...

The same as mmcomp report; --help lists the options.
"""

from mmcomp.cli import run_tool
from mmcomp.cli.report import main

if __name__ == '__main__':
    run_tool(main)
