"""Settings as plain data, and how two of them differ, in words."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_OF_A_RUN = ('launcher', 'work_dir')  # of a config, and without effect on its results
_LONGEST = 60  # letters of a value that is shown


def to_json(cfg: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config in the types of JSON, without what only places a run."""
    plain = cfg.to_dict() if hasattr(cfg, 'to_dict') else cfg
    kept = {key: value for key, value in plain.items() if key not in _OF_A_RUN}
    return json.loads(json.dumps(kept, default=_named))


def _named(value: Any) -> str:
    """Return a text for an object in a config, the same in each process."""
    name = getattr(value, '__qualname__', None)
    return str(name or re.sub(r' at 0x[0-9a-f]+', '', repr(value)))


def leaves(value: Any, key: str = '') -> Iterator[tuple[str, str]]:
    """Yield the dotted key of each value inside, and the value as JSON.

    Examples:
        >>> dict(leaves({'a': {'b': 1}, 'c': [{'d': None}]}))
        {'a.b': '1', 'c.0.d': 'null'}
    """
    children: Sequence[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list) and any(isinstance(v, (dict, list)) for v in value):
        children = list(enumerate(value))
    if not children:
        yield key, json.dumps(value, ensure_ascii=False)
    for name, child in children:
        yield from leaves(child, f'{key}.{name}' if key else str(name))


def changes(found: Any, wanted: Any) -> list[str]:
    """Return each difference of two settings, as ``seed is 0 there, 1 now``."""
    a, b = dict(leaves(found)), dict(leaves(wanted))
    texts = []
    for key in (key for key in {**a, **b} if a.get(key) != b.get(key)):
        values = a.get(key, 'absent'), b.get(key, 'absent')
        short = max(map(len, values)) <= _LONGEST
        state = 'is {} there, {} now'.format(*values) if short else 'has changed'
        texts.append(f'{key} {state}')
    return texts


def shortened(texts: Sequence[str], shown: int) -> str:
    """Return the first texts in one line, and how many more there are."""
    more = [f'and {len(texts) - shown} more'] if len(texts) > shown else []
    return '; '.join([*texts[:shown], *more])
