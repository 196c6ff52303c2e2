"""RunSummaryHook: write the prediction table, and one plain line at the end."""

from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmcomp.columns import FOLD, MEMBER, MODEL, SEED, SHIFT, STACK, VARIANT
from mmcomp.compat import loaded_from, loop_dataset, training_ended
from mmcomp.config import config_name
from mmcomp.datasets.wrappers import base_datasets
from mmcomp.evaluation import PredictionTable
from mmcomp.evaluation.prediction_table import write_prediction_table
from mmcomp.registry import HOOKS


def write_tables(
    runner: Runner, evaluator: Evaluator, dataset: Any, shift: float | None = None
) -> Path | None:
    """Write the prediction tables of an evaluation into the work folder.

    Args:
        runner: The runner.
        evaluator: It holds a :class:`PredictionTable`, or nothing is written.
        dataset: What was tested.
        shift: Distance in pixels that the apex was moved by, if it was.

    Returns:
        Path: The network's own table, if there is one. It is written after those of
        the members of a stack: where it exists, the run is whole.
    """
    name = model_name(runner.cfg)
    base = base_datasets(dataset)[0]
    fold = getattr(getattr(base, 'split', None), 'fold', '')
    variant = {**dict.fromkeys(VARIANT), **runner.cfg.get('variant', {}), SHIFT: shift}
    suffix = '' if shift is None else f'-shift{shift:g}px'
    path = None
    groups = [*getattr(evaluator, 'members', {}).items(), ('', evaluator.metrics)]
    for member, group in groups:
        for metric in group:
            if isinstance(metric, PredictionTable) and metric.table is not None:
                run = {FOLD: fold, SEED: runner.seed, MODEL: member or name, **variant}
                run.update({STACK: name if member else '', MEMBER: member})
                own = f'-{member}' if member else ''
                path = Path(runner.work_dir, f'predictions{own}{suffix}.csv')
                write_prediction_table(metric.table.assign(**run), path)
    return path


@HOOKS.register_module()
class RunSummaryHook(Hook):
    """Write ``predictions.csv`` into the work folder and say how the run ended.

    The table comes from :class:`mmcomp.evaluation.PredictionTable` in the evaluator;
    the columns that name the run are added: the config's name, the fold, the seed, and
    those of ``variant`` in the config, which experiments set. The members of a stack
    get tables of their own, ``predictions-<member>.csv``.

    After a training, they are those of the last validation, also if the training was
    stopped early. A training that is resumed after its last epoch is validated first.
    """

    priority = 'HIGH'  # before EMAHook tests other weights with the same evaluator

    def __init__(self) -> None:
        self._metrics: dict[str, float] | None = None
        self._table: Path | None = None

    def after_val_epoch(self, runner, metrics: dict | None = None) -> None:
        """Keep the metrics; write the table when the training has ended."""
        training = loop_dataset(runner, 'train') is not None
        if training and not training_ended(runner):
            return
        self._evaluated(runner, runner.val_evaluator, 'val', metrics)

    def after_train(self, runner) -> None:
        """Validate if the loop ended without."""
        if self._metrics is None and runner.val_loop is not None:
            runner.val_loop.run()

    def after_test_epoch(self, runner, metrics: dict | None = None) -> None:
        """Keep the metrics, write the table."""
        self._evaluated(runner, runner.test_evaluator, 'test', metrics)

    def after_run(self, runner) -> None:
        """Print the line."""
        if self._metrics and 'pair/total' in self._metrics:
            runner.logger.info(self._line(runner, self._metrics))

    def _evaluated(
        self, runner: Runner, evaluator: Evaluator, mode: str, metrics: dict | None
    ) -> None:
        self._metrics = metrics
        self._dataset = loop_dataset(runner, mode)
        self._table = write_tables(runner, evaluator, self._dataset)

    def _line(self, runner: Runner, m: dict[str, float]) -> str:
        parts = [
            f'error rate {m["pair/error_rate"]:.2f} % '
            f'({m["pair/wrong"]:.0f}/{m["pair/total"]:.0f} errors)'
        ]
        if 'pair/uar' in m:
            parts.append(f'UAR {m["pair/uar"]:.2f} %')
        parts.append(f'majority-class error {m["pair/majority_error"]:.2f} %')
        oracle = getattr(self._dataset, 'metainfo', {}).get('oracle')
        if oracle:
            wrong, total = oracle['wrong'], oracle['total']
            parts.append(f'oracle error {100 * wrong / total:.2f} % ({wrong}/{total})')
        saved = runner.message_hub.runtime_info
        text = f'{model_name(runner.cfg)}: ' + ', '.join(parts)
        for name, path in (
            ('checkpoint', saved.get('last_ckpt') or loaded_from(runner)),
            ('best checkpoint', saved.get('best_ckpt')),
            ('predictions', self._table),
        ):
            if path:
                text += f'; {name}: {path}'
        return text


def model_name(cfg: Config) -> str:
    """Return the name of a network in tables: that of its config's file."""
    return config_name(cfg, 'model')
