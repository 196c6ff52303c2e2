"""SAMM."""

import dataclasses
from pathlib import Path

from .common.base import register
from .common.files import child
from .common.micro import MicroExpressions, padded


@register
@dataclasses.dataclass
class SAMM(MicroExpressions):
    """SAMM: micro-expressions, coded from onset over apex to offset.

    ROOT/
      SAMM_Micro_FACS_Codes*.csv or .xlsx   notes, then a header row: Subject, Filename,
                                            Onset Frame, Apex Frame, Offset Frame,
                                            Estimated Emotion
      006/006_1_2/006_05562.jpg             or below ROOT/SAMM

    Five classes: anger, contempt, happiness, surprise, other.
    """

    name = 'samm'
    credit = 'SAMM (Davison et al. 2018), Manchester Metropolitan Univ.; licence needed'
    tables = 'SAMM*Micro*'
    five_classes = ('anger', 'contempt', 'happiness', 'surprise', 'other')

    def clips(self) -> list[Path]:
        """Return all folders of frames."""
        found = self.folder('SAMM').glob('[0-9]*/[0-9]*_*')
        return sorted(path for path in found if path.is_dir())

    def locate(self, subject: str, clip: str) -> tuple[str, Path | None]:
        """Return subject and folder, named as in the table but for leading zeros."""
        subject, folder = padded(self.folder('SAMM'), subject)
        return subject, folder and child(folder, clip)
