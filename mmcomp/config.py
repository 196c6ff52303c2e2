"""Configs: reading one, giving it other data, and the faces that it expects."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from .files import require_file

#: Aligned faces are this large and gray unless a config's ``alignment`` says otherwise.
ALIGNMENT = dict(size=48, color='grayscale')


def load_config(
    path: str | Path,
    dataset: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> Config:
    """Read a config, with other data and further settings if they are given.

    Args:
        path: The config.
        dataset: A dataset config to use instead of the config's own data; see
            :func:`use_dataset`.
        options: Settings that override others, as ``{'train_cfg.max_epochs': 1}``.

    Raises:
        ValueError: If a file is missing.
    """
    require_file(path, 'config')
    if dataset:
        require_file(dataset, 'config')
    cfg = Config.fromfile(path)
    if dataset:
        use_dataset(cfg, dataset)
    cfg.merge_from_dict(dict(options or {}))
    return cfg


def use_dataset(cfg: Config, path: str | Path) -> None:
    """Replace the data of a config by those of a dataset config, in place.

    Whole entries are replaced, not merged. The evaluators of a stack keep their type,
    and the heads get as many classes as the data have.
    """
    dataset = Config.fromfile(path)
    for name, value in dataset.items():
        own = cfg.get(name)
        if name.endswith('_evaluator') and isinstance(own, dict):
            own['metrics'] = value
        else:
            cfg[name] = value
    for own in base_configs(dataset.get('train_dataloader', {}).get('dataset')):
        classes = (own.get('metainfo') or {}).get('classes')
        if classes:
            _set_num_classes(cfg.model, len(classes))


def base_configs(dataset: Any) -> Iterator[dict[str, Any]]:
    """Yield the configs of the data sets inside wrappers, at any depth.

    Args:
        dataset: The config of a data set; a wrapper has others as ``dataset`` or
            ``datasets``. None yields nothing.
    """
    if not dataset:
        return
    inner = [dataset['dataset']] if 'dataset' in dataset else dataset.get('datasets')
    if inner is None:
        yield dataset
    else:
        for own in inner:
            yield from base_configs(own)


def alignment_of(cfg: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``size`` (pixels) and ``color`` of the aligned faces of a config."""
    return {**ALIGNMENT, **cfg.get('alignment', {})}


def config_name(cfg: Config, default: str = 'network') -> str:
    """Return the name of a config's file, without its suffix."""
    return Path(cfg.filename or default).stem


def _set_num_classes(model: dict, count: int) -> None:
    """Set ``num_classes`` wherever a part of a model has it."""
    for name, value in model.items():
        if name == 'num_classes':
            model[name] = count
        elif isinstance(value, dict):
            _set_num_classes(value, count)
