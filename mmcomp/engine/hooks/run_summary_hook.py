"""RunSummaryHook: the prediction table, and one plain line at the end."""

from pathlib import Path
from typing import Dict, Optional

from mmengine.hooks import Hook

from mmcomp.evaluation import PredictionTable
from mmcomp.evaluation.prediction_table import RUN_COLUMNS, write_prediction_table
from mmcomp.registry import HOOKS

from .protocol_hook import loop_dataset

FILE_NAME = 'predictions.csv'


@HOOKS.register_module()
class RunSummaryHook(Hook):
    """Write ``predictions.csv`` into the work folder and say how the run ended.

    The table comes from :class:`mmcomp.evaluation.PredictionTable` in the evaluator;
    the columns that name the run are added: the config's name, the fold, the seed.
    """

    priority = 'LOW'

    def __init__(self) -> None:
        self._metrics: Optional[Dict[str, float]] = None
        self._table: Optional[Path] = None

    def after_val_epoch(self, runner, metrics: Optional[dict] = None) -> None:
        """Keep the metrics, write the table."""
        self._evaluated(runner, runner.val_evaluator, runner._val_loop, metrics)

    def after_test_epoch(self, runner, metrics: Optional[dict] = None) -> None:
        """Keep the metrics, write the table."""
        self._evaluated(runner, runner.test_evaluator, runner._test_loop, metrics)

    def after_run(self, runner) -> None:
        """Print the line."""
        if self._metrics and 'pair/total' in self._metrics:
            runner.logger.info(self._line(runner))

    def _evaluated(self, runner, evaluator, loop, metrics) -> None:
        self._metrics = metrics
        self._dataset = loop_dataset(loop)
        for metric in evaluator.metrics:
            if isinstance(metric, PredictionTable) and metric.table is not None:
                split = getattr(self._dataset, 'split', None)
                run = (model_name(runner.cfg), getattr(split, 'fold', ''), runner.seed)
                table = metric.table.assign(**dict(zip(RUN_COLUMNS, run)))
                self._table = Path(runner.work_dir, FILE_NAME)
                write_prediction_table(table, self._table)

    def _line(self, runner) -> str:
        m = self._metrics
        parts = [
            f'error rate {m["pair/error_rate"]:.2f} % '
            f'({m["pair/wrong"]:.0f}/{m["pair/total"]:.0f} wrong)'
        ]
        if 'pair/uar' in m:
            parts.append(f'UAR {m["pair/uar"]:.2f} %')
        parts.append(f'majority-class error {m["pair/majority_error"]:.2f} %')
        oracle = getattr(self._dataset, 'metainfo', {}).get('oracle')
        if oracle:
            wrong, total = oracle['wrong'], oracle['total']
            parts.append(f'oracle error {100 * wrong / total:.2f} % ({wrong}/{total})')
        checkpoint = (
            runner.message_hub.runtime_info.get('last_ckpt') or runner._load_from
        )
        text = f'{model_name(runner.cfg)}: ' + ', '.join(parts)
        for name, path in (('checkpoint', checkpoint), ('predictions', self._table)):
            if path:
                text += f'; {name}: {path}'
        return text


def model_name(cfg) -> str:
    """The config's name: ``model_name`` in it, or else its file's."""
    return cfg.get('model_name') or Path(cfg.filename or 'model.py').stem
