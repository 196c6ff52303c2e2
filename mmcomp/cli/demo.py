"""Serve a web page to try a network.

It takes a video or two pictures, from a file or the webcam, and shows the detected
face, onset and apex, the scores, and which motion they rest on. Only this machine can
open the page, and no data leave it. See docs/demo.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mmcomp.files import is_weights, require_file
from mmcomp.installed import find_config

from .common import CHECKPOINT_HELP, CONFIG_HELP, add_device, at_least, new_parser

if TYPE_CHECKING:
    from mmcomp.demo.analysis import Analyst


def make_parser(prog: str | None = None) -> argparse.ArgumentParser:
    """Return the parser."""
    parser = new_parser(__doc__, prog)
    add = parser.add_argument
    add('model', help=f'checkpoint that mmcomp wrote, or {CONFIG_HELP}')
    add('checkpoint', nargs='?', help=f'{CHECKPOINT_HELP} of a config')
    add(
        '--port',
        type=at_least(0),
        default=7860,
        help='port of the page; 0: any that is free; default: %(default)s',
    )
    add_device(parser)
    return parser


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Serve until interrupted."""
    parser = make_parser(prog)
    args = parser.parse_args(argv)
    config: str | None = args.model
    checkpoint = args.checkpoint
    if checkpoint is None and is_weights(args.model):
        config, checkpoint = None, args.model
    if checkpoint is None:
        parser.error('a config needs a CHECKPOINT (.pth, .safetensors) behind it')
    if config is not None:
        find_config(config)
    require_file(checkpoint, 'checkpoint')
    from mmcomp.demo.server import serve

    def make_analyst() -> Analyst:
        from mmcomp.demo.analysis import Analyst

        return Analyst(config, checkpoint, args.device)

    serve(make_analyst, args.port)
