"""Siamese networks that compare onset and apex face images, built on MMPretrain.

Importing the package loads nothing heavy. ``mmcomp.registry`` registers everything that
a config may name as ``mmcomp.X``.
"""

from importlib import metadata, util

from packaging.requirements import Requirement
from packaging.version import Version

from .version import __version__

__all__ = ['__version__']


def _check_requirements() -> None:
    """Refuse parent packages that are missing or older than setup.py allows.

    Upper bounds are left to pip: a newer release alone is no error.

    Raises:
        ImportError: Naming what is installed, what is needed and how to get it.
    """
    try:
        lines = metadata.requires('mmcomp') or []
    except metadata.PackageNotFoundError:  # used from a checkout, not installed
        lines = []
    for line in lines:
        requirement = Requirement(line)
        if requirement.marker is not None:  # belongs to an extra
            continue
        try:
            found = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            found = None
        lowest = [
            s.version for s in requirement.specifier if s.operator in ('>=', '==')
        ]
        if found is None or any(Version(found) < Version(v) for v in lowest):
            raise ImportError(
                f'mmcomp {__version__} needs {line}, but '
                f'{found or "none"} is installed. Run: pip install "{line}"'
            )
    if util.find_spec('mmcv') is None:
        raise ImportError(
            f'mmcomp {__version__} needs mmcv or mmcv-lite, and neither is '
            'installed. Run: pip install mmcv-lite'
        )


_check_requirements()
