"""JitterHook: tests a trained network on misaligned pairs."""

from collections.abc import Sequence

import torch
from mmengine.dataset import pseudo_collate
from mmengine.hooks import Hook
from torch.utils.data import DataLoader

from mmcomp.registry import DATASETS, HOOKS

from .run_summary_hook import write_tables

BATCH_SIZE = 256


@HOOKS.register_module()
class JitterHook(Hook):
    """After the last epoch, write a prediction table for each misalignment of the apex.

    The networks' names in the tables get ``+2px`` and the like; see
    :class:`mmcomp.datasets.Misalign`. The training does not change.

    Args:
        pixels (Sequence[float]): The distances.
    """

    priority = 'BELOW_NORMAL'  # after the SVM of a stack is fitted, before the end

    def __init__(self, pixels: Sequence[float]) -> None:
        self.pixels = tuple(pixels)

    @torch.no_grad()
    def after_train_epoch(self, runner) -> None:
        """Test, at the last epoch."""
        if not self.is_last_train_epoch(runner):
            return
        model = getattr(runner.model, 'module', runner.model)
        model.eval()
        for pixels in self.pixels:
            cfg = runner.cfg.val_dataloader.dataset.copy()
            loader, *rest = cfg.pipeline
            cfg.pipeline = [loader, dict(type='mmcomp.Misalign', pixels=pixels), *rest]
            dataset = DATASETS.build(cfg)
            evaluator = runner.build_evaluator(runner.cfg.val_evaluator)
            evaluator.dataset_meta = dataset.metainfo
            for batch in DataLoader(dataset, BATCH_SIZE, collate_fn=pseudo_collate):
                evaluator.process(model.val_step(batch), batch)
            evaluator.evaluate(len(dataset))
            write_tables(runner, evaluator, dataset, f'+{pixels:g}px')
        model.train()
