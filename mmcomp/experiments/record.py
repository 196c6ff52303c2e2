"""What an experiment is, as its folder records it. Imports nothing heavy."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mmcomp.differences import changes, shortened
from mmcomp.files import EXPERIMENT_FILE, read_object, write_text

from .plan import ExperimentSettings, SettingsError

INPUTS_FILE = 'inputs.json'
SHOWN = 5  # differences in a message

#: What results depend on: ``configs``, the resolved config of each network by its name,
#: and ``files``, the SHA-256 of each file by its path.
Inputs = dict[str, dict[str, Any]]


def check_folder(folder: Path) -> None:
    """Refuse a folder that holds files of something else.

    Raises:
        SettingsError: If it does.
    """
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f'{folder} is a file; it must be a folder, or not exist')
    if not folder.exists() or (folder / EXPERIMENT_FILE).exists():
        return
    # A start that was killed, or found the disk full, leaves what comes before.
    own = {INPUTS_FILE}
    if any(p.name[0] != '.' and p.name not in own for p in folder.iterdir()):
        raise SettingsError(f'{folder} is not empty and holds no experiment')


def write_settings(settings: ExperimentSettings, inputs: Inputs, folder: Path) -> None:
    """Write what an experiment is into its folder, or compare with what is there.

    Args:
        settings: The experiment.
        inputs: What its results depend on; see :func:`.inputs.find_inputs`.
        folder: The folder.

    Raises:
        SettingsError: Naming what differs from the experiment in the folder.
        ValueError: If its record cannot be read.
    """
    check_folder(folder)
    path = folder / EXPERIMENT_FILE
    wanted = json.loads(json.dumps(asdict(settings)))
    if not path.exists():
        # The settings come last: where they are, both are whole.
        write_text(folder / INPUTS_FILE, _json(inputs))
        write_text(path, _json(wanted))
        return
    found = read_object(path)
    changed = [
        f'{key}: {found.get(key)!r} there, {wanted.get(key)!r} now'
        for key in {**found, **wanted}
        if found.get(key) != wanted.get(key)
    ]
    if changed:
        raise SettingsError(
            f'{folder} holds another experiment; choose another --work-dir. '
            + '; '.join(changed)
        )
    if other := differences(read_inputs(folder), inputs):
        raise SettingsError(
            f'{folder} holds results of other configs or data, which must not be mixed '
            f'with new ones; undo the change, or choose another --work-dir. {other}'
        )


def read_settings(folder: Path) -> ExperimentSettings:
    """Read the settings of the experiment in a folder.

    Raises:
        SettingsError: If there is none.
    """
    try:
        return ExperimentSettings(**read_object(Path(folder, EXPERIMENT_FILE)))
    except (ValueError, TypeError) as error:
        raise SettingsError(f'{folder} holds no experiment: {error}') from None


def read_inputs(folder: Path) -> Inputs:
    """Read what the results in an experiment's folder depend on.

    Raises:
        SettingsError: If it is not written there.
    """
    path = Path(folder, INPUTS_FILE)
    try:
        inputs = read_object(path)
        return {name: dict(inputs[name]) for name in ('configs', 'files')}
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f'{path}: {error}; what the results depend on is not known, so choose '
            'another --work-dir'
        ) from None


def differences(found: Inputs, wanted: Inputs) -> str:
    """Return how inputs differ, in words; '' if they do not.

    Networks that only one of the two has do not count.
    """
    texts = []
    for name in (name for name in found['configs'] if name in wanted['configs']):
        own = changes(found['configs'][name], wanted['configs'][name])
        texts += [f'{name}: {text}' for text in own]
    for path in {**found['files'], **wanted['files']}:
        old, new = found['files'].get(path), wanted['files'].get(path)
        if old != new:
            gone = 'has changed' if new else 'is no longer used'
            state = gone if old else 'is new'
            texts.append(f'{path} {state}')
    return shortened(texts, SHOWN)


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + '\n'
