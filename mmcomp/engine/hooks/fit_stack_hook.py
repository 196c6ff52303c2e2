"""FitStackHook: fits the SVM of a stack on the training subjects."""

import time

from mmengine.dataset import pseudo_collate
from mmengine.hooks import Hook
from torch.utils.data import DataLoader

from mmcomp.compat import loop_dataset
from mmcomp.datasets.splits import kfold_subjects
from mmcomp.models.inspect import unwrapped
from mmcomp.registry import DATASETS, HOOKS


def fit_stack(runner, batch_size: int = 256) -> None:
    """Fit the SVMs of the runner's stack on its training pairs, without augmentation.

    Each process fits on all pairs, so that all have the same SVM.
    """
    cfg = runner.cfg.train_dataloader.dataset.copy()
    cfg.update(pipeline=runner.cfg.val_dataloader.dataset.pipeline, test_mode=True)
    dataset = DATASETS.build(cfg)
    loader = DataLoader(dataset, batch_size, collate_fn=pseudo_collate)
    model = unwrapped(runner.model)
    model.fit_svms(loader)
    chosen = ', '.join(f'{float(svm.chosen_C):g}' for svm in model.svms)
    runner.logger.info(f'fitted the SVM on {len(dataset)} pairs, C = {chosen}')


@HOOKS.register_module()
class FitStackHook(Hook):
    """Fit before each validation and before the last checkpoint is saved.

    For :class:`mmcomp.models.StackingClassifier`. Only training subjects are used.

    Attributes:
        seconds (float): What fitting has taken so far.
    """

    priority = 'NORMAL'  # before CheckpointHook, which is VERY_LOW

    def __init__(self) -> None:
        self._fitted_at = -1
        self.seconds = 0.0

    def before_train(self, runner) -> None:
        """Divide the training subjects among the copies of a cross-fitted stack."""
        model = unwrapped(runner.model)
        if model.cross_fit:
            subjects = runner.train_dataloader.dataset.subjects
            model.assign_folds(kfold_subjects(subjects, model.cross_fit, seed=0))

    def after_train_epoch(self, runner) -> None:
        """Fit after the last epoch."""
        if self.is_last_train_epoch(runner):
            self._fit(runner, runner.iter)

    def before_val(self, runner) -> None:
        """Fit if the members have changed since."""
        if loop_dataset(runner, 'train') is not None:
            self._fit(runner, runner.iter)

    def _fit(self, runner, iteration: int) -> None:
        if iteration != self._fitted_at:
            start = time.perf_counter()
            fit_stack(runner)
            self._fitted_at = iteration
            self.seconds += time.perf_counter() - start
