"""PairRunner: MMEngine's Runner, made safe, quiet and fit for CPU clusters."""

import logging
from collections.abc import Callable

import torch
from mmengine.device import get_device
from mmengine.dist import is_distributed
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from torch import nn

from mmcomp.checkpoint import (
    CheckpointError,
    check_fits,
    classes_of,
    from_plain,
    load_plain_checkpoint,
)
from mmcomp.classes import check_same_classes, choose_classes
from mmcomp.compat import loop_dataset, mark_loaded, starts_training, unwrapped
from mmcomp.models.inspect import num_classes
from mmcomp.registry import RUNNERS

from .memory import keep_freed_memory

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
    - Without a GPU, ``--launcher pytorch`` trains over gloo.
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
        """Leave out the device ids that a CPU module may not have."""
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

    def load_or_resume(self) -> None:
        """Check that the data have as many classes as the network; load weights.

        Raises:
            ValueError: If they have not.
        """
        names, count = self._data_classes(), num_classes(unwrapped(self.model))
        if names and count:
            choose_classes(None, names, count, '')
        super().load_or_resume()

    def _data_classes(self) -> list[str] | None:
        """Return the names of the classes of what is trained or tested on."""
        for mode in ('train', 'test', 'val'):
            meta = getattr(loop_dataset(self, mode), 'metainfo', {})
            if meta.get('classes'):
                return list(meta['classes'])
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
        state_dict = checkpoint['state_dict']
        if strict or (strict is None and not starts_training(self)):
            own = classes_of(checkpoint, filename)
            check_same_classes(own, self._data_classes(), filename)
            check_fits(model, state_dict, filename)
        elif not model.state_dict().keys() & state_dict.keys():
            raise CheckpointError(
                f'checkpoint {filename!r} holds no weight of this network'
            )
        if 'message_hub' in checkpoint:
            checkpoint['message_hub'] = from_plain(checkpoint['message_hub'])
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        model.load_state_dict(state_dict, strict=False)
        mark_loaded(self)
        self.logger.info(f'Load checkpoint from {filename}')
        return checkpoint


def _is_brief(record: logging.LogRecord) -> bool:
    """Return whether a record may go to the terminal."""
    message = record.getMessage().strip()
    if message.startswith(FILE_ONLY):
        return False
    return record.levelno > logging.INFO or '\n' not in message
