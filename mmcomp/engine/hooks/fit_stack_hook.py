"""FitStackHook: fits the SVM of a stack on the training subjects."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.hooks import CheckpointHook, EMAHook, Hook

from mmcomp.checkpoint import sized_parts
from mmcomp.compat import loop_dataset, save_last_epoch
from mmcomp.datasets.splits import kfold_subjects
from mmcomp.datasets.wrappers import base_datasets
from mmcomp.engine.pairs import further_columns, training_pairs
from mmcomp.models.inspect import unwrapped
from mmcomp.registry import HOOKS

SVMS = 'svms.'  # how the names of their weights begin


def fit_stack(runner, batch_size: int = 256) -> None:
    """Fit the runner's stack on its training pairs, without augmentation.

    Of a data set in wrappers, which may repeat pairs, each pair counts once. Each
    process fits on all pairs, so that all have the same SVM.
    """
    loader: Any = training_pairs(runner.cfg, batch_size)
    model = unwrapped(runner.model)
    model.fit_svms(loader, further_columns(loader.dataset.datasets), runner.seed)
    chosen = ', '.join(f'{float(svm.chosen_C):g}' for svm in model.svms)
    runner.logger.info(f'fitted the SVM on {len(loader.dataset)} pairs, C = {chosen}')


@HOOKS.register_module()
class FitStackHook(Hook):
    """Fit before each validation and before the last checkpoint is saved.

    For :class:`mmcomp.models.StackingClassifier`. Only training subjects are used. The
    SVM is fitted on the features of the network that is tested: if a hook exchanges
    the weights for a validation, as EMAHook does, on those of the exchanged weights.

    Attributes:
        seconds (float): What fitting has taken so far.
    """

    # Before CheckpointHook, which is VERY_LOW, and after hooks that exchange weights.
    priority = 'LOW'

    def __init__(self) -> None:
        self._fitted_to: torch.Tensor | None = None
        self._svms: dict[str, torch.Tensor] = {}
        self._saved = self._svms
        self.seconds = 0.0

    def before_train(self, runner) -> None:
        """Divide the training subjects among the copies of a cross-fitted stack."""
        model = unwrapped(runner.model)
        if model.cross_fit:
            bases = base_datasets(loop_dataset(runner, 'train'))
            subjects = sorted({s for base in bases for s in base.subjects})
            model.assign_folds(kfold_subjects(subjects, model.cross_fit, seed=0))

    def after_train_epoch(self, runner) -> None:
        """Fit after the last epoch, so that the checkpoint holds the SVM."""
        if self.is_last_train_epoch(runner):
            with tested_weights(runner):
                self._fit(runner)

    def before_val_epoch(self, runner) -> None:
        """Fit if the members have changed since."""
        if loop_dataset(runner, 'train') is not None:
            self._fit(runner)

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        """Save the SVM that was fitted: averaged weights know an older one."""
        checkpoint['state_dict'].update(self._svms)
        self._saved = self._svms

    def after_train(self, runner) -> None:
        """Save the SVM that was tested where it is not the one in the checkpoint.

        It is another one if a hook that is not known exchanged the weights.
        """
        for hook in runner.hooks:
            last = isinstance(hook, CheckpointHook) and hook.save_last
            if last and self._saved is not self._svms:
                save_last_epoch(hook, runner)

    def _fit(self, runner) -> None:
        model = unwrapped(runner.model)
        sums = [float(p.detach().double().sum()) for p in model.parameters()]
        weights = torch.tensor(sums, dtype=torch.float64)
        if self._fitted_to is not None and torch.equal(weights, self._fitted_to):
            # Hooks may have exchanged the weights of the SVM as well.
            model.load_state_dict(self._svms, strict=False)
            return
        start = time.perf_counter()
        fit_stack(runner)
        self._fitted_to = weights
        state = model.state_dict()
        fitted = {name for names, _ in sized_parts(model) for name in names}
        self._svms = {
            k: state[k].clone() for k in state if k.startswith(SVMS) or k in fitted
        }
        for hook in averaging(runner):  # else it could not copy buffers of new sizes
            hook.ema_model.module.load_state_dict(self._svms, strict=False)
        self.seconds += time.perf_counter() - start


def averaging(runner) -> list[EMAHook]:
    """Return the hooks that average weights."""
    return [hook for hook in runner.hooks if isinstance(hook, EMAHook)]


@contextmanager
def tested_weights(runner) -> Iterator[None]:
    """Give the network the weights that a validation tests, for a block.

    They differ from the trained ones where an EMAHook averages them.
    """
    hooks = averaging(runner)
    for hook in hooks:
        hook.before_val_epoch(runner)
    try:
        yield
    finally:
        for hook in hooks:
            hook.after_val_epoch(runner)
