"""Checks of arguments, of what training found, and of loaded buffers."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn


def check_counts(least: int = 1, **values: int) -> None:
    """Check that arguments are whole numbers of at least ``least``.

    Raises:
        ValueError: If one is not; it is named.
    """
    for name, value in values.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(
                f'{name} is {value!r}; it must be a whole number of at least {least}'
            )


def check_positive(**values: float) -> None:
    """Check that arguments are numbers above 0, likewise."""
    for name, value in values.items():
        if not isinstance(value, (int, float)) or not 0 < value < float('inf'):
            raise ValueError(f'{name} is {value!r}; it must be a number above 0')


def check_finite(parameters: Sequence[Tensor], **rate: float) -> None:
    """Check that training at a rate, given by its name, has not diverged."""
    if not all(p.isfinite().all() for p in parameters):
        [(name, value)] = rate.items()
        raise ValueError(f'{name} is {value}; it must be smaller, as training diverged')


def check_shapes(module: nn.Module, expected: Mapping[str, tuple[int, ...]]) -> None:
    """Check that buffers have the shapes that others demand.

    Raises:
        ValueError: If one has not; it is named.
    """
    for name, shape in expected.items():
        given = tuple(getattr(module, name).shape)
        if given != shape:
            raise ValueError(f'shape of {name} is {given}; it must be {shape}')


def check_scale(scale: Tensor) -> None:
    """Check that features are divided by numbers above 0."""
    if not (scale > 0).all():
        raise ValueError(f'scale is {scale.min():g} at least; it must be above 0')


def check_shares(shares: Tensor) -> None:
    """Check parts ``(classes, K)`` that K models are of classes.

    Raises:
        ValueError: If a model is not of one class, or a class has none.
    """
    owned = shares > 0
    if not ((owned.sum(0) == 1).all() and owned.any(1).all()):
        raise ValueError(
            f'shares is {shares.tolist()}; each model must be of one class, and each '
            'class must have one'
        )
