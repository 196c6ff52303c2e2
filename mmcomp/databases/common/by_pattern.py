"""Samples from the paths of files."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmcomp.columns import APEX, EMOTION, ID, LABEL, ONSET, SUBJECT
from mmcomp.faces.video import VIDEO_SUFFIXES
from mmcomp.tables import plain

from .files import read_frames
from .index import (
    AMBIGUOUS,
    INCONSISTENT,
    MISSING_APEX,
    MISSING_IMAGE,
    UNMATCHED,
    Index,
)
from .pattern import Match

MOMENTS = {'onset': ONSET, 'neutral': ONSET, 'apex': APEX, 'peak': APEX}
OF_ONE_FRAME = ('moment', 'frame')  # of a frame, not of the clip; no column


def add_matches(index: Index, matches: Sequence[Match]) -> None:
    """Add videos, folders of frames, and pairs of images whose moment is known."""
    frames: dict[Path, list[Match]] = defaultdict(list)
    moments: dict[tuple, dict[str, list[Match]]] = {}
    for path, groups in matches:
        moment = groups.get('moment')
        match = Match(path, columns_of(groups))
        if path.suffix.lower() in VIDEO_SUFFIXES:
            name = readable_id(index, path.with_suffix(''))
            index.add(path, **{ID: name}, clip=path, **match.groups)
        elif moment is None:
            frames[path.parent].append(match)
        elif moment.lower() not in MOMENTS:
            text = f'moment is {moment!r}; it must be one of {", ".join(MOMENTS)}'
            index.problem(UNMATCHED, path, text)
        else:
            key = groups[SUBJECT], groups[LABEL]
            both = moments.setdefault(key, {ONSET: [], APEX: []})
            both[MOMENTS[moment.lower()]].append(match)
    for folder, inside in frames.items():
        _add_folder(index, folder, [match.groups for match in inside])
    for both in moments.values():
        _add_pairs(index, both[ONSET], both[APEX])


def columns_of(groups: Mapping[str, str]) -> dict[str, str]:
    """Return the values of a path that hold for the whole clip."""
    return {k: v for k, v in groups.items() if k not in OF_ONE_FRAME}


def agree(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Return whether two agree in all that both have; a neutral face has no emotion."""
    return all(
        plain(one[name]) == plain(other[name])
        for name in one.keys() & other.keys()
        if name not in OF_ONE_FRAME
        and not (name == EMOTION and 'neutral' in (one[name], other[name]))
    )


def readable_id(index: Index, path: Path) -> str:
    """Return a path below the root as one word that may name a file."""
    return '__'.join(path.relative_to(index.root).parts)


def _add_folder(index: Index, folder: Path, values: Sequence[dict[str, str]]) -> None:
    if any(groups != values[0] for groups in values):
        text = 'the pattern finds several clips in this folder; add {moment} to it'
        index.problem(AMBIGUOUS, folder, text)
        return
    for fault in read_frames(folder)[1]:
        index.problem(INCONSISTENT, folder, fault)
    index.add(folder, **{ID: readable_id(index, folder)}, clip=folder, **values[0])


def _add_pairs(index: Index, onsets: Sequence[Match], apexes: Sequence[Match]) -> None:
    """Give each apex the onset that agrees with it."""
    used: set[Path] = set()
    for path, groups in apexes:
        fitting = [onset for onset in onsets if agree(onset.groups, groups)]
        used.update(onset.path for onset in fitting)
        if not fitting:
            index.problem(MISSING_IMAGE, path, 'no onset agrees with this apex')
            continue
        onset = fitting[0].path
        if len(fitting) > 1:
            text = f'{len(fitting)} onsets fit; {index.where(onset)} is used'
            index.problem(AMBIGUOUS, path, text)
        name = readable_id(index, path.with_suffix(''))
        index.add(path, **{ID: name}, onset=onset, apex=path, **groups)
    for path, _ in onsets:
        if path not in used:
            index.problem(MISSING_APEX, path, 'no apex agrees with this onset')
