"""What is installed: the configs that come with mmcomp, and the packages it needs."""

import difflib
from importlib import metadata, util
from pathlib import Path

from .version import __version__

CONFIGS = Path(__file__).parent / '.mim' / 'configs'
DATASETS = CONFIGS / '_base_' / 'datasets'


def config_path(name: str) -> str:
    """Return the path of a config that comes with mmcomp.

    A config elsewhere inherits from it by
    ``_base_ = __import__('mmcomp').config_path('compcnn_comb@2')``: MMEngine evaluates
    ``_base_`` before the config's own imports.

    Args:
        name: Such as 'compcnn_comb@2', the data set 'orl', or the part
            '_base_/models/compcnn'.

    Raises:
        ValueError: If there is none of this name; it names the nearest.

    Examples:
        >>> Path(config_path('compcnn_comb@2')).name
        'compcnn_comb@2.py'
    """
    for folder in (CONFIGS, DATASETS):
        path = folder / f'{name}.py'
        if path.is_file():
            return str(path)
    names = [
        path.stem for folder in (CONFIGS, DATASETS) for path in folder.glob('*.py')
    ]
    near = difflib.get_close_matches(Path(name).stem, names, 1)
    hint = f'; did you mean {near[0]!r}, which comes with mmcomp?' if near else ''
    raise ValueError(f'config {name!r}: no such file{hint}')


def find_config(config: str | Path) -> str:
    """Return the path of a config: a file, or the name of one that comes with mmcomp.

    Raises:
        ValueError: If it is neither.
    """
    return str(config) if Path(config).is_file() else config_path(str(config))


def check_requirements() -> None:
    """Refuse packages that are missing or older than setup.py allows for training.

    Upper bounds are left to pip: a newer release alone is no error.

    Raises:
        ImportError: Naming what is installed, what is needed and how to get it.
    """
    from packaging.requirements import Requirement
    from packaging.version import Version

    try:
        lines = metadata.requires('mmcomp') or []
    except metadata.PackageNotFoundError:  # used from a checkout, not installed
        lines = []
    for requirement in map(Requirement, lines):
        marker = requirement.marker
        if marker is not None and not marker.evaluate({'extra': 'train'}):
            continue
        requirement.marker = None
        try:
            found = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            found = None
        lowest = [
            s.version for s in requirement.specifier if s.operator in ('>=', '==')
        ]
        if found is None or any(Version(found) < Version(v) for v in lowest):
            raise ImportError(
                f'mmcomp {__version__} needs {requirement}, but '
                f'{found or "none"} is installed. Run: pip install "{requirement}"'
            )
    if util.find_spec('mmcv') is None:
        raise ImportError(
            f'mmcomp {__version__} needs mmcv or mmcv-lite, and neither is '
            'installed. Run: pip install mmcv-lite'
        )
