"""ShiftTestHook: test a trained network on pairs whose apex is shifted."""

import copy
from collections.abc import Sequence

import torch
from mmengine.dataset import pseudo_collate
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmcomp.compat import loop_dataset, training_ended
from mmcomp.config import base_configs
from mmcomp.models.inspect import evaluating, unwrapped
from mmcomp.registry import DATASETS, HOOKS

from .run_summary_hook import write_tables

BATCH_SIZE = 256


@HOOKS.register_module()
class ShiftTestHook(Hook):
    """After the last validation, write a prediction table for each shift of the apex.

    The tables are called ``predictions-shift2px.csv`` and the like, and name the
    distance in the column ``shift_px``; see :class:`mmcomp.datasets.ShiftApex`. The
    network is the one that was validated: hooks that exchange weights, such as
    EMAHook, take theirs back afterwards. The training does not change.

    Args:
        pixels (Sequence[float]): The distances.

    Raises:
        ValueError: If a distance is negative.
    """

    priority = 'VERY_HIGH'  # before weights are taken back

    def __init__(self, pixels: Sequence[float]) -> None:
        self.pixels = tuple(pixels)
        if any(value < 0 for value in self.pixels):
            raise ValueError(f'pixels is {self.pixels}; each must be at least 0')

    @torch.no_grad()
    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Test when the training has ended."""
        if loop_dataset(runner, 'train') is None or not training_ended(runner):
            return
        model = unwrapped(runner.model)
        with evaluating(model):
            for pixels in self.pixels:
                self._test(runner, model, pixels)

    @staticmethod
    def _test(runner: Runner, model: BaseModel, pixels: float) -> None:
        """Test on pairs whose apex is shifted, and write the tables."""
        cfg = copy.deepcopy(runner.cfg.val_dataloader.dataset)
        for own in base_configs(cfg):
            shift = dict(type='mmcomp.ShiftApex', pixels=pixels)
            own['pipeline'] = [own['pipeline'][0], shift, *own['pipeline'][1:]]
        dataset = DATASETS.build(cfg)
        evaluator = runner.build_evaluator(runner.cfg.val_evaluator)
        evaluator.dataset_meta = dataset.metainfo
        for batch in DataLoader(dataset, BATCH_SIZE, collate_fn=pseudo_collate):
            evaluator.process(model.val_step(batch), batch)
        evaluator.evaluate(len(dataset))
        write_tables(runner, evaluator, dataset, shift=pixels)
