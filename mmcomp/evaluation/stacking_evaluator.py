"""StackingEvaluator: every metric for each member of a stack and for the stack."""

import copy
from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import Evaluator
from mmengine.evaluator.metric import BaseMetric

from mmcomp.columns import MEMBER_SCORES
from mmcomp.registry import EVALUATORS


@EVALUATORS.register_module()
class StackingEvaluator(Evaluator):
    """Evaluate a :class:`mmcomp.models.StackingClassifier` and its members in one run.

    The stack's metrics keep their prefix; those of a member have its name instead, as
    ``compcnn_sub@1/error_rate``.

    Args:
        metrics (dict | list): As for :class:`mmengine.evaluator.Evaluator`.

    Attributes:
        members (dict): Metrics of each member, by its name, after the first batch.
    """

    def __init__(self, metrics: Any) -> None:
        super().__init__(metrics)
        self._fresh = copy.deepcopy(self.metrics)
        self.members: dict[str, list[BaseMetric]] = {}

    def process(
        self, data_samples: Sequence[Any], data_batch: Any | None = None
    ) -> None:
        """Pass a batch to the metrics of the stack and of each member.

        Raises:
            ValueError: If the predictions are not those of a stack.
        """
        super().process(data_samples, data_batch)
        if not data_samples:
            return
        if MEMBER_SCORES not in data_samples[0]:
            raise ValueError(
                f'{MEMBER_SCORES} is missing; StackingEvaluator needs the predictions '
                'of a StackingClassifier'
            )
        names = data_samples[0].get(MEMBER_SCORES)
        for name in names:
            own = [
                {**s.to_dict(), 'pred_score': s.get(MEMBER_SCORES)[name]}
                for s in data_samples
            ]
            for metric in self._metrics_of(name):
                metric.process(data_batch, own)

    def evaluate(self, size: int) -> dict[str, float]:
        """Return the metrics of the stack, then those of each member."""
        results = super().evaluate(size)
        for metrics in self.members.values():
            for metric in metrics:
                results.update(metric.evaluate(size))
        return results

    def _metrics_of(self, name: str) -> list[BaseMetric]:
        if name not in self.members:
            metrics = copy.deepcopy(self._fresh)
            for metric in metrics:
                metric.prefix = name
                metric.dataset_meta = self.dataset_meta
            self.members[name] = metrics
        return self.members[name]
