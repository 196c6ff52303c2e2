"""SPOS."""

import dataclasses

from mmcomp.faces.video import IMAGE_SUFFIXES
from mmcomp.files import walk

from .common.base import CLASS_OF_WORD, Database, register
from .common.files import list_files, read_frames
from .common.index import INCONSISTENT, UNMATCHED, Index


@register
@dataclasses.dataclass
class SPOS(Database):
    """SPOS: posed and spontaneous expressions of the same people, as frames.

    ROOT/
      posed/<emotion>/<subject>-<n>/<k>.bmp
      spontaneous/<emotion>/<subject>-<n>/<k>.bmp

    Onset and apex are unknown and must be spotted.
    """

    name = 'spos'
    credit = 'SPOS Corpus (Pfister et al. 2011), University of Oulu; licence needed'

    def scan(self, index: Index) -> None:
        """Add every folder with images as a clip, or report it."""
        for clip in walk(self.root):
            if not list_files(clip, IMAGE_SUFFIXES):
                continue
            parts = clip.relative_to(self.root).parts
            label = CLASS_OF_WORD.get(parts[0].lower()) if len(parts) == 3 else None
            subject, dash, take = clip.name.rpartition('-')
            if label is None or not dash or not subject or not take:
                index.problem(UNMATCHED, clip, 'not <class>/<emotion>/<subject>-<n>')
                continue
            emotion = parts[1].lower()
            frames, faults = read_frames(clip)
            for fault in faults:
                index.problem(INCONSISTENT, clip, fault)
            if frames:
                index.add(
                    clip,
                    sample_id=f'{label}-{emotion}-{clip.name}',
                    subject=subject,
                    label=label,
                    emotion=emotion,
                    clip=clip,
                )
