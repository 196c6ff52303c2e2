"""Predict photos, tables or videos: tools/predict.py MODEL [CHECKPOINT] INPUT...

The same as mmcomp predict; --help lists the options.
"""

from mmcomp.cli import run_tool
from mmcomp.cli.predict import main

if __name__ == '__main__':
    run_tool(main)
