"""A web page to try a network: tools/demo.py CONFIG CHECKPOINT [--port 7860]

Takes a video or two pictures, from a file or the webcam, and shows the face that was
found, onset and apex, the scores, and where the change counted. It is served to this
machine alone; nothing leaves it. See docs/demo.md.
"""

import argparse

from mmcomp.cli import run_tool


def parse_args() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('config', help='config file')
    add('checkpoint', help='.pth or .safetensors file')
    add('--port', type=int, default=7860, help='0: any; default: %(default)s')
    add('--device', help='of PyTorch; default: a GPU if there is one')
    return parser.parse_args()


def main() -> None:
    """Serve until interrupted."""
    args = parse_args()
    from mmcomp.demo.server import serve

    def make_analyst():
        from mmcomp.demo.analysis import Analyst

        return Analyst(args.config, args.checkpoint, args.device)

    serve(make_analyst, args.port)


if __name__ == '__main__':
    run_tool(main)
