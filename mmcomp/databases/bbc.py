"""BBC smile test."""

import dataclasses

from mmcomp.faces.video import VIDEO_SUFFIXES
from mmcomp.files import walk

from .common.base import CLASS_OF_WORD, Database, register
from .common.files import list_files
from .common.index import UNMATCHED, Index


@register
@dataclasses.dataclass
class BBC(Database):
    """BBC: the clips of the 'Spot the fake smile' test, each of another person.

    ROOT/
      Genuine/*.mp4
      posed/*.mp4

    Each clip counts as another subject. Onset and apex are unknown and must be spotted.
    """

    name = 'bbc'
    credit = 'BBC, Spot the fake smile; no redistribution'

    def scan(self, index: Index) -> None:
        """Add every video in a folder named after a class."""
        for folder in walk(self.root):
            label = CLASS_OF_WORD.get(folder.name.lower())
            for video in list_files(folder, VIDEO_SUFFIXES):
                if label is None:
                    index.problem(UNMATCHED, video, 'in neither Genuine nor posed')
                    continue
                sample_id = f'{label}-{video.stem}'
                index.add(
                    video,
                    sample_id=sample_id,
                    subject=sample_id,
                    label=label,
                    emotion='happiness',
                    clip=video,
                )
