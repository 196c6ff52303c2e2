"""Checkpoints of plain data, and loading them without running code from the file."""

import json
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch import Tensor, nn

from mmcomp.classes import brief, class_list

HISTORY = 'history_buffer'


class CheckpointError(ValueError):
    """A checkpoint that cannot be used."""


def load_plain_checkpoint(path: str | Path, map_location: Any = 'cpu') -> dict:
    """Read a checkpoint of tensors and plain data; refuse any other.

    Every file of weights in mmcomp's processes is read here, also one that a config
    names for MMEngine or MMPretrain (:mod:`mmcomp.registry` sees to that).

    Args:
        path: A ``.pth`` file, or a ``.safetensors`` file of weights. Nothing is
            downloaded.
        map_location: As for :func:`torch.load`.

    Returns:
        dict: With the weights under ``state_dict``, and ``meta``, a dict. A program
        text that MMEngine would run on resume is left out of it.

    Raises:
        CheckpointError: If the file is missing, damaged, would have to run code, takes
            more memory than its size, or holds weights that are not numbers.
    """
    path = str(path)
    if '://' in path:
        raise CheckpointError(
            f'checkpoint is {path!r}; it must be a file, as nothing is downloaded'
        )
    if not Path(path).expanduser().is_file():
        raise CheckpointError(f'{path}: no such file')
    read = _load_safetensors if path.endswith('.safetensors') else _load_pickle
    content = read(str(Path(path).expanduser()), path, map_location)
    if not isinstance(content, dict):
        raise CheckpointError(
            f'{path}: holds a {type(content).__name__}; it must be a state_dict'
        )
    checkpoint = content if 'state_dict' in content else {'state_dict': content}
    checkpoint['meta'] = _dict_or_none(checkpoint, 'meta', path)
    checkpoint['meta'].pop('config', None)  # MMEngine's Runner.resume would run it
    _check_weights(checkpoint['state_dict'], path)
    return checkpoint


def classes_of(checkpoint: dict, path: str | Path) -> tuple[str, ...] | None:
    """Return the class names in a checkpoint, or None if it has none.

    Raises:
        ValueError: If they are not two or more different names.
    """
    names = _dict_or_none(checkpoint['meta'], 'dataset_meta', path).get('classes')
    return None if names is None else class_list(names, str(path))


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


def _dict_or_none(content: dict, key: str, path: str | Path) -> dict:
    value = content.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise CheckpointError(
            f'{path}: {key} is {brief(value)}; it must be a dictionary'
        )
    return value


def _load_pickle(path: str, name: str, map_location: Any) -> Any:
    _check_expansion(path, name)
    try:
        return torch.load(path, map_location=map_location, weights_only=True)
    except pickle.UnpicklingError as error:
        # PyTorch's own message advises to load the file without this protection.
        found = re.search(r'GLOBAL (\S+)', str(error))
        what = f' ({found[1]})' if found else ''
        raise CheckpointError(
            f'{name}: refused: it is damaged, or holds objects{what} that could run '
            'code; mmcomp reads tensors and plain data only'
        ) from None
    except Exception as error:  # the unpickler may raise anything on invalid data
        reason = (str(error).splitlines() or [''])[0]
        if not reason or 'weights_only' in reason:
            reason = type(error).__name__
        raise CheckpointError(f'{name}: cannot be read: {reason}') from None


def _check_expansion(path: str, name: str) -> None:
    """Check, from its directory, that a zip file is no larger unpacked than packed.

    ``torch.save`` does not compress.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return  # not a zip file: an old format, or damaged, which PyTorch reports
    packed = Path(path).stat().st_size
    if unpacked > packed:
        raise CheckpointError(
            f'{name}: refused: it has {packed} bytes and unpacks to {unpacked}; '
            'checkpoints are not compressed'
        )


def _load_safetensors(path: str, name: str, map_location: Any) -> dict:
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import load_file

    try:
        with safe_open(path, 'pt') as file:
            metadata = file.metadata() or {}
        state_dict = load_file(path, device=str(map_location))
        meta: dict[str, Any] = {}
        if 'classes' in metadata:
            meta['dataset_meta'] = {'classes': json.loads(metadata['classes'])}
        if 'cfg' in metadata:
            meta['cfg'] = metadata['cfg']
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f'{name}: cannot be read: {error}') from None
    return {'state_dict': state_dict, 'meta': meta}


def _check_weights(state_dict: Any, path: str) -> None:
    """Check that weights are tensors by name, and all of them numbers."""
    if not isinstance(state_dict, dict):
        raise CheckpointError(
            f'{path}: state_dict is {brief(state_dict)}; it must be a dictionary of '
            'weights'
        )
    for name, value in state_dict.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise CheckpointError(
                f'{path}: weight {brief(name)} is a {type(value).__name__}; weights '
                'must be tensors with names'
            )
        if value.layout != torch.strided or value.is_meta or value.is_quantized:
            raise CheckpointError(f'{path}: weight {name!r} is not a dense tensor')
        if value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise CheckpointError(
                f'{path}: weight {name!r} has the shape {tuple(value.shape)}, but the '
                'file holds fewer numbers'
            )
        if value.is_floating_point() and not value.float().isfinite().all():
            raise CheckpointError(
                f'{path}: weight {name!r} holds NaN or infinity; it must hold numbers'
            )


def check_fits(model: nn.Module, state_dict: dict, path: str) -> None:
    """Check that weights fit a network.

    A part of the network whose buffers take the sizes of the file, as what is fitted at
    once does, names them in ``sized_buffers()`` and checks them in ``check_state()``.

    Raises:
        CheckpointError: If weights are missing, unknown or of another shape, with some
            of their names; or if such buffers cannot be used.
    """
    own = model.state_dict()
    parts = sized_parts(model)
    sized = {name for names, _ in parts for name in names}
    problems = []
    for word, names in (
        ('missing', own.keys() - state_dict.keys()),
        ('unknown', state_dict.keys() - own.keys()),
        (
            'of another shape',
            {
                name
                for name in own.keys() & state_dict.keys() - sized
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
    for own_names, part in parts:
        try:
            part.check_state({k: state_dict[name] for name, k in own_names.items()})
        except ValueError as error:
            raise CheckpointError(f'checkpoint {path!r}: {error}') from None


def sized_parts(model: nn.Module) -> list[tuple[dict[str, str], Any]]:
    """Return the parts of a network whose buffers take the sizes of a checkpoint.

    Returns:
        list: For each part, its buffers' names in the network and in the part; and the
        part itself.
    """
    found = []
    for prefix, part in model.named_modules():
        if hasattr(part, 'sized_buffers'):
            start = f'{prefix}.' if prefix else ''
            found.append(({start + own: own for own in part.sized_buffers()}, part))
    return found


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
