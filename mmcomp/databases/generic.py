"""Any other database, by a pattern of its paths, a table, or both."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from mmcomp.columns import EMOTION, LABEL, SUBJECT

from .common.base import CLASS_OF_WORD, Database, option, read_mapping, register
from .common.by_pattern import add_matches
from .common.by_table import add_table
from .common.coded import missing_apex_option
from .common.index import Index
from .common.pattern import Match, compile_pattern, scan_tree


@register
@dataclasses.dataclass
class Generic(Database):
    """Any database, by a pattern of its paths, a table, or both.

    A pattern is a template, {subject}/{label}/{emotion}/{frame}, or a regular
    expression with named groups, for paths below ROOT with or without suffix.
    {subject} and {label} are needed; {moment} (onset or neutral, apex or peak) makes
    pairs of images; any other name becomes a column. Without {moment} a video is a
    clip, and so is a folder of images, ordered by the last number in each name.

    A table has a row for each sample. Its columns:
      subject, label, ...         what no pattern gives; others are kept
      onset, apex                 images: paths below ROOT, or names found there; or
      clip                        a video or a folder of frames below ROOT; or neither,
                                  if subject, label, emotion fit one clip of a pattern
      onset_frame, apex_frame, offset_frame     numbers of its frames, where known
    """

    pattern: Sequence[str] = option(
        (), 'templates or regular expressions; the first that fits counts', nargs='+'
    )
    table: str = option('', 'a CSV or Excel table', metavar='FILE')
    columns: Sequence[str] = option(
        (), 'names of columns in the table', nargs='+', metavar='OURS=THEIRS'
    )
    labels: Sequence[str] = option(
        (),
        'classes for words; posed, deliberate, fake, acted, spontaneous, genuine, real '
        'and true are known, others are classes of their own',
        nargs='+',
        metavar='WORD=CLASS',
    )
    emotions: Sequence[str] = option(
        (), 'names for codes of emotions', nargs='+', metavar='CODE=NAME'
    )
    missing_apex: str = missing_apex_option()

    name = 'generic'
    credit = 'as the database says'
    known_labels: ClassVar[Mapping[str, str]] = CLASS_OF_WORD
    known_emotions: ClassVar[Mapping[str, str]] = {}

    def set_up(self) -> None:
        """Compile the patterns; check that there is a pattern or a table."""
        if not self.pattern and not self.table:
            raise ValueError(
                f'pattern and table are missing; {self.name} needs one or both'
            )
        self._patterns = [compile_pattern(p) for p in self.pattern]
        for pattern, compiled in zip(self.pattern, self._patterns):
            missing = {SUBJECT, LABEL} - set(compiled.groupindex)
            if missing and not self.table:
                raise ValueError(
                    f'pattern is {pattern!r}; it must also name '
                    f'{", ".join(sorted(missing))}'
                )
        self._columns = read_mapping(self.columns, 'columns')
        words = read_mapping(self.labels, 'labels')
        self._labels = {**self.known_labels, **{k.lower(): v for k, v in words.items()}}
        codes = read_mapping(self.emotions, 'emotions')
        self._emotions = {**self.known_emotions, **codes}

    def scan(self, index: Index) -> None:
        """Add samples by the table if there is one, else by the pattern alone."""
        matches = [
            Match(path, self.in_our_words(groups))
            for path, groups in scan_tree(index, self._patterns)
        ]
        if not self.table:
            add_matches(index, matches)
            return
        add_table(
            index,
            Path(self.table),
            matches,
            self._columns,
            self.in_our_words,
            self.missing_apex,
        )

    def in_our_words(self, values: Mapping[str, str]) -> dict[str, str]:
        """Translate values of a path or row into our words for classes and emotions."""
        values = dict(values)
        if LABEL in values:
            values[LABEL] = self._labels.get(values[LABEL].lower(), values[LABEL])
        if EMOTION in values:
            values[EMOTION] = self._emotions.get(
                values[EMOTION], values[EMOTION].lower()
            )
        return values
