"""Registered metrics, in percent, with keys ``pair/<name>``."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from mmengine.evaluator import BaseMetric

from mmcomp.columns import ID, SUBJECT
from mmcomp.registry import METRICS

from . import functional
from .prediction_table import make_prediction_table


class _PairMetric(BaseMetric):
    """Gathers label and scores of every sample, from all processes.

    Args:
        collect_device (str): 'cpu' or 'gpu', see
            :class:`mmengine.evaluator.BaseMetric`.
        prefix (str, optional): Defaults to 'pair'.
    """

    default_prefix: str | None = 'pair'

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep label, scores, id and subject of a batch of predictions.

        Raises:
            ValueError: If a sample has no label.
        """
        for sample in data_samples:
            label = sample.get('gt_label')
            if label is None:
                raise ValueError(
                    f'sample {sample.get(ID, "?")!r} has no gt_label; it must be a '
                    'class index'
                )
            self.results.append(
                dict(
                    label=int(label),
                    scores=sample['pred_score'].double().cpu().numpy(),
                    sample_id=sample.get(ID, ''),
                    subject=sample.get(SUBJECT, ''),
                )
            )

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Return the metrics of all samples, by name."""
        labels = np.array([result['label'] for result in results])
        scores = np.stack([result['scores'] for result in results])
        return self.compute(labels, scores)

    def compute(self, labels: np.ndarray, scores: np.ndarray) -> dict[str, float]:
        """Return the metrics from labels ``(N,)`` and scores ``(N, K)``."""
        raise NotImplementedError


@METRICS.register_module()
class ErrorRate(_PairMetric):
    """``error_rate`` in percent, with the counts ``wrong`` and ``total``.

    Also ``majority_error``, the error in percent of always answering the most frequent
    class of these samples, which a useful network must beat.
    """

    def compute(self, labels: np.ndarray, scores: np.ndarray) -> dict[str, float]:
        """Return the metrics that the class names."""
        wrong, total = functional.error_counts(labels, scores.argmax(1))
        return dict(
            error_rate=100 * wrong / total,
            wrong=wrong,
            total=total,
            majority_error=100 * functional.majority_error(labels),
        )


@METRICS.register_module()
class UAR(_PairMetric):
    """``uar``: unweighted average recall in percent, that is balanced accuracy."""

    def compute(self, labels: np.ndarray, scores: np.ndarray) -> dict[str, float]:
        """Return the metrics that the class names."""
        return dict(uar=100 * functional.uar(labels, scores.argmax(1)))


@METRICS.register_module()
class UF1(_PairMetric):
    """``uf1``: unweighted mean of the classes' F1 in percent."""

    def compute(self, labels: np.ndarray, scores: np.ndarray) -> dict[str, float]:
        """Return the metrics that the class names."""
        return dict(uf1=100 * functional.uf1(labels, scores.argmax(1)))


@METRICS.register_module()
class AUC(_PairMetric):
    """``auc``: area under the ROC curve in percent; NaN with one class only."""

    def compute(self, labels: np.ndarray, scores: np.ndarray) -> dict[str, float]:
        """Return the metrics that the class names."""
        return dict(auc=100 * functional.auc(labels, scores))


@METRICS.register_module()
class PredictionTable(_PairMetric):
    """No number, but a row for each sample; :class:`RunSummaryHook` writes them.

    Attributes:
        table (DataFrame): Of the last evaluation, on the main process.
    """

    table: pd.DataFrame | None = None

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Make the table."""
        scores = np.stack([result['scores'] for result in results])
        classes = (self.dataset_meta or {}).get('classes')
        self.table = make_prediction_table(
            [result['sample_id'] for result in results],
            [result['subject'] for result in results],
            np.array([result['label'] for result in results]),
            scores,
            classes or [str(i) for i in range(scores.shape[1])],
        )
        return {}
