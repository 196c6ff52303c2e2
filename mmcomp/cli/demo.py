"""Serve a web page to try a network.

It takes a video or two pictures, from a file or the webcam, and shows the detected
face, onset and apex, the scores, and which motion they rest on. Only this machine can
open the page, and no data leave it. See docs/demo.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mmcomp.files import require_file
from mmcomp.installed import find_config

from .common import at_least, new_parser

if TYPE_CHECKING:
    from mmcomp.demo.analysis import Analyst


def make_parser(prog: str | None = None) -> argparse.ArgumentParser:
    """Return the parser."""
    parser = new_parser(__doc__, prog)
    add = parser.add_argument
    add('config', help='config file')
    add('checkpoint', help='.pth or .safetensors file')
    add(
        '--port',
        type=at_least(0),
        default=7860,
        help='port of the page; 0: any that is free; default: %(default)s',
    )
    add('--device', help='device of PyTorch; default: a GPU if there is one')
    return parser


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Serve until interrupted."""
    args = make_parser(prog).parse_args(argv)
    find_config(args.config)
    require_file(args.checkpoint, 'checkpoint')
    from mmcomp.demo.server import serve

    def make_analyst() -> Analyst:
        from mmcomp.demo.analysis import Analyst

        return Analyst(args.config, args.checkpoint, args.device)

    serve(make_analyst, args.port)
