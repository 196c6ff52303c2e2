"""Clips as folders of frames, with coded onset, apex and offset."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .base import option
from .files import read_frames
from .index import INCONSISTENT, MISSING_APEX, MISSING_CLIP, Index
from .tables import read_number

POLICIES = ('clip', 'drop', 'middle')
CODED_COLUMNS = {
    'subject': ('subject',),
    'clip': ('filename', 'file', 'clip'),
    'onset': ('onsetframe', 'onsetf', 'onset'),
    'apex': ('apexframe', 'apexf', 'apex'),
    'offset': ('offsetframe', 'offsetf', 'offset'),
    'emotion': ('estimatedemotion', 'emotion'),
}


def missing_apex_option() -> str:
    """The option that says what becomes of a clip without a usable apex."""
    return option(
        'clip',
        "a clip without a usable apex: kept as a clip to be spotted ('clip'), left out "
        "('drop'), or with the frame halfway from onset to offset as apex ('middle')",
        choices=POLICIES,
    )


def add_coded_clip(
    index: Index,
    place: str,
    clip: Path,
    cells: Mapping[str, str],
    columns: Mapping[str, Any],
    missing_apex: str = 'clip',
) -> None:
    """Add a folder of frames with coded onset, apex and offset.

    Onset and apex count only if the folder has their frames, apex and offset only if
    all are in order. What does not count is reported, and is missing from then on.

    Args:
        index (Index): What is added to.
        place (str): Where the clip was coded, for messages.
        clip (Path): The folder.
        cells (Mapping): Cells of the table under ``onset``, ``apex`` and ``offset``. A
            database that codes no apex at all has no key ``apex``.
        columns (Mapping): The other columns.
        missing_apex (str): See :func:`missing_apex_option`.
    """
    frames, faults = read_frames(clip)
    if not frames:
        index.problem(MISSING_CLIP, place, f'no frames in {index.where(clip)}')
        return
    numbers = {k: read_number(cells.get(k, '')) for k in ('onset', 'apex', 'offset')}
    told = [n for n in numbers.values() if n is not None]
    if told != sorted(told):
        text = ', '.join(f'{k} {n}' for k, n in numbers.items() if n is not None)
        faults.append(f'not in order: {text}')
        numbers['apex'] = numbers['offset'] = None
    for name in ('onset', 'apex'):
        if numbers[name] is not None and numbers[name] not in frames:
            faults.append(
                f'{name} {numbers[name]} is not among the frames {min(frames)} to '
                f'{max(frames)}'
            )
            numbers[name] = None
    for fault in faults:
        index.problem(INCONSISTENT, place, f'{index.where(clip)}: {fault}')
    if 'apex' in cells and read_number(cells['apex']) is None:
        index.problem(MISSING_APEX, place, f'apex is {cells["apex"]!r}')
    onset, apex, offset = numbers.values()
    if None not in (onset, offset) and apex is None and missing_apex == 'middle':
        apex = min(frames, key=lambda n: abs(2 * n - onset - offset))
    paired = onset is not None and apex is not None
    if not paired and missing_apex == 'drop':
        return
    images = dict(onset=frames[onset], apex=frames[apex]) if paired else {}
    index.add(
        place,
        clip=clip,
        onset_frame=onset,
        apex_frame=apex,
        offset_frame=offset,
        **images,
        **columns,
    )
