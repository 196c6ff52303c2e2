"""Turn a database on disk into a table: tools/index.py NAME ROOT

The same as mmcomp index; --help lists the options.
"""

from mmcomp.cli import run_tool
from mmcomp.cli.index import main

if __name__ == '__main__':
    run_tool(main)
