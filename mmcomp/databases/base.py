"""What all databases share: the registry, the base class, words for classes."""

import dataclasses
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from mmengine.registry import Registry

from .index import Index

DATABASES = Registry('database', scope='mmcomp', locations=['mmcomp.databases'])

POSED, SPONTANEOUS = 'posed', 'spontaneous'  # as in mmcomp.datasets, which is heavy
CLASS_OF_WORD = {
    **dict.fromkeys(('posed', 'deliberate', 'fake', 'acted'), POSED),
    **dict.fromkeys(('spontaneous', 'genuine', 'real', 'true'), SPONTANEOUS),
}


def option(default: Any, help: str, **kwargs) -> Any:
    """A field of a :class:`Database` that ``tools/index.py`` offers as an option.

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
    """A database as it lies on disk.

    A subclass is a dataclass whose docstring shows the layout and whose fields are its
    options (:func:`option`); :meth:`scan` fills an :class:`Index`.

    Args:
        root (str | Path): The folder that the layout starts from.

    Raises:
        ValueError: If the root is no folder or an option has no such value.
    """

    root: str | Path

    name: ClassVar[str] = ''
    credit: ClassVar[str] = ''

    def __post_init__(self) -> None:
        self.root = Path(self.root)
        for field in dataclasses.fields(self):
            value, allowed = getattr(self, field.name), field.metadata.get('choices')
            if allowed and value not in allowed:
                raise ValueError(
                    f'{field.name} is {value!r}; allowed are '
                    f'{", ".join(map(repr, allowed))}'
                )
        self.prepare()
        if not self.root.is_dir():
            raise ValueError(f'root is {str(self.root)!r}, which is no folder')

    def prepare(self) -> None:
        """Check options; the place to fetch what is missing."""

    def index(self) -> Index:
        """Look through the tree.

        Raises:
            ValueError: If nothing is found there, or a table cannot be read.
        """
        index = Index(self.name, self.root, self.credit)
        self.scan(index)
        if not index.rows:
            found = ''.join(
                f'\n  {p.kind}: {p.place}: {p.detail}' for p in index.problems[:5]
            )
            raise ValueError(
                f'nothing of {self.name} is found in {str(self.root)!r}.{found}\n'
                f'Expected:\n{inspect.cleandoc(type(self).__doc__)}'
            )
        index.rows.sort(key=lambda row: str(row['sample_id']))
        return index

    def scan(self, index: Index) -> None:
        """Add rows and problems to an index."""
        raise NotImplementedError

    def folder(self, *names: str) -> Path:
        """The folder below the root with the first of these names, or the root."""
        for name in names:
            if (self.root / name).is_dir():
                return self.root / name
        return self.root


def register(cls: type) -> type:
    """Register a database under its ``name``."""
    return DATABASES.register_module(name=cls.name, module=cls)


def index_database(name: str, root: str | Path, **options) -> Index:
    """Index a database by its name.

    Raises:
        ValueError: If no database has this name, and as :meth:`Database.index` does.
    """
    if name not in DATABASES.module_dict:
        known = ', '.join(sorted(DATABASES.module_dict))
        raise ValueError(f'no database {name!r}; there are {known}')
    return DATABASES.module_dict[name](root, **options).index()


def read_mapping(pairs: dict[str, str] | Sequence[str], name: str) -> dict:
    """A dict from ``['a=b', ...]``, as it comes from a command line, or from a dict.

    Raises:
        ValueError: If one of them has no ``=``.
    """
    if isinstance(pairs, dict):
        return dict(pairs)
    wrong = [pair for pair in pairs if '=' not in pair]
    if wrong:
        raise ValueError(f'{name} are written as A=B, not {wrong[0]!r}')
    return dict(pair.split('=', 1) for pair in pairs)
