"""SASE-FE."""

import dataclasses
import hashlib
import unicodedata

from mmcomp.faces.video import VIDEO_SUFFIXES
from mmcomp.files import entries

from .common.base import POSED, SPONTANEOUS, Database, option, register
from .common.files import list_files
from .common.index import UNMATCHED, Index

# Name of a video: the emotion that is felt, and the one that is shown.
REAL = {
    'N2H': 'happiness',
    'N2S': 'sadness',
    'N2D': 'disgust',
    'N2A': 'anger',
    'N2C': 'contempt',
    'N2SUR': 'surprise',
}
FAKE = {
    'S2N2H': ('sadness', 'happiness'),
    'H2N2S': ('happiness', 'sadness'),
    'H2N2D': ('happiness', 'disgust'),
    'H2N2A': ('happiness', 'anger'),
    'H2N2C': ('happiness', 'contempt'),
    'D2N2SUR': ('disgust', 'surprise'),
    'D2N2S': ('disgust', 'surprise'),
}
CODES = {
    **{code: (SPONTANEOUS, emotion, emotion) for code, emotion in REAL.items()},
    **{code: (POSED, *emotions) for code, emotions in FAKE.items()},
}


@register
@dataclasses.dataclass
class SASEFE(Database):
    """SASE-FE: real and fake expressions of the same people, a video each.

    ROOT/
      FakeTrue_DB/<name of a person>/<code>.MP4

    Codes, in any case: N2H N2S N2D N2A N2C N2Sur are real; S2N2H H2N2S H2N2D H2N2A
    H2N2C and D2N2Sur (D2N2S too) are fake; the first letter is what is felt. No name of
    a person is written: a hash replaces each, and the table refers to links of that
    name next to it. Onset and apex are unknown and must be spotted; the first frame is
    neutral.
    """

    salt: str = option(
        '', 'mixed into the hashes, so that guessed names cannot be checked'
    )

    name = 'sase-fe'
    credit = 'SASE-FE (Ofodile et al. 2017; Kulkarni et al. 2018); licence needed'

    def scan(self, index: Index) -> None:
        """Add a video for each code in the folder of each person."""
        root = self.folder('FakeTrue_DB')
        people = [p for p in entries(root) if p.is_dir()]
        index.links = {person: self.pseudonym(person.name) for person in people}
        for person, subject in index.links.items():
            strangers = 0
            for video in list_files(person, VIDEO_SUFFIXES):
                if video.stem.upper() not in CODES:
                    strangers += 1  # its name may be the person's
                    continue
                label, felt, emotion = CODES[video.stem.upper()]
                index.add(
                    video,
                    sample_id=f'{subject}-{video.stem}',
                    subject=subject,
                    label=label,
                    emotion=emotion,
                    felt=felt,
                    clip=video,
                )
            if strangers:
                index.problem(UNMATCHED, person, f'videos without a code: {strangers}')

    def pseudonym(self, name: str) -> str:
        """Return a short hash of a name, the same on every machine."""
        text = self.salt + unicodedata.normalize('NFC', name)
        return hashlib.sha256(text.encode()).hexdigest()[:10]
