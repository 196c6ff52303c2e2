"""Patterns that read subject, label and more from a path."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mmcomp.faces.video import FOREIGN_SUFFIXES, IMAGE_SUFFIXES, VIDEO_SUFFIXES
from mmcomp.files import walk

from .files import list_files
from .index import UNMATCHED, UNREADABLE, Index


class Match(NamedTuple):
    """A file, and the values that a pattern finds in its path."""

    path: Path
    groups: dict[str, str]


def compile_pattern(pattern: str) -> re.Pattern:
    """Turn a template or a regular expression into a compiled pattern for paths.

    In a template such as ``{subject}/{label}_*/{frame}``, ``{name}`` is as little as
    fits, within one name of a path, and the same text each time; ``*`` is anything
    within one name, ``**/`` any folders. A pattern with ``(?P<name>`` is a regular
    expression already.

    Raises:
        ValueError: If it is not a pattern, or names nothing.
    """
    source = pattern if '(?P<' in pattern else _translate(pattern)
    try:
        compiled = re.compile(source)
    except re.error as error:
        raise ValueError(f'pattern {pattern!r}: {error}') from None
    if not compiled.groupindex:
        raise ValueError(
            f'pattern is {pattern!r}; it must name something, such as {{subject}}'
        )
    return compiled


def scan_tree(index: Index, patterns: Sequence[re.Pattern]) -> list[Match]:
    """Return images and videos below the root that match a pattern; report others.

    A pattern must match the whole path below the root, without or with its suffix; the
    first that does counts. Without patterns every file matches, without values.
    """
    matches, root = [], index.root
    for folder in walk(root):
        for path in list_files(folder, FOREIGN_SUFFIXES):
            text = f'{path.suffix} is not read; convert it to PNG, or a video to MP4'
            index.problem(UNREADABLE, path, text)
        for path in list_files(folder, IMAGE_SUFFIXES | VIDEO_SUFFIXES):
            whole = path.relative_to(root)
            texts = whole.with_suffix('').as_posix(), whole.as_posix()
            found = (p.fullmatch(text) for p in patterns for text in texts)
            match = next(filter(None, found), None)
            if match:
                groups = {k: v for k, v in match.groupdict().items() if v is not None}
                matches.append(Match(path, groups))
            elif patterns:
                index.problem(UNMATCHED, path, 'no pattern fits')
            else:
                matches.append(Match(path, {}))
    return matches


def _translate(template: str) -> str:
    """Turn a template into a regular expression."""
    seen = set()
    parts = []
    for part in re.split(r'(\{\w+\}|\*\*/|\*)', template):
        name = part[1:-1]
        if part == '**/':
            parts.append(r'(?:.*/)?')
        elif part == '*':
            parts.append(r'[^/]*')
        elif not re.fullmatch(r'\{\w+\}', part):
            parts.append(re.escape(part))
        elif name in seen:
            parts.append(f'(?P={name})')
        else:
            seen.add(name)
            parts.append(f'(?P<{name}>[^/]+?)')
    return ''.join(parts)
