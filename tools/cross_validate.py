"""Cross-validate networks by subject: tools/cross_validate.py CONFIG... --work-dir DIR

The same as mmcomp cross-validate; --help lists the options.
"""

from mmcomp.cli import run_tool
from mmcomp.cli.cross_validate import main

if __name__ == '__main__':
    run_tool(main)
