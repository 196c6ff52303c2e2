"""CostHook: what the time of a run is spent on."""

import time

from mmengine.hooks import Hook

from mmcomp.registry import HOOKS

from .fit_stack_hook import FitStackHook


@HOOKS.register_module()
class CostHook(Hook):
    """Measure, in seconds, what a run spends its time on.

    Attributes:
        loading: From ``started`` to the first epoch: reading the config, decoding the
            images, building the network.
        training: All epochs.
        svm: Fitting the SVM of a stack.
        testing: All evaluations.

    Args:
        started (float, optional): When the run began, by :func:`time.perf_counter`;
            defaults to now.
    """

    priority = 'VERY_HIGH'  # an epoch ends before what other hooks do after it

    def __init__(self, started: float | None = None) -> None:
        self._started = time.perf_counter() if started is None else started
        self.loading = self.training = self.svm = self.testing = 0.0

    def before_train_epoch(self, runner) -> None:
        """End the loading at the first one."""
        self._began = time.perf_counter()
        if not self.loading:
            self.loading = self._began - self._started

    def after_train_epoch(self, runner) -> None:
        """Add an epoch."""
        self.training += time.perf_counter() - self._began

    def before_val_epoch(self, runner) -> None:
        """Start to measure."""
        self._began = time.perf_counter()

    def after_val_epoch(self, runner, metrics: dict | None = None) -> None:
        """Add an evaluation."""
        self.testing += time.perf_counter() - self._began

    def after_train(self, runner) -> None:
        """Ask the hook that fits the SVM."""
        self.svm = sum(h.seconds for h in runner.hooks if isinstance(h, FitStackHook))
