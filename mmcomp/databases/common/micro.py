"""Micro-expressions coded in a table, with classes of emotions: CASME II, SAMM."""

import dataclasses
from pathlib import Path
from typing import ClassVar

from .base import Database, option
from .coded import CODED_COLUMNS, add_coded_clip, missing_apex_option
from .files import child
from .index import LEFT_OUT, MISSING_CLIP, UNMATCHED, Index
from .tables import find_table, read_table

# The three classes of the joint protocol of the Micro-Expression Grand Challenges.
THREE_CLASSES = {
    **dict.fromkeys(
        ('anger', 'contempt', 'disgust', 'fear', 'repression', 'sadness'), 'negative'
    ),
    'happiness': 'positive',
    'surprise': 'surprise',
}


@dataclasses.dataclass
class MicroExpressions(Database):
    """Clips as folders of frames, coded in a table."""

    table: str = option('', 'the table; default: found by its name', metavar='FILE')
    classes: str = option(
        '3',
        "3: negative, positive, surprise; 5: the database's usual five; raw: every "
        'emotion is a class',
        choices=('3', '5', 'raw'),
    )
    missing_apex: str = missing_apex_option()

    tables: ClassVar[str] = ''
    five_classes: ClassVar[tuple[str, ...]] = ()

    def clips(self) -> list[Path]:
        """Return all folders of frames."""
        raise NotImplementedError

    def locate(self, subject: str, clip: str) -> tuple[str, Path | None]:
        """Return the subject's name in the tree, and the folder of a clip, if any."""
        raise NotImplementedError

    def class_of(self, emotion: str) -> str | None:
        """Return the class of an emotion; None if the protocol leaves it out."""
        if self.classes == '3':
            return THREE_CLASSES.get(emotion)
        if self.classes == '5':
            return emotion if emotion in self.five_classes else None
        return emotion

    def scan(self, index: Index) -> None:
        """Read the table, then look for clips that it does not list."""
        table = Path(self.table) if self.table else find_table(self.root, self.tables)
        known: dict[Path, str] = {}
        for position, cells in read_table(table, CODED_COLUMNS):
            index.table_rows.append(position)
            emotion = cells['emotion'].lower()
            subject, clip = self.locate(cells['subject'], cells['clip'])
            if clip is None:
                index.problem(MISSING_CLIP, position, f'{subject}/{cells["clip"]}')
                continue
            known[clip] = position
            label = self.class_of(emotion)
            if label is None:
                text = f'{emotion or "no emotion"} is in no class'
                index.problem(LEFT_OUT, position, text)
                continue
            add_coded_clip(
                index,
                position,
                clip,
                cells,
                dict(
                    sample_id=f'{subject}-{clip.name}',
                    subject=subject,
                    label=label,
                    emotion=emotion,
                ),
                self.missing_apex,
            )
        for clip in self.clips():
            if clip not in known:
                index.problem(UNMATCHED, clip, f'no row in {table.name}')


def padded(folder: Path, name: str) -> tuple[str, Path | None]:
    """Return the padded name of a folder below another, and its path if it exists."""
    found = child(folder, name)
    return (found.name if found else name), found
