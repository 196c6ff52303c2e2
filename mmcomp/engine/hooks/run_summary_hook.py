"""RunSummaryHook: the prediction table, and one plain line at the end."""

from pathlib import Path
from typing import Dict, Optional

from mmengine.hooks import Hook

from mmcomp.columns import FOLD, MODEL, SEED
from mmcomp.evaluation import PredictionTable
from mmcomp.evaluation.prediction_table import write_prediction_table
from mmcomp.registry import HOOKS

from .protocol_hook import loop_dataset


def predictions_file(model: str, whole: bool = True) -> str:
    """Name of the prediction table of a network, or of one member of a stack."""
    return 'predictions.csv' if whole else f'predictions-{model}.csv'


@HOOKS.register_module()
class RunSummaryHook(Hook):
    """Write ``predictions.csv`` into the work folder and say how the run ended.

    The table comes from :class:`mmcomp.evaluation.PredictionTable` in the evaluator;
    the columns that name the run are added: the config's name, the fold, the seed. The
    members of a stack get tables of their own, ``predictions-<member>.csv``.
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
        run = {
            FOLD: getattr(getattr(self._dataset, 'split', None), 'fold', ''),
            SEED: runner.seed,
        }
        own = model_name(runner.cfg)
        groups = {own: evaluator.metrics, **getattr(evaluator, 'members', {})}
        for name, group in groups.items():
            for metric in group:
                if isinstance(metric, PredictionTable) and metric.table is not None:
                    path = Path(runner.work_dir, predictions_file(name, name == own))
                    table = metric.table.assign(**{MODEL: name, **run})
                    write_prediction_table(table, path)
                    self._table = self._table or path

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
