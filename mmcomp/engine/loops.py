"""Trainings without steps, in which something is fitted at once."""

from typing import Any

import torch
from mmengine.optim import OptimWrapper
from mmengine.runner import EpochBasedTrainLoop

from mmcomp.compat import end_epoch
from mmcomp.datasets.epoch_seed import seed_all
from mmcomp.models.inspect import unwrapped
from mmcomp.registry import LOOPS

from .pairs import further_columns, training_pairs


class OneEpochLoop(EpochBasedTrainLoop):
    """One epoch without a step: hooks run as at the end of a training.

    So a checkpoint is saved and the test set evaluated.

    Args:
        runner: The runner.
        dataloader: The training data.
        max_epochs, val_interval (int): Not used; an experiment may set them for the
            networks that are trained in it as well.
    """

    def __init__(
        self, runner: Any, dataloader: Any, max_epochs: int = 1, val_interval: int = 1
    ) -> None:
        super().__init__(runner, dataloader, max_epochs=1)
        if not any(True for _ in unwrapped(runner.model).parameters()):
            # MMEngine wants an optimizer, and refuses one without parameters.
            nothing = torch.optim.SGD([dict(params=[])], lr=0.0)
            runner.optim_wrapper = OptimWrapper(nothing)
            runner.param_schedulers = []

    def run_epoch(self) -> None:
        """End an epoch that had no steps."""
        self.runner.call_hook('before_train_epoch')
        self.fit()
        self.runner.call_hook('after_train_epoch')
        end_epoch(self)

    def fit(self) -> None:
        """Fit what hooks do not fit."""


@LOOPS.register_module()
class FitStackLoop(OneEpochLoop):
    """Only fit the SVM of a stack whose members were trained separately.

    :class:`FitStackHook` does so at the end of the epoch.
    """


@LOOPS.register_module()
class FitLoop(OneEpochLoop):
    """Fit a :class:`mmcomp.models.FittedPairClassifier` to the training subjects.

    The pairs are those of training with the pipeline of the test. Each process fits to
    all pairs with the same random numbers, so that all have the same state. What the
    config says of an optimizer and schedulers does not matter.

    Raises:
        ValueError: If the model is another one.
    """

    def __init__(self, runner: Any, dataloader: Any, **kwargs: Any) -> None:
        super().__init__(runner, dataloader, **kwargs)
        model = unwrapped(runner.model)
        if not hasattr(model, 'fit'):
            raise ValueError(
                f'model is {type(model).__name__}; for FitLoop it must be '
                'FittedPairClassifier'
            )

    def fit(self) -> None:
        """Fit the model."""
        loader: Any = training_pairs(self.runner.cfg)
        columns = further_columns(loader.dataset.datasets)
        seed_all(self.runner.seed)
        unwrapped(self.runner.model).fit(loader, columns)
        self.runner.logger.info(f'fitted to {len(loader.dataset)} pairs')
