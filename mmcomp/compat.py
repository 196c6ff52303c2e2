"""Private names of MMEngine and MMPretrain: each is used here, and nowhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # imported late: the registries need little of this
    from mmengine.config import Config
    from mmengine.dataset import BaseDataset
    from mmengine.hooks import CheckpointHook
    from mmengine.registry import Registry
    from mmengine.runner import EpochBasedTrainLoop, Runner
    from torch import nn


def loop_dataset(runner: 'Runner', mode: str) -> Any:
    """Return the dataset of the 'train', 'val' or 'test' loop, or None if not built."""
    from mmengine.runner import BaseLoop

    loop = getattr(runner, f'_{mode}_loop')
    return loop.dataloader.dataset if isinstance(loop, BaseLoop) else None


def planned_test_dataset(runner: 'Runner') -> Any:
    """Return the dataset of the test loop, built for a look; None if there is no loop.

    Where validation and test have the same data, it is that of the validation.
    """
    if (built := loop_dataset(runner, 'test')) is not None:
        return built
    loader, other = runner._test_dataloader, runner._val_dataloader
    if loader is None:
        return None
    both = isinstance(loader, dict) and isinstance(other, dict)
    if both and loader['dataset'] == other['dataset']:
        return loop_dataset(runner, 'val')
    # With a seed, as without one it is drawn from the random numbers of the training.
    return runner.build_dataloader(loader, seed=0).dataset


def starts_training(runner: 'Runner') -> bool:
    """Return whether a training starts anew (it may start from other weights)."""
    from mmengine.runner import BaseLoop

    return isinstance(runner._train_loop, BaseLoop) and not runner._resume


def loaded_from(runner: 'Runner') -> str | None:
    """Return the checkpoint that the runner was asked to load."""
    return runner._load_from


def save_best_keys() -> tuple[list[str], list[str]]:
    """Return what MMEngine's ``save_best`` looks for in the names of metrics.

    Returns:
        tuple: Parts of names whose metric is better when smaller, and when larger.
    """
    from mmengine.hooks import CheckpointHook

    return CheckpointHook._default_less_keys, CheckpointHook._default_greater_keys


def mark_loaded(runner: 'Runner') -> None:
    """Note that weights are loaded, so that the runner does not load them again."""
    runner._has_loaded = True


def training_ended(runner: 'Runner') -> bool:
    """Return whether no step of the training is left, or a hook has stopped it."""
    loop = runner.train_loop
    whole = loop.epoch >= loop.max_epochs or loop.iter >= loop.max_iters
    return whole or loop.stop_training


def stopped_early(runner: 'Runner') -> bool:
    """Return whether a hook ended the training before its last epoch."""
    return runner.train_loop.stop_training and runner.epoch < runner.max_epochs


def save_last_epoch(hook: 'CheckpointHook', runner: 'Runner') -> None:
    """Save a checkpoint after a training, as at the end of its last epoch.

    There, MMEngine has not counted the epoch yet, and names the file accordingly.
    """
    runner.train_loop._epoch -= 1
    try:
        hook._save_checkpoint(runner)
    finally:
        runner.train_loop._epoch += 1


def resumes(runner: 'Runner') -> bool:
    """Return whether a training goes on from the last checkpoint in its folder."""
    return runner._resume and runner._load_from is None


def resume_from(runner: 'Runner', path: str) -> None:
    """Let a training go on from a checkpoint."""
    runner._load_from = path


def end_epoch(loop: 'EpochBasedTrainLoop') -> None:
    """Count an epoch that had no steps."""
    loop._epoch += 1


def add_metainfo(dataset: 'BaseDataset', **info: Any) -> None:
    """Add to the meta information that a dataset hands to metrics and checkpoints."""
    dataset._metainfo.update(info)


def config_of(model: 'nn.Module') -> 'Config':
    """Return the config that a network was built from, where MMPretrain keeps it."""
    return model._config


def set_config(model: 'nn.Module', config: 'Config') -> None:
    """Note the config that a network was built from."""
    model._config = config


def knows_model(name: str) -> bool:
    """Return whether MMPretrain's model hub has a model of this name."""
    from mmpretrain.apis import ModelHub

    return name in ModelHub._models_dict


def initialize_figure(visualizer: Any, settings: dict[str, Any]) -> tuple:
    """Return canvas, figure and axes that a visualizer of MMEngine draws on."""
    return visualizer._initialize_fig(settings)


def node_locations(registry: 'Registry') -> list[str]:
    """Return the modules that a registry imports before it builds."""
    return registry._locations


def replace_weight_loaders(load: Callable[[str, Any], dict]) -> None:
    """Let MMEngine read weights by one function, whatever scheme their path has.

    All that takes weights from a config goes through ``CheckpointLoader``:
    ``init_cfg=dict(type='Pretrained', ...)``, ``pretrained=``, MMPretrain's
    ``get_model`` and ``load_from`` of any runner. Its own loaders unpickle, which may
    run code, and download what is named by a URL or a model's name.

    Args:
        load: Takes a path and a ``map_location``.
    """
    from mmengine.runner import CheckpointLoader

    for prefix in list(CheckpointLoader._schemes):
        CheckpointLoader.register_scheme(prefix, load, force=True)


@contextmanager
def only_registered() -> Iterator[None]:
    """Let registries build nothing but what is registered, for a block.

    Elsewhere they import whatever a ``type`` names by its full path, such as
    ``os.system``.
    """
    from mmengine.registry import registry

    own = registry.get_object_from_string
    registry.get_object_from_string = lambda name: None
    try:
        yield
    finally:
        registry.get_object_from_string = own
