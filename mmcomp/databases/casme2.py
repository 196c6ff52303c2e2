"""CASME II."""

import dataclasses
from pathlib import Path

from mmcomp.files import is_clutter

from .common.base import register
from .common.files import child
from .common.micro import MicroExpressions, padded


@register
@dataclasses.dataclass
class CASME2(MicroExpressions):
    """CASME II: micro-expressions, coded from onset over apex to offset.

    ROOT/
      CASME2-coding*.csv or .xlsx       Subject, Filename, OnsetFrame, ApexFrame,
                                        OffsetFrame, Estimated Emotion
      CASME2_RAW_selected/sub01/EP02_01f/img46.jpg

    CASME2-RAW, Cropped, or a ROOT that holds sub01 itself works too. Some apexes are
    '/'. Five classes: disgust, happiness, repression, surprise, others.
    """

    name = 'casme2'
    credit = 'CASME II (Yan et al. 2014), Chinese Academy of Sciences; licence needed'
    tables = 'CASME2*cod*'
    five_classes = ('disgust', 'happiness', 'repression', 'surprise', 'others')

    @property
    def frames(self) -> Path:
        """The folder of the subjects."""
        return self.folder('CASME2_RAW_selected', 'CASME2-RAW', 'Cropped')

    def clips(self) -> list[Path]:
        """Return all folders of frames."""
        return sorted(
            p for p in self.frames.glob('sub*/*') if p.is_dir() and not is_clutter(p)
        )

    def locate(self, subject: str, clip: str) -> tuple[str, Path | None]:
        """Return subject and folder; subject 1 of the table is sub01."""
        number = subject.removesuffix('.0')  # as spreadsheets write 1
        name = f'sub{int(number):02d}' if number.isdecimal() else subject
        subject, folder = padded(self.frames, name)
        return subject, folder and child(folder, clip)
