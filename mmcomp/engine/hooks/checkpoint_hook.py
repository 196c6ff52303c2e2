"""PlainCheckpointHook: checkpoints that load with ``weights_only=True``."""

from collections.abc import Sequence
from typing import Any

from mmengine.hooks import CheckpointHook

from mmcomp.checkpoint import to_plain
from mmcomp.compat import save_best_keys, save_last_epoch, stopped_early
from mmcomp.registry import HOOKS

LESS, GREATER = save_best_keys()

#: Which of mmcomp's metrics are better when smaller, and when larger.
RULES = dict(error_rate='less', wrong='less', loss='less', uar='greater', uf1='greater')


def rule_of(metric: str) -> str | None:
    """Return whether a metric is better 'greater' or 'less'; None if not known.

    What follows the last ``/`` decides. Before it are names of networks, which mean
    nothing; MMEngine looks for parts such as ``acc`` or ``top`` anywhere.

    Examples:
        >>> rule_of('compcnn_bar@1/pair/error_rate')
        'less'
    """
    name = metric.rsplit('/', 1)[-1].lower()
    if name in RULES:
        return RULES[name]
    for rule, keys in (('greater', GREATER), ('less', LESS)):
        if any(key.lower() in name for key in keys):
            return rule
    return None


@HOOKS.register_module()
class PlainCheckpointHook(CheckpointHook):
    """MMEngine's CheckpointHook, writing tensors and plain data only.

    MMEngine's checkpoints carry log histories as objects, which a safe load refuses;
    here they are lists. :class:`mmcomp.engine.PairRunner` turns them back on resume.
    ``save_best`` finds the direction of a metric by :func:`rule_of`. A training that
    ends early leaves a checkpoint of its last epoch, too.
    """

    def __init__(
        self,
        *args: Any,
        save_best: str | Sequence[str] | None = None,
        rule: str | Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        if save_best not in (None, 'auto') and rule is None:
            names = [save_best] if isinstance(save_best, str) else list(save_best)
            rules = {name: rule_of(name) for name in names}
            for name, found in rules.items():
                if found is None:
                    raise ValueError(
                        f"save_best is {name!r}; 'rule' must say whether it is better "
                        "'greater' or 'less'"
                    )
            rule = [str(found) for found in rules.values()]
        super().__init__(*args, save_best=save_best, rule=rule, **kwargs)

    def after_train(self, runner) -> None:
        """Save the last epoch of a training that was stopped early."""
        if self.save_last and stopped_early(runner):
            save_last_epoch(self, runner)
        super().after_train(runner)

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Replace objects by plain data."""
        for key in ('meta', 'message_hub', 'param_schedulers'):
            if key in checkpoint:
                checkpoint[key] = to_plain(checkpoint[key])
