"""What a report shows: records of numbers, without computing any of them."""

from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from mmcomp.columns import VARIANT
from mmcomp.evaluation.statistics import PairedTest, Summary

from .plan import ExperimentSettings


@dataclass(frozen=True)
class PairedResult:
    """Paired tests of a network against another, of which a report makes several.

    Attributes:
        other: The network that is compared with.
        test: The tests; None for that network itself, or where the two were not tested
            on the same samples yet.
        mcnemar_p_holm, permutation_p_holm: p values corrected for the number of
            networks; None without tests.
    """

    other: str
    test: PairedTest | None = None
    mcnemar_p_holm: float | None = None
    permutation_p_holm: float | None = None

    def as_row(self, key: str) -> dict[str, Any]:
        """Return the columns of ``table.csv``, their names led by ``key``."""
        row: dict[str, Any] = {}
        if self.test is not None:
            row = {
                f'{key}_mcnemar_p': self.test.mcnemar_p,
                f'{key}_mcnemar_p_holm': self.mcnemar_p_holm,
                f'{key}_difference': self.test.difference,
                f'{key}_permutation_p': self.test.permutation_p,
                f'{key}_permutation_p_holm': self.permutation_p_holm,
            }
        return {**row, f'{key}_model': self.other}


@dataclass
class NetworkResult:
    """The numbers of one network.

    Attributes:
        model: Its name in tables.
        title: Its name in reports.
        numbers: Its errors and metrics.
        paper: Error in percent that the paper reports on data of this size.
        seconds: Median time of its runs; None for a member of a stack, which is
            trained in the runs of the stack, or if it was not measured.
        comparisons: With the 'baseline' and with the 'best' network, where there are.
        best_test_epoch: Error in percent with epochs chosen on the test fold.
    """

    model: str
    title: str
    numbers: Summary
    paper: float | None = None
    seconds: float | None = None
    comparisons: dict[str, PairedResult] = field(default_factory=dict)
    best_test_epoch: float | None = None

    def as_row(self, best_test_epoch: bool = False) -> dict[str, Any]:
        """Return the row of ``table.csv`` and ``summary.json``."""
        row = {'model': self.model, 'title': self.title, **asdict(self.numbers)}
        row['paper'] = self.paper
        row['seconds'] = self.seconds
        for key, comparison in self.comparisons.items():
            row.update(comparison.as_row(key))
        if best_test_epoch:
            row['best_test_epoch'] = self.best_test_epoch
        return row


@dataclass(frozen=True)
class VariantResult:
    """The numbers of one variant of a network.

    Attributes:
        model, title: As of :class:`NetworkResult`.
        column: Which kind of variant, one of :data:`mmcomp.columns.VARIANT`.
        value: The size, control or distance.
        member: Whether the network is a member of a stack.
        wrong, total: Errors and predictions, over all seeds.
        bootstrap_low, bootstrap_high: Interval of the error over resampled subjects.
    """

    model: str
    title: str
    column: str
    value: Any
    member: bool
    wrong: int
    total: int
    bootstrap_low: float
    bootstrap_high: float

    @property
    def error(self) -> float:
        """The pooled error."""
        return self.wrong / self.total

    def as_row(self) -> dict[str, Any]:
        """Return the row of ``summary.json``."""
        return {
            'model': self.model,
            'title': self.title,
            self.column: self.value,
            'wrong': self.wrong,
            'total': self.total,
            'error': self.error,
            'bootstrap_low': self.bootstrap_low,
            'bootstrap_high': self.bootstrap_high,
        }


@dataclass
class Results:
    """All that a report shows.

    Attributes:
        settings, data: What the experiment is, and on what.
        table: All predictions; see :mod:`mmcomp.evaluation.prediction_table`.
        classes: Names of the classes.
        networks: Numbers of each network, in the paper's order.
        controls, curve, shift: Numbers of the variants.
        missing: Number of runs that are not done.
        costs: Seconds of each run by what they were spent on, with the run as index.
        best_test_epoch: Whether the networks have this number.
        versions: Version of each package.
    """

    settings: ExperimentSettings
    data: dict[str, Any]
    table: pd.DataFrame
    classes: list[str]
    networks: list[NetworkResult]
    controls: list[VariantResult]
    curve: list[VariantResult]
    shift: list[VariantResult]
    missing: int
    costs: pd.DataFrame
    best_test_epoch: bool = False
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def plain(self) -> pd.DataFrame:
        """Predictions of the networks themselves, without variants."""
        return select(self.table)


def select(table: pd.DataFrame, variant: str | None = None) -> pd.DataFrame:
    """Return the rows of one kind of variant only; without one, rows of no variant.

    Args:
        table: Predictions.
        variant: One of :data:`mmcomp.columns.VARIANT`.
    """
    keep = pd.Series(True, index=table.index)
    for column in VARIANT:
        present = table[column].notna() & (table[column] != '')
        keep &= present if column == variant else ~present
    return table[keep]
