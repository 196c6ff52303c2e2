"""The registry of databases, their base class, and words for classes."""

import dataclasses
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from mmengine.registry import Registry

from mmcomp.columns import CLASSES

from .index import Index

DATABASES = Registry('database', scope='mmcomp', locations=['mmcomp.databases'])

POSED, SPONTANEOUS = CLASSES
CLASS_OF_WORD = {
    **dict.fromkeys(('posed', 'deliberate', 'fake', 'acted'), POSED),
    **dict.fromkeys(('spontaneous', 'genuine', 'real', 'true'), SPONTANEOUS),
}


def option(default: Any, help: str, **kwargs) -> Any:
    """Return a field of a :class:`Database` that is an option of ``tools/index.py``.

    Args:
        default: Its default; False makes it a switch.
        help: One line.
        **kwargs: For ``ArgumentParser.add_argument``.
    """
    if default is False:
        kwargs['action'] = 'store_true'
    return dataclasses.field(default=default, metadata=dict(help=help, **kwargs))


@dataclasses.dataclass
class Database:
    """A database on disk.

    A subclass is a dataclass whose docstring shows the layout and whose fields are its
    options (:func:`option`); :meth:`scan` fills an :class:`Index`.

    Args:
        root (Path): The folder that the layout starts from; a string will do.

    Raises:
        ValueError: If the root is not a folder, or an option has another value.
    """

    root: Path

    name: ClassVar[str] = ''
    credit: ClassVar[str] = ''

    def __post_init__(self) -> None:
        self.root = Path(self.root)
        for field in dataclasses.fields(self):
            value, allowed = getattr(self, field.name), field.metadata.get('choices')
            if allowed and value not in allowed:
                raise ValueError(
                    f'{field.name} is {value!r}; it must be one of '
                    f'{", ".join(map(repr, allowed))}'
                )
        self.set_up()
        if not self.root.is_dir():
            raise ValueError(f'root is {str(self.root)!r}; it must be a folder')

    def set_up(self) -> None:
        """Check options and fetch what is missing, before the root is checked."""

    def index(self) -> Index:
        """Search the tree for samples.

        Returns:
            Index: Samples sorted by id, and problems.

        Raises:
            ValueError: If nothing is found there, or a table cannot be read.
        """
        index = Index(self.name, self.root, self.credit)
        self.scan(index)
        if not index.rows:
            found = ''.join(
                f'\n  {p.kind}: {p.position}: {p.reason}' for p in index.problems[:5]
            )
            raise ValueError(
                f'{str(self.root)!r} holds nothing of {self.name}.{found}\n'
                f'Expected:\n{inspect.getdoc(type(self))}'
            )
        index.rows.sort(key=lambda row: str(row['sample_id']))
        return index

    def scan(self, index: Index) -> None:
        """Add rows and problems to an index."""
        raise NotImplementedError

    def folder(self, *names: str) -> Path:
        """Return the first of these folders below the root, or else the root."""
        for name in names:
            if (self.root / name).is_dir():
                return self.root / name
        return self.root


D = TypeVar('D', bound=Database)


def register(cls: type[D]) -> type[D]:
    """Register a database under its ``name``."""
    return DATABASES.register_module(name=cls.name, module=cls)


def index_database(name: str, root: str | Path, **options) -> Index:
    """Index the database of a name.

    Args:
        name (str): Name of the database, such as 'casme2'.
        root: The folder that its layout starts from.
        **options: Its options.

    Returns:
        Index: Samples and problems.

    Raises:
        ValueError: If no database has this name, and as :meth:`Database.index` does.
    """
    if name not in DATABASES.module_dict:
        known = ', '.join(map(repr, sorted(DATABASES.module_dict)))
        raise ValueError(f'name is {name!r}; it must be one of {known}')
    return DATABASES.module_dict[name](root, **options).index()


def read_mapping(pairs: dict[str, str] | Sequence[str], name: str) -> dict[str, str]:
    """Turn ``['a=b', ...]``, as a command line gives it, or a dict into a dict.

    Raises:
        ValueError: If one of them has no ``=``.
    """
    if isinstance(pairs, dict):
        return dict(pairs)
    for pair in pairs:
        if '=' not in pair:
            raise ValueError(f'{name}: {pair!r} must have the form A=B')
    return dict(pair.split('=', 1) for pair in pairs)
