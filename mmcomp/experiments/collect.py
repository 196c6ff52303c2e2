"""From the folders of an experiment to the figures of its report."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from mmcomp.columns import FOLD, ID, LABEL, MODEL, PREDICTED, SEED
from mmcomp.evaluation import statistics
from mmcomp.evaluation.prediction_table import read_prediction_tables, score_classes

from .driver import DATA_FILE
from .paper import BASELINE, in_paper_order, paper_error, title
from .plan import (
    COSTS_FILE,
    RUNS_FOLDER,
    Settings,
    make_runs,
    read_settings,
    unfinished,
)

VARIANT = re.compile(
    r'^(?P<base>.+?)(?:\+(?P<subjects>\d+)subjects)?'
    r'(?:\+(?P<audit>[a-z]+-[a-z]+|swapped))?(?:\+(?P<pixels>[\d.]+)px)?$'
)


@dataclass
class Results:
    """All that a report shows.

    Attributes:
        settings, data: What the experiment is, and on what.
        table: All predictions, with columns ``base``, ``subjects``, ``audit`` and
            ``pixels`` that tell the variants apart.
        rows: Figures of each network, in the paper's order.
        audits, curve, jitter: Figures of the variants.
        classes: Names of the classes.
        missing: Runs that are not done.
        costs: Seconds of each run by what they were spent on, a row for each.
    """

    settings: Settings
    data: dict[str, Any]
    table: pd.DataFrame
    classes: list[str]
    rows: list[dict]
    audits: list[dict]
    curve: list[dict]
    jitter: list[dict]
    missing: int
    costs: pd.DataFrame
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def plain(self) -> pd.DataFrame:
        """Predictions of the networks themselves, without variants."""
        return _select(self.table)


def collect(folders: Sequence[Path], best_test_epoch: bool = False) -> Results:
    """Read the tables of experiments on the same data and compute their figures.

    Args:
        folders: Folders of :func:`run_experiment`; their rows stand in one report.
        best_test_epoch: Add what choosing the epoch on the test fold would claim.

    Raises:
        ValueError: If a folder holds no experiment, none of its runs is done, or the
            folders are of other data or splits.
    """
    folders = [Path(folder) for folder in folders]
    settings = [read_settings(folder) for folder in folders]
    data = [json.loads((f / DATA_FILE).read_text(encoding='utf-8')) for f in folders]
    for other, own, folder in zip(settings[1:], data[1:], folders[1:]):
        for what, a, b in (
            ('data', data[0]['table'], own['table']),
            ('split', settings[0].split, other.split),
            ('n_splits', settings[0].n_splits, other.n_splits),
            ('split_seed', settings[0].split_seed, other.split_seed),
        ):
            if a != b:
                raise ValueError(
                    f'{folders[0]} and {folder} differ in {what} ({a!r}, {b!r}), so '
                    'they cannot stand in one table'
                )
    paths = [p for f in folders for p in sorted(f.glob(f'{RUNS_FOLDER}/*/*/*.csv'))]
    if not paths:
        raise ValueError(f'no run of {", ".join(map(str, folders))} is done yet')
    table = _with_variants(read_prediction_tables(paths))
    runs = [make_runs(s, d['folds']) for s, d in zip(settings, data)]
    results = Results(
        settings=settings[0],
        data=data[0],
        table=table,
        classes=score_classes(table),
        rows=[],
        audits=_variant_rows(table, 'audit'),
        curve=_variant_rows(table, 'subjects'),
        jitter=_variant_rows(table, 'pixels'),
        missing=sum(len(unfinished(r, f)) for r, f in zip(runs, folders)),
        costs=_costs(folders),
        versions=_versions(),
    )
    results.rows = _rows(results)
    if best_test_epoch:
        for row in results.rows:
            row['best_test_epoch'] = _best_test_epoch(folders, row['model'])
    return results


def _rows(results: Results) -> list[dict]:
    """A row for each network: figures, and comparisons with baseline and best."""
    tables = dict(list(results.plain.groupby(MODEL)))
    names = in_paper_order(tables)
    rows = []
    for name in names:
        row = dict(model=name, title=title(name))
        row.update(statistics.summarize(tables[name], results.classes))
        row['paper'] = paper_error(name, results.data.get('name'))
        rows.append(row)
    if not rows:
        return rows
    best = min(rows, key=lambda row: row['error'])['model']
    for key, other in (('baseline', BASELINE), ('best', best)):
        if other in tables:
            _add_comparisons(rows, tables, key, other)
    return rows


def _add_comparisons(rows: list[dict], tables: dict, key: str, other: str) -> None:
    """Paired tests of each row against one network, corrected by Holm."""
    compared = [row for row in rows if row['model'] != other]
    found = []
    for row in compared:
        try:
            found.append(statistics.compare(tables[row['model']], tables[other]))
        except ValueError:  # not the same samples yet: an experiment in the middle
            found.append(None)
    done = [(row, c) for row, c in zip(compared, found) if c is not None]
    for test in ('mcnemar_p', 'permutation_p'):
        corrected = statistics.holm([getattr(c, test) for _, c in done])
        for (row, comparison), p in zip(done, corrected):
            row[f'{key}_{test}'] = getattr(comparison, test)
            row[f'{key}_{test}_holm'] = float(p)
            row[f'{key}_difference'] = comparison.difference
    for row in rows:
        row[f'{key}_model'] = other


def _with_variants(table: pd.DataFrame) -> pd.DataFrame:
    parts = table[MODEL].drop_duplicates()
    parsed = parts.str.extract(VARIANT)
    parsed.index = parts
    for column in ('base', 'subjects', 'audit', 'pixels'):
        table[column] = table[MODEL].map(parsed[column])
    table['subjects'] = pd.to_numeric(table['subjects'])
    table['pixels'] = pd.to_numeric(table['pixels'])
    return table


def _select(table: pd.DataFrame, variant: str | None = None) -> pd.DataFrame:
    """Rows of one kind of variant only; without one, rows of no variant."""
    keep = pd.Series(True, index=table.index)
    for column in ('subjects', 'audit', 'pixels'):
        present = table[column].notna()
        keep &= present if column == variant else ~present
    return table[keep]


def _variant_rows(table: pd.DataFrame, variant: str) -> list[dict]:
    """Error with interval of each network and value of a variant."""
    rows = []
    for (name, value), own in _select(table, variant).groupby(['base', variant]):
        wrong = int(statistics.is_wrong(own).sum())
        interval = statistics.bootstrap_interval(own)
        rows.append(
            {
                'model': name,
                'title': title(name),
                variant: value,
                'wrong': wrong,
                'total': len(own),
                'error': wrong / len(own),
                'bootstrap_low': interval.low,
                'bootstrap_high': interval.high,
            }
        )
    order = in_paper_order(dict.fromkeys(row['model'] for row in rows))
    return sorted(rows, key=lambda row: (order.index(row['model']), row[variant]))


def _costs(folders: Sequence[Path]) -> pd.DataFrame:
    paths = [p for f in folders for p in f.glob(f'{RUNS_FOLDER}/*/*/{COSTS_FILE}')]
    return pd.DataFrame([json.loads(p.read_text(encoding='utf-8')) for p in paths])


def _best_test_epoch(folders: Sequence[Path], name: str) -> float | None:
    """Error in percent if each fold chose its epoch on its own test subjects."""
    wrong = total = 0
    for folder in folders:
        for log in folder.glob(f'{RUNS_FOLDER}/{name}/*/*/vis_data/scalars.json'):
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            counts = [x for x in lines if 'pair/wrong' in x]
            if len(counts) > 1:
                wrong += min(x['pair/wrong'] for x in counts)
                total += counts[0]['pair/total']
    return 100 * wrong / total if total else None


def fold_errors(results: Results) -> pd.DataFrame:
    """Error of each network (rows) in each fold (columns), mean over seeds."""
    plain = results.plain.assign(wrong=statistics.is_wrong(results.plain))
    return plain.pivot_table(index=MODEL, columns=FOLD, values='wrong', aggfunc='mean')


def errors_by_column(results: Results) -> dict[str, pd.DataFrame]:
    """Error of each network within each value of each further column.

    The columns of a table are the values with their number of pairs, as 'fear (12)'.
    """
    tables = {}
    tested = results.plain[ID].unique()
    for column, values in results.data.get('columns', {}).items():
        counts = Counter(values[sample] for sample in tested)
        shown = {value: f'{value or "empty"} ({n})' for value, n in counts.items()}
        plain = results.plain
        plain = plain.assign(
            value=plain[ID].map(values).map(shown), wrong=statistics.is_wrong(plain)
        )
        tables[column] = plain.pivot_table(
            index=MODEL, columns='value', values='wrong', aggfunc='mean'
        )
    return tables


def confusion(results: Results, name: str) -> pd.DataFrame:
    """Counts of label (rows) and prediction (columns) of one network, all seeds."""
    own = results.plain[results.plain[MODEL] == name]
    counts = pd.crosstab(own[LABEL], own[PREDICTED])
    return counts.reindex(index=results.classes, columns=results.classes, fill_value=0)


def seeds_and_folds(results: Results) -> str:
    """How many folds and seeds the table has, in words."""
    folds, seeds = results.table[FOLD].nunique(), results.table[SEED].nunique()
    return f'{folds} fold{"s" * (folds != 1)}, {seeds} seed{"s" * (seeds != 1)}'


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ('mmcomp', 'torch', 'mmengine', 'mmpretrain', 'numpy', 'scikit-learn'):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = 'from a checkout'
    return found
