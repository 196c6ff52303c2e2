"""CacheFeaturesHook: describe the images of a table once for all runs."""

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmcomp.compat import loop_dataset
from mmcomp.config import base_configs, whole_dataset
from mmcomp.datasets import PairDataset
from mmcomp.engine.pairs import pairs_as_tested
from mmcomp.models import FittedPairClassifier
from mmcomp.models.inspect import unwrapped
from mmcomp.registry import HOOKS


@HOOKS.register_module()
class CacheFeaturesHook(Hook):
    """Before a training or test, describe all images of its pair tables.

    What takes time is kept in files next to each table and shared by all runs: of
    several that start at once, one computes, on all cores, and the others wait. It
    concerns the :class:`mmcomp.models.FittedPairClassifier` that is trained or tested,
    or those that are members of a stack. Where the folder cannot be written, a warning
    says so.
    """

    def before_train(self, runner: Runner) -> None:
        """Describe the images that are trained and validated on."""
        self._fill(runner, ('train', 'val'))

    def before_test(self, runner: Runner) -> None:
        """Describe the images that are tested on."""
        self._fill(runner, ('test',))

    @staticmethod
    def _fill(runner: Runner, modes: tuple[str, ...]) -> None:
        parts = [
            part
            for part in unwrapped(runner.model).modules()
            if isinstance(part, FittedPairClassifier)
        ]
        seen = set()
        for mode in modes:
            if not parts or loop_dataset(runner, mode) is None:
                continue
            loader_cfg = runner.cfg[f'{mode}_dataloader']
            for options in base_configs(loader_cfg['dataset']):
                loader = pairs_as_tested(runner.cfg, [whole_dataset(options)])
                (dataset,) = loader.dataset.datasets  # type: ignore[attr-defined]
                if not isinstance(dataset, PairDataset) or dataset.ann_file in seen:
                    continue
                seen.add(dataset.ann_file)
                for part in parts:
                    part.fill_cache(dataset.ann_file, loader)
