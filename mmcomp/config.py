"""Configs: reading one, giving it other data, and the faces that it expects."""

import difflib
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

from .columns import CLASSES
from .installed import find_config

#: Aligned faces are this large and gray unless a config's ``alignment`` says otherwise.
ALIGNMENT = dict(size=48, color='grayscale')
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
#: What MMEngine and MMPretrain look for at the top of a config.
TOP_LEVEL = (
    *('custom_imports', 'default_scope', 'env_cfg', 'experiment_name', 'launcher'),
    *('log_level', 'randomness', 'runner_type', 'visualizer', 'work_dir'),
    *('data_preprocessor', 'model', 'alignment', 'load_from', 'resume'),
    *('train_cfg', 'train_dataloader', 'auto_scale_lr', 'optim_wrapper'),
    *('val_cfg', 'val_dataloader', 'val_evaluator', 'param_scheduler'),
    *('test_cfg', 'test_dataloader', 'test_evaluator', 'log_processor'),
    *('custom_hooks', 'default_hooks', 'compile', 'find_unused_parameters'),
    *('model_wrapper_cfg', 'sync_bn', 'activation_checkpointing'),
    'efficient_conv_bn_eval',
)


def load_config(
    path: str | Path,
    dataset: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> Config:
    """Read a config, with other data and further settings if they are given.

    What the config imports, PyTorch among it, is imported last, so that a mistake in
    the config or the settings is answered at once.

    Args:
        path: The config: a file, or the name of one that comes with mmcomp.
        dataset: A dataset config to use instead of the config's own data; see
            :func:`use_dataset`.
        options: Settings that override others, as ``{'train_cfg.max_epochs': 1}``.

    Raises:
        ValueError: If a file is missing or cannot be read, or the config has no such
            setting.
    """
    cfg = _read(path)
    imports = cfg.get('custom_imports')
    if dataset:
        use_dataset(cfg, dataset)
    merge_options(cfg, options or {})
    _import(imports)
    return cfg


def _read(path: str | Path) -> Config:
    """Read a config, but import nothing.

    Raises:
        ValueError: In one line, for whatever goes wrong.
    """
    path = find_config(path)
    try:
        return Config.fromfile(path, import_custom_modules=False)
    except Exception as error:  # a config is a program: it may raise anything
        raise ValueError(f'config {path!r}: {_reason(error)}') from error


def _reason(error: Exception) -> str:
    """Return what is wrong with a config, and the line, in one line."""
    if isinstance(error, SyntaxError):  # MMEngine's, which names a temporary file
        cause = error.__context__ if error.lineno is None else error
        if isinstance(cause, SyntaxError):
            text = (cause.text or '').strip()
            return f'line {cause.lineno}: {cause.msg}: {text}'
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f'{frame.filename}, line {frame.lineno}: '
    text = ' '.join(str(error).split())
    return f'{place * (frame.name == "<module>")}{type(error).__name__}: {text}'


def _import(imports: Mapping[str, Any] | None) -> None:
    """Import what a config asks for as ``custom_imports``."""
    if imports:
        try:
            import_modules_from_strings(**imports)
        except ImportError as error:  # which does not say why
            raise ImportError(
                f'custom_imports: {error}: {error.__context__}'
            ) from error


def merge_options(cfg: Config, options: Mapping[str, Any]) -> None:
    """Override settings of a config, in place.

    MMEngine adds what it does not find, without a word. Here, a setting must be one
    that the config has or that is looked for, or an argument of a class, which refuses
    what it does not know.

    Args:
        cfg: The config.
        options: As ``{'train_cfg.max_epochs': 1, 'custom_hooks.0.type': 'X'}``.

    Raises:
        ValueError: Naming the nearest setting.

    Examples:
        >>> cfg = Config(dict(model=dict(type='A', head=dict(type='B', x=1))))
        >>> merge_options(cfg, {'model.head.x': 2})
        >>> cfg.model.head.x
        2
        >>> merge_options(cfg, {'modle.head.x': 2})
        Traceback (most recent call last):
        ValueError: option 'modle.head.x': there is no 'modle'; did you mean 'model'?
    """
    for option in options:
        _check_option(cfg, option)
    cfg.merge_from_dict(dict(options))


def _check_option(cfg: Config, option: str) -> None:
    """Check that an option names a setting; see :func:`merge_options`."""
    here: Any = cfg
    before = 'the config'
    for part in option.split('.'):
        if isinstance(here, (list, tuple)):
            if not part.isdecimal() or int(part) >= len(here):
                raise ValueError(
                    f'option {option!r}: entry is {part!r}; {before} is a list of '
                    f'{len(here)}, counted from 0'
                )
            here = here[int(part)]
        elif not isinstance(here, (Config, dict)):
            raise ValueError(f'option {option!r}: {before} is {here!r}, without keys')
        elif part in here:
            here = here[part]
        else:
            top = here is cfg
            known = [*here, *(TOP_LEVEL if top else ())]
            near = difflib.get_close_matches(part, known, 1, 0.6 if top else 0.8)
            if part not in known and (top or (near and 'type' not in here)):
                hint = f'; did you mean {near[0]!r}?' if near else ''
                where = '' if top else f' in {before}'
                raise ValueError(
                    f'option {option!r}: there is no {part!r}{where}{hint}'
                )
            return  # what is below is new, too
        before = part


def use_dataset(cfg: Config, path: str | Path) -> None:
    """Replace the data of a config by those of a dataset config, in place.

    Whole entries are replaced, not merged. The evaluators of a stack keep their type,
    and the heads get as many classes as the data have.
    """
    dataset = _read(path)
    _import(dataset.get('custom_imports'))
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


def whole_dataset(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of a data set without its split and control."""
    whole = {k: v for k, v in options.items() if k not in ('control', 'test_mode')}
    if whole.keys() & {'split', 'subset'}:
        whole.update(split=None, subset='all')
    return whole


def classes_of_config(cfg: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the class names of a config's data, or None if it does not name them."""
    for loader in ('test_dataloader', 'train_dataloader'):
        for own in base_configs((cfg.get(loader) or {}).get('dataset')):
            names = (own.get('metainfo') or {}).get('classes')
            if names:
                return tuple(names)
            if str(own.get('type', '')).startswith('mmcomp.'):
                return CLASSES
    return None


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
