"""PlainCheckpointHook: checkpoints that load with ``weights_only=True``."""

from mmengine.hooks import CheckpointHook

from mmcomp.checkpoint import to_plain
from mmcomp.compat import save_best_keys
from mmcomp.registry import HOOKS

LESS, GREATER = save_best_keys()


@HOOKS.register_module()
class PlainCheckpointHook(CheckpointHook):
    """MMEngine's CheckpointHook, writing tensors and plain data only.

    MMEngine's checkpoints carry log histories as objects, which a safe load refuses;
    here they are lists. :class:`mmcomp.engine.PairRunner` turns them back on resume.
    ``save_best`` knows which of mmcomp's metrics are better when smaller.
    """

    _default_less_keys = [*LESS, 'error_rate', 'wrong']
    _default_greater_keys = [*GREATER, 'uar', 'uf1']

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Replace objects by plain data."""
        for key in ('meta', 'message_hub', 'param_schedulers'):
            if key in checkpoint:
                checkpoint[key] = to_plain(checkpoint[key])
