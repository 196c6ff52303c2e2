"""Checkpoints of plain data, and loading them without running code from the file."""

import pickle
import re
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch import nn

HISTORY = 'history_buffer'


class CheckpointError(ValueError):
    """A checkpoint that cannot be used."""


def load_plain_checkpoint(path: str, map_location='cpu') -> dict:
    """Read a checkpoint of tensors and plain data; refuse any other.

    Args:
        path (str): A ``.pth`` file, or a ``.safetensors`` file of weights.
        map_location: As for :func:`torch.load`.

    Returns:
        dict: With the weights under ``state_dict``.

    Raises:
        CheckpointError: If the file is missing, damaged, or would have to run code.
    """
    path = str(path)
    if not Path(path).is_file():
        raise CheckpointError(f'{path}: no such file')
    if path.endswith('.safetensors'):
        return _load_safetensors(path, map_location)
    try:
        checkpoint = torch.load(path, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f'checkpoint {path!r} is refused: it is damaged, or holds objects that '
            'could run code when loaded. mmcomp reads only tensors and plain data, '
            'which is what its own training writes. If you trust the file, load it '
            'with torch.load(..., weights_only=False) and save only its state_dict.\n'
            f'  {_telling_line(error)}'
        ) from None
    except Exception as error:  # the unpickler may raise anything on invalid data
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise CheckpointError(f'checkpoint {path!r} cannot be read: {reason}') from None
    if not isinstance(checkpoint, dict):
        raise CheckpointError(
            f'checkpoint {path!r} holds a {type(checkpoint).__name__}, not a state_dict'
        )
    return checkpoint if 'state_dict' in checkpoint else {'state_dict': checkpoint}


def newest_checkpoint(folder: str | Path) -> str | None:
    """Return the checkpoint that a training in a folder goes on from.

    It is the one that ``last_checkpoint`` names, or the newest that can be read if
    that file, or what it names, is missing or damaged.

    Returns:
        str: Its path; None if the folder has no checkpoint.

    Raises:
        CheckpointError: If there are checkpoints, and none of them can be read.
    """
    folder = Path(folder)
    files = [
        p for p in folder.glob('*_*.pth') if re.fullmatch(r'(epoch|iter)_\d+', p.stem)
    ]
    files.sort(key=lambda path: int(path.stem.split('_')[1]), reverse=True)
    named = folder / 'last_checkpoint'
    if named.is_file():
        text = named.read_text(encoding='utf-8', errors='replace').strip()
        files = [path for path in (Path(text),) if text and path.is_file()] + files
    fault = None
    for path in files:
        try:
            load_plain_checkpoint(str(path))
        except CheckpointError as error:
            fault = fault or error
        else:
            return str(path)
    if fault:
        raise fault
    return None


def _telling_line(error: Exception) -> str:
    """Return the line of PyTorch's long message that names the object."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines if 'Unpickler error' in line), lines[0])


def _load_safetensors(path: str, map_location) -> dict:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return {'state_dict': load_file(path, device=str(map_location))}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f'checkpoint {path!r} cannot be read: {error}') from None


def check_fits(model: nn.Module, state_dict: dict, path: str) -> None:
    """Check that weights fit a network.

    Raises:
        CheckpointError: If weights are missing, unknown or of another shape; the
            message names some of them.
    """
    own = model.state_dict()
    problems = []
    for word, names in (
        ('missing', own.keys() - state_dict.keys()),
        ('unknown', state_dict.keys() - own.keys()),
        (
            'of another shape',
            {
                name
                for name in own.keys() & state_dict.keys()
                if own[name].shape != state_dict[name].shape
            },
        ),
    ):
        if names:
            some = ', '.join(sorted(names)[:3])
            more = f' and {len(names) - 3} more' if len(names) > 3 else ''
            problems.append(f'{word}: {some}{more}')
    if problems:
        raise CheckpointError(
            f'checkpoint {path!r} belongs to another network than the config: '
            + '; '.join(problems)
        )


def to_plain(value):
    """Convert nested data of MMEngine to plain Python.

    History buffers become lists, and NumPy scalars become Python numbers. Functions,
    which some schedulers keep in their state, are left out: a scheduler that is built
    again has them already.
    """
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, HistoryBuffer):
        log, count = value.data
        return {HISTORY: [log.tolist(), count.tolist(), value.max_length]}
    if isinstance(value, dict):
        return {k: to_plain(item) for k, item in value.items() if not callable(item)}
    if isinstance(value, (list, tuple)):
        return type(value)(to_plain(item) for item in value)
    return value


def from_plain(value):
    """Undo :func:`to_plain`."""
    if isinstance(value, dict):
        if value.keys() == {HISTORY}:
            log, count, max_length = value[HISTORY]
            return HistoryBuffer(log, count, max_length)
        return {key: from_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(from_plain(item) for item in value)
    return value
