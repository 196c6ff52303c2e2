"""Build a trained network from config and checkpoint."""

from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmpretrain.apis import ModelHub

import mmcomp.models
from mmcomp.checkpoint import check_fits, classes_of, load_plain_checkpoint
from mmcomp.classes import choose_classes
from mmcomp.columns import CLASSES
from mmcomp.compat import knows_model, set_config
from mmcomp.config import load_config
from mmcomp.models.inspect import num_classes
from mmcomp.registry import DATASETS, MODELS


def register_models() -> None:
    """Add our networks to MMPretrain's ``get_model`` and ``list_models``.

    They are read from the model index that is installed with the package.
    """
    index = Path(mmcomp.__file__).parent / '.mim' / 'model-index.yml'
    if index.is_file() and not knows_model('diffcnn'):
        ModelHub.register_model_index(index, config_prefix=index.parent)


def load_model(
    config: str | Path | Config,
    checkpoint: str | None = None,
    device: str | torch.device | None = None,
) -> BaseModel:
    """Build a network and load its weights without running code from the file.

    Args:
        config: A config or its path.
        checkpoint (str, optional): ``.pth`` or ``.safetensors``; without one the
            network keeps its random weights.
        device: Defaults to a GPU if there is one.

    Returns:
        BaseModel: In evaluation mode, with ``classes``, and its config.

    Raises:
        ValueError: If the config or the checkpoint is missing or invalid, or they do
            not fit together.
    """
    if not isinstance(config, Config):
        config = load_config(config)
    with DefaultScope.overwrite_default_scope(
        config.get('default_scope', 'mmpretrain')
    ):
        model = MODELS.build(config.model)
    in_file = None
    if checkpoint is not None:
        loaded = load_plain_checkpoint(checkpoint)
        check_fits(model, loaded['state_dict'], checkpoint)
        model.load_state_dict(loaded['state_dict'])
        in_file = classes_of(loaded, checkpoint)
    in_config = classes_of_config(config)
    count = num_classes(model) or len(in_file or in_config or CLASSES)
    model.classes = choose_classes(in_file, in_config, count, str(checkpoint))
    set_config(model, config)
    return model.to(device or get_device()).eval()


def classes_of_config(config: Config) -> list[str] | None:
    """Return the names of the classes of a config's data, or None."""
    for name in ('test_dataloader', 'val_dataloader', 'train_dataloader'):
        data = (config.get(name) or {}).get('dataset') or {}
        while 'dataset' in data or data.get('datasets'):
            data = data['dataset'] if 'dataset' in data else data['datasets'][0]
        names = (data.get('metainfo') or {}).get('classes')
        if names is None and 'type' in data:
            names = getattr(DATASETS.get(data['type']), 'METAINFO', {}).get('classes')
        if isinstance(names, (list, tuple)):
            return list(names)
    return None


register_models()
