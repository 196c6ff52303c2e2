"""UvA-NEMO."""

import dataclasses
import re

from mmcomp.faces.video import VIDEO_SUFFIXES
from mmcomp.tables import read_lines

from .common.base import CLASS_OF_WORD, Database, register
from .common.files import list_files
from .common.index import (
    CONTRADICTION,
    DUPLICATE,
    MISSING_CLIP,
    UNMATCHED,
    UNREADABLE,
    Index,
)

DETAILS = 'UvA-NEMO_Smile_Database_File_Details.txt'
HEADER_LINES = 5
FILE = re.compile(r'(\d+)_(deliberate|spontaneous)_smile_(\d+)', re.IGNORECASE)


@register
@dataclasses.dataclass
class UvANEMO(Database):
    """UvA-NEMO: deliberate and spontaneous smiles, a video each.

    ROOT/
      UvA-NEMO_Smile_Database_File_Details.txt    5 header lines, then tab-separated:
                                                  file, subject, ..., label (5th)
      videos/001_deliberate_smile_2.mp4

    Without the details, the number in the file name is the subject. Onset and apex are
    unknown and must be spotted.
    """

    name = 'uva-nemo'
    credit = 'UvA-NEMO (Dibeklioglu et al. 2012), Univ. of Amsterdam; licence needed'

    def scan(self, index: Index) -> None:
        """Add the videos, with subjects from the details."""
        details = self._read(index)
        for video in list_files(self.folder('videos'), VIDEO_SUFFIXES):
            match = FILE.fullmatch(video.stem)
            row = details.pop(video.stem.lower(), None)
            if not match:
                index.problem(UNMATCHED, video, 'not NNN_<class>_smile_K')
                continue
            subject, label = match[1], CLASS_OF_WORD[match[2].lower()]
            if row is not None:
                position, subject, word = row
                if CLASS_OF_WORD.get(word.lower()) != label:
                    index.problem(CONTRADICTION, position, f'{word!r} for {video.name}')
                    continue
            elif (self.root / DETAILS).is_file():
                index.problem(UNMATCHED, video, f'no line in {DETAILS}')
            index.add(
                video,
                sample_id=video.stem,
                subject=subject,
                label=label,
                emotion='happiness',
                clip=video,
            )
        for position, *_ in details.values():
            index.problem(MISSING_CLIP, position, 'no such video')

    def _read(self, index: Index) -> dict[str, tuple[str, str, str]]:
        """Return position, subject and label of each video in the details."""
        path = self.root / DETAILS
        if not path.is_file():
            index.notes.append(f'no {DETAILS}: subjects are taken from the file names')
            return {}
        details: dict[str, tuple[str, str, str]] = {}
        try:
            lines = list(read_lines(path, '\t'))
        except ValueError as error:
            raise ValueError(f'{path}, {error}') from None
        for number, cells in lines:
            if number <= HEADER_LINES or not any(cells):
                continue
            position = f'{DETAILS}:{number}'
            if len(cells) < 5:
                index.problem(
                    UNREADABLE, position, f'{len(cells)} columns of at least 5'
                )
                continue
            file = cells[0].removesuffix('.mp4').lower()
            if file in details:
                text = f'{cells[0]} is already in {details[file][0]}'
                index.problem(DUPLICATE, position, text)
                continue
            details[file] = position, cells[1], cells[4]
        return details
