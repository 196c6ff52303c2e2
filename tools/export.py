"""Export a network: tools/export.py CONFIG CHECKPOINT --format onnx --out FILE

The same as mmcomp export; --help lists the options.
"""

from mmcomp.cli import run_tool
from mmcomp.cli.export import main

if __name__ == '__main__':
    run_tool(main)
