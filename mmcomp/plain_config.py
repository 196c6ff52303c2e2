"""Configs in checkpoints: read as data, never run."""

import ast
from typing import Any

#: Settings of a network that would load or download weights, which are given already.
_LOADS = ('checkpoint', 'checkpoints', 'init_cfg', 'pretrained')


def parse_config(text: str) -> dict[str, Any]:
    """Read the text of a config as data.

    It may hold what MMEngine writes into checkpoints: assignments of numbers, strings,
    lists, tuples, dictionaries and ``dict(...)`` to names. Nothing is run.

    Raises:
        ValueError: Naming the line, if it holds anything else.

    Examples:
        >>> parse_config("model = dict(type='A', sizes=[1, -2.5])")
        {'model': {'type': 'A', 'sizes': [1, -2.5]}}
        >>> parse_config("import os")
        Traceback (most recent call last):
        ValueError: line 1: 'import os' is no plain setting
    """
    try:
        lines = map(_assignment, ast.parse(text).body)
        return {_name(line): _value(line.value) for line in lines}
    except SyntaxError as error:
        raise ValueError(f'line {error.lineno}: {error.msg}') from None
    except (RecursionError, MemoryError):
        raise ValueError('nested too deep') from None


def without_weights(model: Any) -> Any:
    """Return a network's config without what would load other weights."""
    if isinstance(model, dict):
        return {
            key: without_weights(value)
            for key, value in model.items()
            if key not in _LOADS
        }
    if isinstance(model, (list, tuple)):
        return type(model)(map(without_weights, model))
    return model


def _assignment(statement: ast.stmt) -> ast.Assign:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return statement
    raise _refusal(statement)


def _name(statement: ast.Assign) -> str:
    target = statement.targets[0]
    if isinstance(target, ast.Name):
        return target.id
    raise _refusal(statement)


def _value(node: ast.expr) -> Any:
    if isinstance(node, (ast.List, ast.Tuple)):
        values = map(_value, node.elts)
        return list(values) if isinstance(node, ast.List) else tuple(values)
    if isinstance(node, ast.Dict) and None not in node.keys:
        keys = [_value(key) for key in node.keys if key is not None]
        return dict(zip(keys, map(_value, node.values)))
    if isinstance(node, ast.Call) and ast.unparse(node.func) == 'dict':
        named = {str(keyword.arg): keyword.value for keyword in node.keywords}
        if not node.args and 'None' not in named:
            return {key: _value(value) for key, value in named.items()}
        if len(node.args) == 1 and not named and isinstance(node.args[0], ast.Dict):
            return _value(node.args[0])
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        raise _refusal(node) from None


def _refusal(node: ast.AST) -> ValueError:
    text = ast.unparse(node)
    text = text if len(text) < 40 else text[:37] + '...'
    line = getattr(node, 'lineno', '?')
    return ValueError(f'line {line}: {text!r} is no plain setting')
