"""Make aligned face pairs from photos or videos.

TABLE.csv has columns sample_id and clip (a video file or a folder of frames; optional
onset_frame, apex_frame: those that are missing are spotted), or sample_id, onset and
apex (photos); optional onset_eyes, apex_eyes, 'x y x y' in pixels. All other columns
are kept. Instead of a table, clips may be named. If it is stopped and started again, it
does only what is missing. See docs/faces.md.
"""

import argparse
from collections.abc import Sequence
from typing import Any

from .common import at_least, new_parser, quiet_decoders


def make_parser(prog: str | None = None) -> argparse.ArgumentParser:
    """Return the parser, with the defaults of ``FaceSettings``."""
    quiet_decoders()
    from mmcomp.faces.alignment import ALIGN_BY, COLORS
    from mmcomp.faces.pairs import EYES_CLOSED, SEVERAL, FaceSettings

    parser = new_parser(__doc__, prog)
    default = FaceSettings()

    def add(name: str, text: str, **options: Any) -> None:
        parser.add_argument(name, help=text + '; default: %(default)s', **options)

    parser.add_argument(
        'inputs', nargs='+', metavar='TABLE.csv', help='a table, or clips'
    )
    parser.add_argument('--out', required=True, help='folder to write to')
    add(
        '--size', 'side of the images in pixels', type=at_least(8), default=default.size
    )
    add('--color', 'gray or colour', choices=COLORS, default=default.color)
    add(
        '--align-by',
        "align the apex by its own eyes, or both by the onset's",
        choices=ALIGN_BY,
        default=default.by,
    )
    add(
        '--several',
        'fail where a second face is at least half as high, or take the largest',
        choices=SEVERAL,
        default=default.several,
    )
    add(
        '--eyes-closed',
        'warn in the column notes, or fail',
        choices=EYES_CLOSED,
        default=default.eyes_closed,
    )
    add(
        '--min-score',
        'least score of a face',
        type=at_least(0, float),
        default=default.min_score,
    )
    add(
        '--limit',
        'least motion of an expression in percent of the eye distance',
        type=at_least(0, float),
        default=default.limit,
    )
    for name in ('onset', 'apex'):
        add(
            f'--{name}-late',
            f'frames to add to the {name} of clips, to see what an error costs',
            type=int,
            default=0,
            metavar='K',
        )
    for name in ('start', 'end'):
        parser.add_argument(
            f'--{name}',
            type=float,
            metavar='SECONDS',
            help=f"{name} of the part of each clip to search, from the clip's first "
            f'frame; in a table: column clip_{name}',
        )
    parser.add_argument(
        '--sheet',
        default='sheet.png',
        metavar='NAME',
        help='contact sheet in that folder, .png, .pdf or .svg; default: %(default)s',
    )
    parser.add_argument(
        '--landmarks',
        action='store_true',
        help='find 468 points of each aligned face and keep them beside the table; '
        'where they are not to be trusted, the reason is in the column notes',
    )
    parser.add_argument('--fps', type=float, help='frames per second of folders')
    parser.add_argument(
        '--workers', type=at_least(1), help='processes; default: one per core'
    )
    parser.add_argument(
        '--retry', action='store_true', help='try rows again that failed before'
    )
    return parser


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Prepare the pairs and print a summary."""
    args = make_parser(prog).parse_args(argv)
    from mmcomp.faces.pairs import FaceSettings
    from mmcomp.faces.prepare import FAILURES_FILE, prepare_faces

    settings = FaceSettings(
        size=args.size,
        color=args.color,
        by=args.align_by,
        several=args.several,
        eyes_closed=args.eyes_closed,
        min_score=args.min_score,
        limit=args.limit,
        onset_late=args.onset_late,
        apex_late=args.apex_late,
    )
    done = prepare_faces(
        args.inputs,
        args.out,
        settings,
        args.fps,
        args.workers,
        args.retry,
        part=(args.start, args.end),
        sheet=args.sheet,
        landmarks=args.landmarks,
    )
    folder = done.table.parent
    if done.done_before:
        print(f'{done.done_before} rows were done before')
    print(f'{done.pairs} pairs: {done.table}; look at {folder / args.sheet}')
    if args.landmarks:
        print(f'landmarks: not trusted in {done.untrusted} of {done.pairs} pairs')
    if done.failures:
        kinds = ', '.join(f'{kind} {n}' for kind, n in done.failures.items())
        print(f'{sum(done.failures.values())} rows failed: {kinds}')
        print(f'see {folder / FAILURES_FILE}')
