"""MMI."""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from mmcomp.faces.video import VIDEO_SUFFIXES
from mmcomp.files import walk

from .common.base import POSED, SPONTANEOUS, Database, option, register
from .common.files import list_files
from .common.index import UNMATCHED, UNREADABLE, Index

EMOTIONS = ('anger', 'disgust', 'fear', 'happiness', 'sadness', 'surprise')


@register
@dataclasses.dataclass
class MMI(Database):
    """MMI: sessions with a video each, posed and spontaneous.

    ROOT/
      Sessions/<id>/session.xml     <subject id="...">, <track view="...">
      Sessions/<id>/<name>.avi
      Sessions/<id>/<name>.xml      <Metatag Name="Emotion" Value="1...6">, if any

    The folders do not show which sessions are spontaneous: pass their numbers, from the
    documentation of your copy, with --spontaneous; all others are posed. Onset and apex
    are unknown and must be spotted.
    """

    spontaneous: Sequence[str] = option(
        (), 'numbers or ranges of sessions, such as 7 20-35', nargs='+', metavar='N'
    )

    name = 'mmi'
    credit = 'MMI Facial Expression Database (Pantic et al. 2005); licence needed'

    def set_up(self) -> None:
        """Read the ranges of sessions."""
        if not self.spontaneous:
            raise ValueError(
                'spontaneous is empty; it must be the numbers of the spontaneous '
                'sessions, such as 7 20-35'
            )
        self._spontaneous: set[int] = set()
        for text in self.spontaneous:
            match = re.fullmatch(r'(\d+)(?:-(\d+))?', str(text))
            if not match:
                raise ValueError(f'spontaneous is {text!r}; it must be like 7 or 20-35')
            last = int(match[2] or match[1])
            self._spontaneous.update(range(int(match[1]), last + 1))

    def scan(self, index: Index) -> None:
        """Add a session for each folder with a number as its name."""
        for folder in walk(self.folder('Sessions')):
            for video in list_files(folder, VIDEO_SUFFIXES):
                if not folder.name.isdecimal():
                    index.problem(UNMATCHED, video, 'not in a folder named by a number')
                    continue
                session = _read(index, folder / 'session.xml')
                subject = None if session is None else session.find('.//subject')
                if session is None or subject is None or not subject.get('id'):
                    text = 'no session.xml with <subject id="..."> next to it'
                    index.problem(UNMATCHED, video, text)
                    continue
                track = session.find('.//track')
                spontaneous = int(folder.name) in self._spontaneous
                index.add(
                    video,
                    sample_id=f'{folder.name}-{video.stem}',
                    subject=subject.get('id'),
                    label=SPONTANEOUS if spontaneous else POSED,
                    emotion=_emotion(index, video.with_suffix('.xml')),
                    clip=video,
                    view=None if track is None else track.get('view'),
                )


def _read(index: Index, path: Path) -> ElementTree.Element | None:
    """Return the root of an XML file; None if it is missing or (reported) damaged."""
    if not path.is_file():
        return None
    try:
        return ElementTree.fromstring(path.read_bytes())
    except ElementTree.ParseError as error:
        index.problem(UNREADABLE, path, str(error))
        return None


def _emotion(index: Index, path: Path) -> str | None:
    """Return the emotion whose number is in a video's own XML file, if any."""
    root = _read(index, path)
    for tag in [] if root is None else root.iter('Metatag'):
        if tag.get('Name') == 'Emotion':
            value = tag.get('Value', '')
            if value.isdecimal() and 1 <= int(value) <= len(EMOTIONS):
                return EMOTIONS[int(value) - 1]
            return f'emotion {value}'
    return None
