"""RunSummaryHook: the prediction table, and one plain line at the end."""

from pathlib import Path

from mmengine.hooks import Hook

from mmcomp.columns import FOLD, MODEL, SEED
from mmcomp.compat import loaded_from, loop_dataset
from mmcomp.evaluation import PredictionTable
from mmcomp.evaluation.prediction_table import write_prediction_table
from mmcomp.registry import HOOKS


def write_tables(runner, evaluator, dataset, suffix: str = '') -> Path | None:
    """Write the prediction tables of an evaluation into the work folder.

    Args:
        runner: The runner.
        evaluator: It holds a :class:`PredictionTable`, or nothing is written.
        dataset: What was tested.
        suffix: Added to the names of networks and files.

    Returns:
        Path: The network's own table. It is written after those of the members of a
        stack: where it stands, the run is whole.
    """
    run = {
        FOLD: getattr(getattr(dataset, 'split', None), 'fold', ''),
        SEED: runner.seed,
    }
    path = None
    groups = [*getattr(evaluator, 'members', {}).items(), ('', evaluator.metrics)]
    for member, group in groups:
        for metric in group:
            if isinstance(metric, PredictionTable) and metric.table is not None:
                run[MODEL] = model_name(runner.cfg, member) + suffix
                name = f'predictions-{member}' if member else 'predictions'
                path = Path(runner.work_dir, f'{name}{suffix}.csv')
                write_prediction_table(metric.table.assign(**run), path)
    return path


@HOOKS.register_module()
class RunSummaryHook(Hook):
    """Write ``predictions.csv`` into the work folder and say how the run ended.

    The table comes from :class:`mmcomp.evaluation.PredictionTable` in the evaluator;
    the columns that name the run are added: the config's name, the fold, the seed. The
    members of a stack get tables of their own, ``predictions-<member>.csv``.
    """

    priority = 'LOW'

    def __init__(self) -> None:
        self._metrics: dict[str, float] | None = None
        self._table: Path | None = None

    def after_val_epoch(self, runner, metrics: dict | None = None) -> None:
        """Keep the metrics; write the table when the training has ended."""
        training = loop_dataset(runner, 'train') is not None
        if training and runner.epoch < runner.max_epochs:
            return
        self._evaluated(runner, runner.val_evaluator, 'val', metrics)

    def after_test_epoch(self, runner, metrics: dict | None = None) -> None:
        """Keep the metrics, write the table."""
        self._evaluated(runner, runner.test_evaluator, 'test', metrics)

    def after_run(self, runner) -> None:
        """Print the line."""
        if self._metrics and 'pair/total' in self._metrics:
            runner.logger.info(self._line(runner))

    def _evaluated(self, runner, evaluator, mode, metrics) -> None:
        self._metrics = metrics
        self._dataset = loop_dataset(runner, mode)
        self._table = write_tables(runner, evaluator, self._dataset)

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
        checkpoint = runner.message_hub.runtime_info.get('last_ckpt') or loaded_from(
            runner
        )
        text = f'{model_name(runner.cfg)}: ' + ', '.join(parts)
        for name, path in (('checkpoint', checkpoint), ('predictions', self._table)):
            if path:
                text += f'; {name}: {path}'
        return text


def model_name(cfg, member: str = '') -> str:
    """The name of a network in tables: its config's, or that of a member of a stack.

    ``variant`` in the config is added, which experiments set.
    """
    return (member or Path(cfg.filename or 'model.py').stem) + cfg.get('variant', '')
