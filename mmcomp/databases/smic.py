"""SMIC."""

import dataclasses
import re
from pathlib import Path

from mmcomp.faces.video import IMAGE_SUFFIXES
from mmcomp.files import walk
from mmcomp.tables import plain

from .common.base import Database, option, register
from .common.coded import CODED_COLUMNS, add_coded_clip, missing_apex_option
from .common.files import list_files, read_frames
from .common.index import CONTRADICTION, DUPLICATE, MISSING_CLIP, UNMATCHED, Index
from .common.tables import TableRow, read_table

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
    --table. Older tables have no apex: it must be spotted. In trimmed clips the first
    frame is the onset. ne: negative, po: positive, sur: surprise.
    """

    table: str = option('', 'the table of SMIC-E', metavar='FILE')
    missing_apex: str = missing_apex_option()

    name = 'smic'
    credit = 'SMIC (Li et al. 2013), University of Oulu; licence needed'

    def scan(self, index: Index) -> None:
        """Add the folders of frames, with codes from the table."""
        coded = self._read(index)
        for clip in walk(self.root):
            match = CLIP.fullmatch(clip.name)
            parts = clip.relative_to(self.root.parent).parts
            if not match:
                if list_files(clip, IMAGE_SUFFIXES) and 'non_micro' not in parts:
                    index.problem(UNMATCHED, clip, 'not named like s01_ne_01')
                continue
            row = coded.pop(plain(clip.name), None)
            position, cells = row or (index.where(clip), {})
            if row is None:
                if self.table:
                    index.problem(UNMATCHED, clip, 'no row in the table')
                frames, _ = read_frames(clip)
                if frames and 'micro' in parts:
                    cells = dict(onset=str(min(frames)), offset=str(max(frames)))
            emotion = EMOTIONS[match[2].lower()]
            if cells.get('emotion', emotion).lower() not in ('', emotion):
                index.problem(
                    CONTRADICTION, position, f'{cells["emotion"]} {clip.name}'
                )
            subject = f's{int(match[1]):02d}'
            add_coded_clip(
                index,
                position,
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
        for position, cells in coded.values():
            index.problem(MISSING_CLIP, position, cells['clip'])

    def _read(self, index: Index) -> dict[str, TableRow]:
        """Return the rows of the table by the plain name of their clip."""
        coded: dict[str, TableRow] = {}
        if not self.table:
            return coded
        for row in read_table(Path(self.table), CODED_COLUMNS, ('apex', 'emotion')):
            index.table_rows.append(row.position)
            first = coded.setdefault(plain(row.cells['clip']), row)
            if first is not row:
                text = f'{row.cells["clip"]} is already in {first.position}'
                index.problem(DUPLICATE, row.position, text)
        return coded
