"""Clips as folders of frames, with coded onset, apex and offset."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mmcomp.tables import ABSENT, parse_frame

from .base import option
from .files import read_frames
from .index import INCONSISTENT, MISSING_APEX, MISSING_CLIP, Index

POLICIES = ('clip', 'drop', 'middle')
CODED_COLUMNS = {
    'subject': ('subject',),
    'clip': ('filename', 'file', 'clip'),
    'onset': ('onsetframe', 'onsetf', 'onset'),
    'apex': ('apexframe', 'apexf', 'apex'),
    'offset': ('offsetframe', 'offsetf', 'offset'),
    'emotion': ('estimatedemotion', 'emotion'),
}


def missing_apex_option() -> Any:
    """Return the option for clips without a usable apex."""
    return option(
        'clip',
        "a clip without a usable apex: kept as a clip to be spotted ('clip'), left out "
        "('drop'), or given the frame halfway from onset to offset as apex ('middle')",
        choices=POLICIES,
    )


def add_coded_clip(
    index: Index,
    position: str,
    clip: Path,
    cells: Mapping[str, str],
    columns: Mapping[str, Any],
    missing_apex: str = 'clip',
) -> None:
    """Add a folder of frames with coded onset, apex and offset.

    Onset and apex are used only if the folder has their frames, apex and offset only
    if all are in order and the apex is not the onset. What is not used is reported and
    left empty.

    Args:
        index (Index): The index to add to.
        position (str): Position of the codes, for messages.
        clip (Path): The folder.
        cells (Mapping): Cells of the table under ``onset``, ``apex`` and ``offset``. A
            database that codes no apex at all has no key ``apex``.
        columns (Mapping): The other columns.
        missing_apex (str): See :func:`missing_apex_option`.
    """
    frames, faults = read_frames(clip)
    if not frames:
        index.problem(MISSING_CLIP, position, f'no frames in {index.where(clip)}')
        return
    numbers: dict[str, int | None] = {}
    for name in ('onset', 'apex', 'offset'):
        try:
            numbers[name] = parse_frame(cells.get(name, ''), name)
        except ValueError as error:
            faults.append(str(error))
            numbers[name] = None
    known = [n for n in numbers.values() if n is not None]
    if known != sorted(known):
        text = ', '.join(f'{k} {n}' for k, n in numbers.items() if n is not None)
        faults.append(f'not in order: {text}')
        numbers['apex'] = numbers['offset'] = None
    if numbers['apex'] is not None and numbers['apex'] == numbers['onset']:
        faults.append(f'onset and apex are both {numbers["apex"]}')
        numbers['apex'] = None
    for name in ('onset', 'apex'):
        if numbers[name] is not None and numbers[name] not in frames:
            faults.append(
                f'{name} {numbers[name]} is not among the frames {min(frames)} to '
                f'{max(frames)}'
            )
            numbers[name] = None
    for fault in faults:
        index.problem(INCONSISTENT, position, f'{index.where(clip)}: {fault}')
    if 'apex' in cells and cells['apex'].lower() in ABSENT:
        index.problem(MISSING_APEX, position, f'apex is {cells["apex"]!r}')
    onset, apex, offset = numbers.values()
    halfway = missing_apex == 'middle' and apex is None
    if halfway and onset is not None and offset is not None:
        apex = _nearest(frames, onset, offset)
    images = {}
    if onset is not None and apex is not None:
        images = dict(onset=frames[onset], apex=frames[apex])
    elif missing_apex == 'drop':
        return
    index.add(
        position,
        clip=clip,
        onset_frame=onset,
        apex_frame=apex,
        offset_frame=offset,
        **images,
        **columns,
    )


def _nearest(frames: Iterable[int], onset: int, offset: int) -> int | None:
    """Return the frame halfway from onset to offset, but not the onset itself.

    Of two that are as near the earlier is taken; None if there is no later frame.
    """
    later = (frame for frame in frames if onset < frame <= offset)
    return min(later, key=lambda frame: abs(frame - (onset + offset) / 2), default=None)
