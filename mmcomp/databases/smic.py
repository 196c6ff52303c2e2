"""SMIC."""

import dataclasses
import re
from pathlib import Path

from mmcomp.faces.video import IMAGE_SUFFIXES

from .base import Database, option, register
from .coded import CODED_COLUMNS, add_coded_clip, missing_apex_option
from .files import list_files, plain, read_frames, walk
from .index import CONTRADICTION, DUPLICATE, MISSING_CLIP, UNMATCHED, Index
from .tables import TableRow, read_table

CLIP = re.compile(r's(\d+)_(ne|po|sur)_(\d+)', re.IGNORECASE)
EMOTIONS = {'ne': 'negative', 'po': 'positive', 'sur': 'surprise'}


@register
@dataclasses.dataclass
class SMIC(Database):
    """SMIC or SMIC-E: micro-expressions; the class is in the name of the clip.

    ROOT/                                  one camera: HS, VIS or NIR
      s1/micro/negative/s1_ne_01/image000000.bmp     trimmed from onset to offset
    or
      s01/s01_ne_01/image000000.bmp                  SMIC-E, with frames around it

    For SMIC-E pass its table (Subject, Filename, OnsetF, OffsetF, perhaps ApexF) with
    --table. Older tables tell no apex: clips are to be spotted. In trimmed clips the
    first frame is taken as onset. ne: negative, po: positive, sur: surprise.
    """

    table: str = option('', 'the table of SMIC-E', metavar='FILE')
    missing_apex: str = missing_apex_option()

    name = 'smic'
    credit = 'SMIC (Li et al. 2013), University of Oulu; licence needed'

    def scan(self, index: Index) -> None:
        """Go through the folders, with the table beside."""
        coded = self._read(index)
        for clip in walk(self.root):
            match = CLIP.fullmatch(clip.name)
            parts = clip.relative_to(self.root.parent).parts
            if not match:
                if list_files(clip, IMAGE_SUFFIXES) and 'non_micro' not in parts:
                    index.problem(UNMATCHED, clip, 'not named like s01_ne_01')
                continue
            row = coded.pop(plain(clip.name), None)
            if row is not None:
                place, cells = row
            else:
                place, cells = index.where(clip), {}
                if self.table:
                    index.problem(UNMATCHED, clip, 'no row in the table')
                frames, _ = read_frames(clip)
                if frames and 'micro' in parts:
                    cells = dict(onset=str(min(frames)), offset=str(max(frames)))
            emotion = EMOTIONS[match[2].lower()]
            if cells.get('emotion', emotion).lower() not in ('', emotion):
                index.problem(CONTRADICTION, place, f'{cells["emotion"]} {clip.name}')
            subject = f's{int(match[1]):02d}'
            add_coded_clip(
                index,
                place,
                clip,
                cells,
                dict(
                    sample_id=f'{subject}_{match[2].lower()}_{int(match[3]):02d}',
                    subject=subject,
                    label=emotion,
                    emotion=emotion,
                ),
                self.missing_apex,
            )
        for place, cells in coded.values():
            index.problem(MISSING_CLIP, place, cells['clip'])

    def _read(self, index: Index) -> dict[str, TableRow]:
        """Rows of the table by the plain name of their clip."""
        coded: dict[str, TableRow] = {}
        if not self.table:
            return coded
        for row in read_table(Path(self.table), CODED_COLUMNS, ('apex', 'emotion')):
            first = coded.setdefault(plain(row.cells['clip']), row)
            if first is not row:
                text = f'{row.cells["clip"]} stands already in {first.place}'
                index.problem(DUPLICATE, row.place, text)
        return coded
