"""USTC-NVIE."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import ClassVar

from mmcomp.columns import APEX, APEX_EYES, ONSET, ONSET_EYES
from mmcomp.tables import finite

from .common.base import POSED, option, read_mapping, register
from .common.index import AMBIGUOUS, MISSING_EYES, UNREADABLE, Index
from .common.tables import read_table
from .generic import Generic

EYES = ('left_x', 'left_y', 'right_x', 'right_y')


@register
@dataclasses.dataclass
class NVIE(Generic):
    """USTC-NVIE: posed and spontaneous expressions, visible light.

    File names and tables inside the database are not public, so you give them: --table
    with the samples, --pattern for the tree, or both, as for `generic`.
    Seen in public code:
      .../SelectedSamples/<file>           the first character is the emotion
      0-PosedExpressionDatabase/.../visible/neutral/
    A pattern for such a tree, if each subject has a folder, would be
      --pattern '{label}/**/{subject}/visible/{emotion}/{frame}'
    Emotions: 1 happiness, 2 disgust, 3 fear, 4 surprise, 5 anger, 6 sadness. --eyes is
    a table of the official eye positions; they become onset_eyes and apex_eyes. What
    cannot be matched is listed.
    """

    eyes: str = option('', 'a table of eye positions', metavar='FILE')
    eye_columns: Sequence[str] = option(
        (),
        f'names of the columns file, {", ".join(EYES)} in it',
        nargs='+',
        metavar='OURS=THEIRS',
    )

    name = 'nvie'
    credit = 'USTC-NVIE (Wang et al. 2010), Univ. of Sci. and Tech. of China; licence'
    known_labels: ClassVar[Mapping[str, str]] = {
        **Generic.known_labels,
        '0-posedexpressiondatabase': POSED,
    }
    known_emotions: ClassVar[Mapping[str, str]] = {
        '1': 'happiness',
        '2': 'disgust',
        '3': 'fear',
        '4': 'surprise',
        '5': 'anger',
        '6': 'sadness',
    }

    def scan(self, index: Index) -> None:
        """Add samples as a generic database does, then their eyes."""
        super().scan(index)
        if not self.eyes:
            return
        eyes = self._read_eyes(index)
        for row in index.rows:
            for moment, column in ((ONSET, ONSET_EYES), (APEX, APEX_EYES)):
                if moment not in row:
                    continue
                found = _look_up(eyes, row[moment].relative_to(self.root))
                if found is None:
                    text = f'not in {Path(self.eyes).name}'
                    index.problem(MISSING_EYES, row[moment], text)
                else:
                    row[column] = found

    def _read_eyes(self, index: Index) -> dict[str, str]:
        """Return eyes by the path or name in the table; the image's left eye first."""
        names = read_mapping(self.eye_columns, 'eye columns')
        columns = {name: (names.get(name, name),) for name in ('file', *EYES)}
        eyes: dict[str, str] = {}
        twice: list[str] = []
        for position, cells in read_table(
            Path(self.eyes), columns, hint='name them with --eye-columns OURS=THEIRS'
        ):
            try:
                x1, y1, x2, y2 = (finite(cells[name]) for name in EYES)
            except ValueError:
                index.problem(
                    UNREADABLE, position, 'eye positions that are not numbers'
                )
                continue
            key = PurePosixPath(cells['file'].replace('\\', '/')).as_posix()
            if key in eyes:
                index.problem(AMBIGUOUS, position, f'{key} is here a second time')
                twice.append(key)
            points = sorted([(x1, y1), (x2, y2)])
            eyes[key] = ' '.join(f'{value:g}' for point in points for value in point)
        return {key: value for key, value in eyes.items() if key not in twice}


def _look_up(eyes: Mapping[str, str], path: Path) -> str | None:
    """Return the entry whose key is the end of a path, with or without suffix."""
    for start in range(len(path.parts)):
        end = Path(*path.parts[start:])
        for key in (end.as_posix(), end.with_suffix('').as_posix()):
            if key in eyes:
                return eyes[key]
    return None
