"""Data sets inside wrappers, such as ClassBalancedDataset and ConcatDataset."""

from typing import Any


def base_datasets(dataset: Any) -> list[Any]:
    """Return the data sets inside wrappers, at any depth; one without wrapper alone.

    Args:
        dataset: A data set; a wrapper keeps others as ``dataset`` or ``datasets``.
    """
    inner = getattr(dataset, 'datasets', None)
    if inner is None:
        if not hasattr(dataset, 'dataset'):
            return [dataset]
        inner = [dataset.dataset]
    return [base for own in inner for base in base_datasets(own)]


def class_names(dataset: Any) -> tuple[str, ...] | None:
    """Return the classes of a data set, wrapped or not; None if it does not name them.

    Args:
        dataset: A data set, or None.
    """
    for base in base_datasets(dataset):
        if names := getattr(base, 'metainfo', {}).get('classes'):
            return tuple(names)
    return None


def people_of(dataset: Any) -> set[str]:
    """Return the people whose pairs are in a data set, wrapped or not.

    Raises:
        ValueError: If a data set inside does not say whose pairs it holds.
    """
    people: set[str] = set()
    for base in base_datasets(dataset):
        if not hasattr(base, 'people'):
            raise ValueError(
                f'a {type(base).__name__} does not say which people are in it; the '
                "data set must be a PairDataset, or have a property 'people' (leave "
                'ProtocolHook out of custom_hooks for data without people)'
            )
        people |= set(base.people)
    return people
