"""PairVisualizationHook: shows pairs and predictions while a network trains."""

from collections.abc import Sequence

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmpretrain.structures import DataSample

from mmcomp.compat import loop_dataset
from mmcomp.registry import HOOKS


@HOOKS.register_module()
class PairVisualizationHook(Hook):
    """Pass pairs to the visualizer: of training every few epochs, of each evaluation.

    ``pairs_train`` shows the first batch of an epoch, augmented with random numbers of
    the picture's own, and what the network predicts for it; ``pairs_val`` and
    ``pairs_test`` the first batch of an evaluation. The training itself does not
    change: it draws the same numbers and ends with the same weights.

    For :class:`mmcomp.visualization.PairVisualizer` and epoch-based training.

    Args:
        interval (int): Epochs between two pictures of training pairs.
        count (int): How many pairs to show.

    Raises:
        ValueError: If ``interval`` or ``count`` is below 1, or, when the run starts, if
            the visualizer has no ``add_pairs``.
    """

    def __init__(self, interval: int = 10, count: int = 8) -> None:
        for name, value in (('interval', interval), ('count', count)):
            if value < 1:
                raise ValueError(f'{name} is {value}; it must be at least 1')
        self.interval, self.count = interval, count

    def before_run(self, runner) -> None:
        """Refuse a visualizer that cannot show pairs."""
        if not hasattr(runner.visualizer, 'add_pairs'):
            raise ValueError(
                f'visualizer is {type(runner.visualizer).__name__}; for '
                'PairVisualizationHook it must be dict(type="mmcomp.PairVisualizer")'
            )

    def after_train_iter(
        self, runner, batch_idx: int, data_batch: dict, outputs: dict | None = None
    ) -> None:
        """Show the first batch of every ``interval``-th epoch."""
        if batch_idx == 0 and self.every_n_epochs(runner, self.interval):
            self._show(runner, 'train', data_batch)

    def after_val_iter(
        self, runner, batch_idx: int, data_batch: dict, outputs: Sequence[DataSample]
    ) -> None:
        """Show the first batch."""
        if batch_idx == 0:
            self._show(runner, 'val', data_batch)

    def after_test_iter(
        self, runner, batch_idx: int, data_batch: dict, outputs: Sequence[DataSample]
    ) -> None:
        """Show the first batch."""
        if batch_idx == 0:
            self._show(runner, 'test', data_batch)

    @master_only
    def _show(self, runner, mode: str, batch: dict) -> None:
        from mmcomp.models.inspect import class_scores, unwrapped
        from mmcomp.visualization.pairs import seen_pairs

        model = unwrapped(runner.model)
        training = mode == 'train'
        step = runner.epoch + training
        pairs = list(batch['inputs'][: self.count])
        samples = [sample.clone() for sample in batch['data_samples'][: self.count]]
        labels = [int(sample.gt_label) for sample in samples]
        preprocessor = model.data_preprocessor
        seen, _ = seen_pairs(preprocessor, pairs, labels, training, seed=step)
        for sample, score in zip(samples, class_scores(model, seen, training)):
            sample.set_pred_score(score)
        data = loop_dataset(runner, mode)
        classes = getattr(data, 'metainfo', {}).get('classes')
        runner.visualizer.add_pairs(
            f'pairs_{mode}', seen, samples, classes, step, preprocessor.to_rgb
        )
