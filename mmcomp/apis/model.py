"""Build a trained network from config and checkpoint."""

from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmpretrain.apis import ModelHub
from mmpretrain.utils import register_all_modules

import mmcomp.models
from mmcomp.checkpoint import (
    CheckpointError,
    check_fits,
    classes_of,
    load_plain_checkpoint,
)
from mmcomp.classes import choose_classes
from mmcomp.compat import knows_model, only_registered, set_config
from mmcomp.config import classes_of_config, load_config
from mmcomp.models.inspect import num_classes
from mmcomp.plain_config import parse_config, without_weights
from mmcomp.registry import MODELS


def register_models() -> None:
    """Add our networks to MMPretrain's ``get_model`` and ``list_models``.

    They are read from the model index that is installed with the package.
    """
    index = Path(mmcomp.__file__).parent / '.mim' / 'model-index.yml'
    if index.is_file() and not knows_model('diffcnn'):
        ModelHub.register_model_index(index, config_prefix=index.parent)


def load_model(
    config: str | Path | Config | None,
    checkpoint: str | Path | None = None,
    device: str | torch.device | None = None,
) -> BaseModel:
    """Build a network and load its weights without running code from the file.

    The names of its classes are those that come with the weights; else those of the
    config's data; else class0, class1, ...

    Args:
        config: A config, its path or the name of one that comes with mmcomp. None
            takes the one that the checkpoint holds, which is read as data.
        checkpoint (str, optional): ``.pth`` or ``.safetensors``; without one the
            network keeps its random weights.
        device: Defaults to a GPU if there is one.

    Returns:
        BaseModel: In evaluation mode, with ``classes``, and its config.

    Raises:
        ValueError: If the config or the checkpoint is missing or invalid, or they do
            not fit together.
    """
    loaded = None if checkpoint is None else load_plain_checkpoint(checkpoint)
    if config is None:
        model, cfg = _build_from_checkpoint(loaded, checkpoint)
    else:
        cfg = config if isinstance(config, Config) else load_config(config)
        with DefaultScope.overwrite_default_scope(
            cfg.get('default_scope', 'mmpretrain')
        ):
            model = MODELS.build(cfg.model)
    names = None
    if loaded is not None:
        _check_fits(model, loaded, str(checkpoint))
        model.load_state_dict(loaded['state_dict'])
        names = classes_of(loaded, str(checkpoint))
    known = classes_of_config(cfg)
    model.classes = choose_classes(names, known, num_classes(model), str(checkpoint))
    set_config(model, cfg)
    return model.to(device or get_device()).eval()


def _check_fits(model: BaseModel, loaded: dict, path: str) -> None:
    try:
        check_fits(model, loaded['state_dict'], path)
    except CheckpointError as error:
        if 'cfg' not in loaded['meta']:
            raise
        hint = 'the checkpoint holds its own config: leave the config out'
        raise CheckpointError(f'{error}; {hint}') from None


def _build_from_checkpoint(
    loaded: dict | None, path: str | Path | None
) -> tuple[BaseModel, Config]:
    """Build a network from the config in its checkpoint, without running anything.

    Only registered classes are built, and nothing but them is imported.
    """
    text = (loaded or {}).get('meta', {}).get('cfg')
    if not isinstance(text, str):
        raise CheckpointError(f'{path}: holds no config; give the config, too')
    try:
        content = parse_config(text)
        model = without_weights(content['model'])
        register_all_modules(init_default_scope=False)
        with only_registered(), DefaultScope.overwrite_default_scope('mmpretrain'):
            built = MODELS.build(model)
    except Exception as error:  # a stranger's settings: they may raise anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise CheckpointError(
            f'{path}: its config cannot be used ({reason}); give the config, too'
        ) from error
    kept = ('test_dataloader', 'train_dataloader', 'alignment')
    data = {key: content[key] for key in kept if key in content}
    name = Path(str(content.get('work_dir') or path)).name or 'network'
    cfg = Config(dict(data, model=model), cfg_text=text, filename=f'{name}.py')
    return built, cfg


register_models()
