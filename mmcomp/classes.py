"""Names of classes: those of a file, of a network and of data must be one list."""

import reprlib
from collections.abc import Sequence
from typing import Any


class ClassesError(ValueError):
    """Class names that do not fit."""


def class_list(names: Any, source: str) -> tuple[str, ...]:
    """Return names of classes from somebody's file, checked.

    Args:
        names: What the file holds: a list of strings is expected.
        source: What holds them, for the message.

    Raises:
        ClassesError: If they are not two or more different strings.
    """
    if (
        not isinstance(names, (list, tuple))
        or len(names) < 2
        or not all(isinstance(name, str) and name for name in names)
        or len(set(names)) < len(names)
    ):
        raise ClassesError(
            f'classes of {source} are {brief(names)}; they must be two or more '
            'different names'
        )
    return tuple(names)


def choose_classes(
    in_file: Sequence[str] | None,
    in_config: Sequence[str] | None,
    count: int | None,
    source: str,
) -> tuple[str, ...]:
    """Return the names of a network's classes.

    Args:
        in_file: Those that come with the weights, if any.
        in_config: Those of the config's data, if any; used if the file has none.
        count: Number of scores of the network; None if it does not say.
        source: The file, for the message.

    Returns:
        tuple[str]: ``count`` names: class0, class1, ... where nothing names them.

    Raises:
        ClassesError: If there are more or fewer names than scores.

    Examples:
        >>> choose_classes(None, ['smile', 'neutral'], 2, 'a.pth')
        ('smile', 'neutral')
        >>> choose_classes(None, None, 3, 'a.pth')
        ('class0', 'class1', 'class2')
    """
    names = in_file or in_config or [f'class{index}' for index in range(count or 0)]
    if count is not None and len(names) != count:
        where = source if in_file else 'the config'
        raise ClassesError(
            f'classes of {where} are {brief(names)}; they must be {count}, as the '
            'network has that many scores'
        )
    return tuple(names)


def check_same_classes(
    in_file: Sequence[str] | None,
    in_data: Sequence[str] | None,
    source: str,
    data: str = 'the data',
) -> None:
    """Check that data have the classes that weights are trained on, in that order.

    Args:
        in_file: Those that come with the weights, or None, which passes.
        in_data: Those of the data, or None, which passes.
        source: The file, for the message.
        data: What the data are, for the message.

    Raises:
        ClassesError: If names or order differ.
    """
    if in_file and in_data and tuple(in_file) != tuple(in_data):
        raise ClassesError(
            f'classes of {data} are {brief(in_data)}; they must be those of '
            f'{source}, in its order: {brief(in_file)}'
        )


def brief(value: Any, length: int = 80) -> str:
    """Return a value on one short line, for a message."""
    if isinstance(value, (list, tuple)) and all(isinstance(x, str) for x in value):
        text = ', '.join(map(repr, value[:length])) or '[]'
    else:
        text = reprlib.repr(value)
    return text if len(text) <= length else text[: length - 3] + '...'
