"""PairRunner: MMEngine's Runner, made safe, quiet and fit for CPU clusters."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.dist import is_distributed, master_only
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from mmcomp.checkpoint import (
    CheckpointError,
    check_fits,
    classes_of,
    from_plain,
    load_plain_checkpoint,
    newest_checkpoint,
    sized_parts,
)
from mmcomp.classes import check_same_classes, choose_classes
from mmcomp.compat import (
    loop_dataset,
    mark_loaded,
    resume_from,
    resumes,
    starts_training,
)
from mmcomp.datasets import check_alignment
from mmcomp.datasets.wrappers import class_names
from mmcomp.files import replacing
from mmcomp.models.inspect import num_classes, unwrapped
from mmcomp.registry import RUNNERS

from .memory import keep_freed_memory
from .work_dir import claim

#: Messages of MMEngine without information, repeated in every run or epoch.
FILE_ONLY = (
    'Exp name:',
    'Distributed training is not used',
    '"FileClient" will be deprecated',
    '"HardDiskBackend" is the alias',
    'paramwise_options',
)


@RUNNERS.register_module()
class PairRunner(Runner):
    """The Runner that mmcomp's configs ask for (``runner_type``).

    It differs from :class:`mmengine.runner.Runner` as follows:

    - Checkpoints are read as tensors and plain data, so a file from a stranger cannot
      run code; that holds for ``--resume`` too. Testing refuses weights that do not
      fit, where MMEngine only warns, and weights of other classes than the data have.
      Training may start from those that fit.
    - A work folder belongs to one run; see :mod:`mmcomp.engine.work_dir`.
    - Without a GPU, ``--launcher pytorch`` trains over gloo.
    - Images whose size is not that of the config's ``alignment`` are refused.
    - Memory that a step frees is kept for the next one.
    - Long dumps (environment, config, hooks) go to the log file, not the terminal.
    """

    def setup_env(self, env_cfg: dict) -> None:
        """Start gloo first where there is no device that another backend needs."""
        keep_freed_memory()
        if self.distributed and not is_distributed() and get_device() == 'cpu':
            if self.launcher != 'pytorch':
                raise ValueError(
                    f"launcher is {self.launcher!r}; without a GPU it must be 'pytorch'"
                )
            torch.distributed.init_process_group('gloo')
        super().setup_env(env_cfg)

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module):
        """Leave out the device ids that a CPU module may not have.

        A model without parameters has no gradients to exchange and stays as it is.
        """
        if not any(p.requires_grad for p in model.parameters()):
            return model.to(get_device())
        if self.distributed and model_wrapper_cfg is None and get_device() == 'cpu':
            model_wrapper_cfg = dict(
                type='MMDistributedDataParallel',
                device_ids=None,
                broadcast_buffers=False,
                find_unused_parameters=self.cfg.get('find_unused_parameters', False),
            )
        return super().wrap_model(model_wrapper_cfg, model)

    def build_logger(self, *args, **kwargs) -> MMLogger:
        """Return a logger whose terminal shows single lines only, below warnings."""
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if not isinstance(handler, logging.FileHandler):
                handler.addFilter(_is_brief)
        return logger

    def build_dataloader(self, dataloader: Any, *args, **kwargs) -> DataLoader:
        """Build a data loader, and refuse images that are not the config's faces."""
        loader = super().build_dataloader(dataloader, *args, **kwargs)
        check_alignment(loader.dataset, self.cfg)
        return loader

    def _data_classes(self) -> tuple[str, ...] | None:
        """Return the names of the classes of what is trained or tested on."""
        for mode in ('train', 'test', 'val'):
            if names := class_names(loop_dataset(self, mode)):
                return names
        return None

    def load_checkpoint(
        self,
        filename: str,
        map_location: str | Callable = 'cpu',
        strict: bool | None = None,
        **kwargs,
    ) -> dict:
        """Load weights, running no code of the file.

        Args:
            filename (str): See :func:`mmcomp.checkpoint.load_plain_checkpoint`.
            map_location: As for :func:`torch.load`.
            strict (bool, optional): Whether the weights must be the network's, name
                for name. By default they must, except when training starts from them.

        Raises:
            ValueError: If the file cannot be used.
        """
        checkpoint = load_plain_checkpoint(filename, map_location)
        model = unwrapped(self.model)
        if strict or (strict is None and not starts_training(self)):
            own = classes_of(checkpoint, filename)
            check_same_classes(own, self._data_classes(), filename)
            check_fits(model, checkpoint['state_dict'], filename)
        else:
            self._keep_fitting(checkpoint, filename)
        if 'message_hub' in checkpoint:
            checkpoint['message_hub'] = from_plain(checkpoint['message_hub'])
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        model.load_state_dict(checkpoint['state_dict'], strict=False)
        mark_loaded(self)
        self.logger.info(f'Load checkpoint from {filename}')
        return checkpoint

    def _keep_fitting(self, checkpoint: dict, filename: str) -> None:
        """Keep the weights that fit the network, as a fine-tuning starts from them."""
        model = unwrapped(self.model)
        sized = {name for names, _ in sized_parts(model) for name in names}
        own = {k: v for k, v in model.state_dict().items() if k not in sized}
        found = checkpoint['state_dict']
        kept = {k: v for k, v in found.items() if k in own and v.shape == own[k].shape}
        if not kept:
            raise CheckpointError(
                f'checkpoint {filename!r} holds no weight of this network'
            )
        if new := sorted(own.keys() - kept.keys()):
            more = f' and {len(new) - 5} more' if len(new) > 5 else ''
            self.logger.warning(
                f'{filename} does not have, or has in another shape: '
                f'{", ".join(new[:5])}{more}; they start from their initial values'
            )
        checkpoint['state_dict'] = kept

    @master_only
    def save_checkpoint(self, out_dir: str, filename: str, *args, **kwargs) -> None:
        """Save a checkpoint whole or not at all, and remove what a kill has left."""
        if '://' in out_dir:
            super().save_checkpoint(out_dir, filename, *args, **kwargs)
            return
        for partial in Path(out_dir).glob('.*.pth.*.tmp'):
            partial.unlink(missing_ok=True)
        with replacing(Path(out_dir, filename)) as partial:
            super().save_checkpoint(out_dir, partial.name, *args, **kwargs)

    def dump_config(self) -> None:
        """Leave the folder as it is until a run claims it."""

    def train(self) -> nn.Module:
        """Train, unless the work folder holds another run."""
        self._claim_folder('train')
        return super().train()

    def test(self) -> dict[str, float]:
        """Test, unless the work folder holds another run."""
        self._claim_folder('test')
        return super().test()

    def _claim_folder(self, mode: str) -> None:
        claim(self.work_dir, self.cfg, mode)
        super().dump_config()

    def load_or_resume(self) -> None:
        """Load weights, or go on from the newest checkpoint that can be read.

        Raises:
            ValueError: If the data do not have as many classes as the network.
        """
        names, count = self._data_classes(), num_classes(unwrapped(self.model))
        if names and count:
            choose_classes(None, names, count, '')
        if resumes(self) and (path := newest_checkpoint(self.work_dir)):
            resume_from(self, path)
        super().load_or_resume()


def _is_brief(record: logging.LogRecord) -> bool:
    """Return whether a record may go to the terminal."""
    message = record.getMessage().strip()
    if message.startswith(FILE_ONLY):
        return False
    return record.levelno > logging.INFO or '\n' not in message
