"""What the results of an experiment depend on: its configs, tables and pictures."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmcomp.columns import APEX, DATABASE, ID, LABEL, ONSET, SUBJECT
from mmcomp.config import LOADERS, base_configs, load_config, whole_dataset
from mmcomp.datasets import check_alignment
from mmcomp.differences import leaves, to_json
from mmcomp.files import digest
from mmcomp.registry import DATASETS

from .plan import ExperimentSettings, SettingsError
from .record import Inputs


def find_inputs(settings: ExperimentSettings) -> tuple[Inputs, Any, str]:
    """Read the configs and all files that they use, so that faults show early.

    The files are the tables and pictures of each data set, and whatever else a config
    names: weights to start from, lists of subjects.

    Returns:
        tuple: What the results depend on, in the types of JSON; the data set that the
        networks are tested on, whole; and one hash of its pairs.

    Raises:
        ValueError: For a config or a table that cannot be used; if two networks are of
            one name, or are tested on different pairs.
    """
    configs = {
        Path(path).stem: load_config(path, settings.dataset, settings.cfg_options)
        for path in settings.configs
    }
    _check_names(configs)
    files = _Digests()
    built: dict[str, tuple[Any, str]] = {}
    tested: dict[str, tuple[Any, str]] = {}
    for name, cfg in configs.items():
        init_default_scope(cfg.get('default_scope', 'mmpretrain'))
        for _, text in leaves(to_json(cfg)):
            value = json.loads(text)
            if isinstance(value, str) and Path(value).suffix and os.path.isfile(value):
                files.add(value, value)
        for loader in LOADERS:
            own = (cfg.get(loader) or {}).get('dataset')
            if loader == 'val_dataloader':
                _check_tested(name, own)
            for options in map(whole_dataset, base_configs(own)):
                same = json.dumps({**to_json(options), 'pipeline': None})
                if same not in built:
                    dataset = DATASETS.build(options)
                    built[same] = dataset, _fingerprint(dataset, files)
                check_alignment(built[same][0], cfg)
                if loader == 'val_dataloader':
                    tested[name] = built[same]
    first, *others = configs
    for name in others:
        if tested[name][1] != tested[first][1]:
            raise SettingsError(
                f'configs is {settings.configs}; {first!r} and {name!r} must be tested '
                'on the same pairs'
            )
    plain = {name: to_json(cfg) for name, cfg in configs.items()}
    return dict(configs=plain, files=dict(files)), *tested[first]


def _check_tested(name: str, options: Mapping[str, Any] | None) -> None:
    if not options:
        raise SettingsError(f'val_dataloader of {name!r} has no data set; it needs one')
    if options is not next(base_configs(options)):
        raise SettingsError(
            f'val_dataloader of {name!r} has a {options.get("type")}; in an experiment '
            'its data set must not be wrapped'
        )


def pairs_of(dataset: Any) -> list[dict[str, Any]]:
    """Return the rows of a data set."""
    return [dataset.get_data_info(index) for index in range(len(dataset))]


class _Digests(dict[str, str]):
    """SHA-256 of each file, of which each is read once."""

    def add(self, name: str, path: str) -> str:
        if name not in self:
            self[name] = digest([path])
        return self[name]


def _fingerprint(dataset: Any, files: _Digests) -> str:
    """Return one hash of all pairs, wherever they are; note the files with theirs."""
    table = str(getattr(dataset, 'ann_file', ''))
    if os.path.isfile(table):
        files.add(table, table)
    total = hashlib.sha256()
    for info in pairs_of(dataset):
        own = [info.get(column) for column in (ID, DATABASE, SUBJECT, LABEL)]
        for column in (ONSET, APEX):
            path = str(info.get(column, ''))
            if os.path.isfile(path):
                # As the table names it: the folder of a project may move.
                name = os.path.relpath(path, os.path.dirname(os.path.abspath(table)))
                name = os.path.join(os.path.dirname(table), name)
                own.append(files.add(name, path))
        total.update(json.dumps(own, default=str).encode())
    return total.hexdigest()


def _check_names(configs: Mapping[str, Config]) -> None:
    """Refuse two networks of one name, be they alone or in a stack."""
    owners: dict[str, str] = {}
    for config, cfg in configs.items():
        for name in (config, *(cfg.get('model', {}).get('members') or {})):
            if name in owners:
                raise SettingsError(
                    f'configs is {list(configs)}; {owners[name]!r} and {config!r} both '
                    f'train a network {name!r}, and its results could not be told '
                    'apart; leave one of them out'
                )
            owners[name] = config
