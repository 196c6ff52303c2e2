"""Build a trained network from config and checkpoint."""

from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmpretrain.apis import ModelHub

import mmcomp.models
from mmcomp.checkpoint import check_fits, load_plain_checkpoint
from mmcomp.columns import CLASSES
from mmcomp.compat import knows_model, set_config
from mmcomp.config import load_config
from mmcomp.registry import MODELS


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
    classes = CLASSES
    if checkpoint is not None:
        loaded = load_plain_checkpoint(checkpoint)
        check_fits(model, loaded['state_dict'], checkpoint)
        model.load_state_dict(loaded['state_dict'])
        meta = loaded.get('meta', {}).get('dataset_meta') or {}
        classes = tuple(meta.get('classes', classes))
    set_config(model, config)
    model.classes = classes
    return model.to(device or get_device()).eval()


register_models()
