"""ShiftTestHook: test a trained network on pairs whose apex is shifted."""

from collections.abc import Sequence

import torch
from mmengine.dataset import pseudo_collate
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmcomp.models.inspect import evaluating, unwrapped
from mmcomp.registry import DATASETS, HOOKS

from .run_summary_hook import write_tables

BATCH_SIZE = 256


@HOOKS.register_module()
class ShiftTestHook(Hook):
    """After the last epoch, write a prediction table for each shift of the apex.

    The tables are called ``predictions-shift2px.csv`` and the like, and name the
    distance in the column ``shift_px``; see :class:`mmcomp.datasets.ShiftApex`. The
    training does not change.

    Args:
        pixels (Sequence[float]): The distances.

    Raises:
        ValueError: If a distance is negative.
    """

    priority = 'BELOW_NORMAL'  # after the SVM of a stack is fitted, before the end

    def __init__(self, pixels: Sequence[float]) -> None:
        self.pixels = tuple(pixels)
        if any(value < 0 for value in self.pixels):
            raise ValueError(f'pixels is {self.pixels}; each must be at least 0')

    @torch.no_grad()
    def after_train_epoch(self, runner: Runner) -> None:
        """Test at the last epoch."""
        if not self.is_last_train_epoch(runner):
            return
        model = unwrapped(runner.model)
        with evaluating(model):
            for pixels in self.pixels:
                self._test(runner, model, pixels)

    @staticmethod
    def _test(runner: Runner, model: BaseModel, pixels: float) -> None:
        """Test on pairs whose apex is shifted, and write the tables."""
        cfg = runner.cfg.val_dataloader.dataset.copy()
        loader, *rest = cfg.pipeline
        cfg.pipeline = [loader, dict(type='mmcomp.ShiftApex', pixels=pixels), *rest]
        dataset = DATASETS.build(cfg)
        evaluator = runner.build_evaluator(runner.cfg.val_evaluator)
        evaluator.dataset_meta = dataset.metainfo
        for batch in DataLoader(dataset, BATCH_SIZE, collate_fn=pseudo_collate):
            evaluator.process(model.val_step(batch), batch)
        evaluator.evaluate(len(dataset))
        write_tables(runner, evaluator, dataset, shift=pixels)
