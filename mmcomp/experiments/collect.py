"""Read the folders of an experiment and compute the numbers of its report."""

import contextlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pandas as pd

from mmcomp.columns import (
    CONTROL,
    FOLD,
    ID,
    LABEL,
    MEMBER,
    MODEL,
    PREDICTED,
    SEED,
    SHIFT,
    SUBJECT,
    TRAIN_SUBJECTS,
)
from mmcomp.evaluation import statistics
from mmcomp.evaluation.prediction_table import (
    join_prediction_tables,
    read_prediction_table,
    score_classes,
)
from mmcomp.evaluation.statistics import PairedTest

from .driver import DATA_FILE
from .paper import BASELINE, display_name, in_paper_order, paper_error
from .plan import (
    COSTS_FILE,
    ExperimentSettings,
    Run,
    make_runs,
    unfinished,
)
from .record import differences, read_inputs, read_settings
from .results import NetworkResult, PairedResult, Results, VariantResult, select


def collect(folders: Sequence[Path], best_test_epoch: bool = False) -> Results:
    """Read the tables of experiments on the same data and compute their numbers.

    Args:
        folders: Folders of :func:`run_experiment`; one report shows them all.
        best_test_epoch: Add what choosing the epoch on the test fold would claim.

    Raises:
        ValueError: If a folder holds no experiment, none of its runs is done, the
            folders are of other data or splits, or a table is not as the run wrote it.
    """
    folders = [Path(folder) for folder in folders]
    settings = [read_settings(folder) for folder in folders]
    data = [json.loads((f / DATA_FILE).read_text(encoding='utf-8')) for f in folders]
    for folder, own in zip(folders, data):
        if 'samples' not in own:
            raise ValueError(
                f'{folder / DATA_FILE}: does not list the tested pairs, as earlier '
                'versions did not; run the experiment in another --work-dir'
            )
    _check_comparable(folders, settings, data)
    runs = [make_runs(s, d['folds']) for s, d in zip(settings, data)]
    missing = [set(unfinished(own, folder)) for own, folder in zip(runs, folders)]
    tables: list[tuple[str | Path, pd.DataFrame]] = []
    for folder, own, own_data, rest in zip(folders, runs, data, missing):
        for run in (run for run in own if run not in rest):
            for path in sorted((folder / run.folder).glob('*.csv')):
                tables.append((path, read_prediction_table(path)))
                _check_whole(*tables[-1], run, own_data)
    if not tables:
        raise ValueError(f'no run of {", ".join(map(str, folders))} is done yet')
    table = join_prediction_tables(tables)
    results = Results(
        settings=replace(
            settings[0], seeds=sorted({*chain(*(s.seeds for s in settings))})
        ),
        data=data[0],
        table=table,
        classes=score_classes(table),
        networks=[],
        controls=_variants(table, CONTROL),
        curve=_variants(table, TRAIN_SUBJECTS),
        shift=_variants(table, SHIFT),
        missing=sum(map(len, missing)),
        costs=_costs(folders, runs),
        best_test_epoch=best_test_epoch,
        versions=_versions(),
    )
    results.networks = _networks(results)
    if best_test_epoch:
        for network in results.networks:
            network.best_test_epoch = _best_test_epoch(folders, runs, network.model)
    return results


def _check_comparable(
    folders: Sequence[Path],
    settings: Sequence[ExperimentSettings],
    data: Sequence[dict[str, Any]],
) -> None:
    """Refuse experiments whose results do not belong into one report."""
    if len(folders) < 2:
        return
    inputs = [read_inputs(folder) for folder in folders]
    for i, j in combinations(range(len(folders)), 2):
        common = inputs[i]['files'].keys() & inputs[j]['files'].keys()
        a, b = (
            {**own, 'files': {path: own['files'][path] for path in common}}
            for own in (inputs[i], inputs[j])
        )
        if other := differences(a, b):
            raise ValueError(
                f'{folders[i]} and {folders[j]} must agree in one report: {other} '
                f'(now: in {folders[j]})'
            )
        if data[i]['digest'] != data[j]['digest']:
            raise ValueError(
                f'the pairs of {data[i]["table"]} in {folders[i]} and of '
                f'{data[j]["table"]} in {folders[j]} differ; they must be the same in '
                'all folders'
            )
        for what, x, y in (
            ('classes', data[i]['classes'], data[j]['classes']),
            ('split', settings[i].split, settings[j].split),
            ('n_splits', settings[i].n_splits, settings[j].n_splits),
            ('split_seed', settings[i].split_seed, settings[j].split_seed),
            ('cfg_options', settings[i].cfg_options, settings[j].cfg_options),
        ):
            if x != y:
                raise ValueError(
                    f'{what} is {x!r} in {folders[i]} and {y!r} in {folders[j]}; it '
                    'must be the same in all folders'
                )


def _check_whole(path: str | Path, table: pd.DataFrame, run: Run, data: dict) -> None:
    """Refuse a table that does not have exactly the pairs that the run tested."""
    expected = {
        sample: (subject, label)
        for sample, (subject, label, fold) in data['samples'].items()
        if fold == run.fold
    }
    found = dict(zip(table[ID], zip(table[SUBJECT], table[LABEL])))
    fault = ''
    if missing := expected.keys() - found.keys():
        fault = (
            f'{len(missing)} of the {len(expected)} test pairs of fold {run.fold} are '
            f'missing, such as {min(missing)!r}'
        )
    elif other := [name for name, own in found.items() if own != expected.get(name)]:
        fault = f'{other[0]!r} is no test pair of fold {run.fold}, or was another one'
    elif set(zip(table[FOLD], table[SEED])) != {(run.fold, run.seed)}:
        fault = f'{FOLD} and {SEED} must be {run.fold} and {run.seed}'
    elif score_classes(table) != data['classes']:
        fault = f'the classes are {score_classes(table)}, of the data {data["classes"]}'
    if fault:
        raise ValueError(
            f'{path}: {fault}; the file has been changed: delete {Path(path).parent} '
            'and start the experiment again'
        )


def _networks(results: Results) -> list[NetworkResult]:
    """Return the numbers of each network, and its comparisons with two of them."""
    tables = {str(name): own for name, own in results.plain.groupby(MODEL)}
    networks = [
        NetworkResult(
            name,
            display_name(name),
            statistics.summarize(tables[name], results.classes),
            paper_error(name, results.data.get('name')),
            _median_seconds(results.costs, name),
        )
        for name in in_paper_order(tables)
    ]
    if networks:
        best = min(networks, key=lambda network: network.numbers.error).model
        for key, other in (('baseline', BASELINE), ('best', best)):
            if other in tables:
                found = _compare_with(other, tables)
                for network in networks:
                    network.comparisons[key] = found[network.model]
    return networks


def _compare_with(
    other: str, tables: dict[str, pd.DataFrame]
) -> dict[str, PairedResult]:
    """Compare each network with one of them, corrected by Holm."""
    tests: dict[str, PairedTest] = {}
    for name in in_paper_order(tables):
        # ValueError: not the same samples yet, in an experiment that is not finished
        if name != other:
            with contextlib.suppress(ValueError):
                tests[name] = statistics.compare(tables[name], tables[other])
    mcnemar = statistics.holm([test.mcnemar_p for test in tests.values()])
    permutation = statistics.holm([test.permutation_p for test in tests.values()])
    found = {name: PairedResult(other) for name in tables}
    for (name, test), *p in zip(tests.items(), mcnemar, permutation):
        found[name] = PairedResult(other, test, *map(float, p))
    return found


def _variants(table: pd.DataFrame, column: str) -> list[VariantResult]:
    """Return error and interval of each network and value of a kind of variant."""
    results = []
    for (model, value), own in select(table, column).groupby([MODEL, column]):
        name = str(model)
        interval = statistics.bootstrap_interval(own)
        results.append(
            VariantResult(
                model=name,
                title=display_name(name),
                column=column,
                value=value,
                member=bool((own[MEMBER] != '').all()),
                wrong=int(statistics.is_wrong(own).sum()),
                total=len(own),
                bootstrap_low=interval.low,
                bootstrap_high=interval.high,
            )
        )
    order = in_paper_order(dict.fromkeys(result.model for result in results))
    return sorted(results, key=lambda result: (order.index(result.model), result.value))


def _costs(folders: Sequence[Path], runs: Sequence[Sequence[Run]]) -> pd.DataFrame:
    paths = [(run, f / run.folder) for f, own in zip(folders, runs) for run in own]
    found = [(run, p / COSTS_FILE) for run, p in paths if (p / COSTS_FILE).is_file()]
    rows = [json.loads(path.read_text(encoding='utf-8')) for _, path in found]
    return pd.DataFrame(rows, index=[run for run, _ in found])


def _median_seconds(costs: pd.DataFrame, model: str) -> float | None:
    own = [run.is_plain and run.model == model for run in costs.index]
    return float(costs['total'][own].median()) if any(own) else None


def _best_test_epoch(
    folders: Sequence[Path], runs: Sequence[Sequence[Run]], model: str
) -> float | None:
    """Return the error in percent if each fold chose its epoch on its test subjects."""
    wrong = total = 0
    plain = (
        folder / run.folder
        for folder, own in zip(folders, runs)
        for run in own
        if run.is_plain and run.model == model
    )
    for log in (log for p in plain for log in p.glob('*/vis_data/scalars.json')):
        lines = [json.loads(line) for line in log.read_text('utf-8').splitlines()]
        counts = [x for x in lines if 'pair/wrong' in x]
        if len(counts) > 1:
            wrong += min(x['pair/wrong'] for x in counts)
            total += counts[0]['pair/total']
    return 100 * wrong / total if total else None


def fold_errors(results: Results) -> pd.DataFrame:
    """Return the error of each network (rows) in each fold (columns)."""
    plain = results.plain.assign(wrong=statistics.is_wrong(results.plain))
    return plain.pivot_table(index=MODEL, columns=FOLD, values='wrong', aggfunc='mean')


def errors_by_column(results: Results) -> dict[str, pd.DataFrame]:
    """Return the error of each network within each value of each further column.

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
    """Return counts of label (rows) and prediction (columns) of one network."""
    own = results.plain[results.plain[MODEL] == name]
    counts = pd.crosstab(own[LABEL], own[PREDICTED])
    return counts.reindex(index=results.classes, columns=results.classes, fill_value=0)


def seeds_and_folds(results: Results) -> str:
    """Return how many folds and seeds the table has, in words."""
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
