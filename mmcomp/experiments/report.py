"""Write the report of an experiment: tables, plots, one page."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from mmcomp.columns import ID, LABEL
from mmcomp.evaluation import majority_error, statistics
from mmcomp.files import write_bytes, write_text
from mmcomp.visualization.style import encode

from .collect import collect, seeds_and_folds
from .markdown import markdown_table, one_line
from .paper import PAPER_COLUMNS, display_name, footnotes
from .plots import all_plots, as_data_uri
from .results import NetworkResult, Results, VariantResult

TABLE_FILE = 'table.md'
OTHER_DATA = 'paper, % (other data)'
TIME = 'time of a run, s'
RENDERED = (
    'These faces are rendered. The numbers show that the pipeline works; they say '
    'nothing about people.'
)


def write_report(
    folders: Sequence[Path],
    out: Path | None = None,
    best_test_epoch: bool = False,
    suffix: str = '.png',
) -> str:
    """Write ``table.md``, ``table.csv``, ``summary.json``, ``report.html``, plots.

    Args:
        folders: Folders of experiments on the same data.
        out: Where to write. Defaults to ``report`` in the first folder.
        best_test_epoch: Add the column 'best test epoch (not valid)'.
        suffix: Format of the plots' own files: '.png', '.pdf' or '.svg'.

    Returns:
        str: The table in Markdown, and the path of the report.

    Raises:
        ValueError: If there is nothing to report, or folders differ in data or split.
    """
    results = collect(folders, best_test_epoch)
    out = Path(out or Path(folders[0], 'report'))
    out.mkdir(parents=True, exist_ok=True)
    table = headline_table(results)
    notes = protocol(results)
    variants = variant_tables(results)
    items = [f'- {one_line(note)}' for note in notes]
    text = '\n'.join([markdown_table(table), '', *items, ''])
    for heading, lines in variants.items():
        text += f'\n{heading}:\n\n{markdown_table(lines)}\n'
    write_text(out / TABLE_FILE, text)
    write_text(out / 'table.csv', pd.DataFrame(_rows(results)).to_csv(index=False))
    write_text(out / 'summary.json', json.dumps(summary(results), indent=1) + '\n')
    pictures = all_plots(results)
    for name, figure in pictures.items():
        write_bytes(out / f'{name}{suffix}', encode(figure, suffix))
    write_text(out / 'report.html', html(results, table, notes, variants, pictures))
    return f'{text}\nreport: {out / "report.html"}'


def headline_table(results: Results) -> pd.DataFrame:
    """Return the rows that a person reads first, as strings."""
    lines = []
    known = any(network.paper is not None for network in results.networks)
    several = any(network.numbers.seeds > 1 for network in results.networks)
    timed = any(network.seconds is not None for network in results.networks)
    marks = _footnotes(results)
    for network in results.networks:
        numbers = network.numbers
        line = {
            'method': network.title,
            **_error_cells(numbers),
            'UAR, %': f'{100 * numbers.uar:.2f}',
            'AUC, %': f'{100 * numbers.auc:.2f}',
        }
        if several:
            deviation = numbers.seed_sd
            line['sd of seeds'] = '' if deviation is None else f'{100 * deviation:.2f}'
        for comparison in network.comparisons.values():
            p = comparison.permutation_p_holm
            heading = f'p against {display_name(comparison.other)}'
            line[heading] = '' if p is None else _p(p)
        if known:
            mark, _ = marks.get(network.model, ('', ''))
            line[OTHER_DATA] = f'{_or_dash(network.paper)} {mark}'.rstrip()
        if timed:
            line[TIME] = _or_dash(network.seconds, 1)
        if results.best_test_epoch:
            line['best test epoch (not valid)'] = _or_dash(network.best_test_epoch)
        lines.append(line)
    plain = results.plain
    if len(plain):
        empty = dict.fromkeys(lines[0], '')
        majority = majority_error(plain.drop_duplicates(ID)[LABEL])
        lines.append(
            {**empty, 'method': 'majority class', 'error, %': f'{100 * majority:.2f}'}
        )
        oracle = results.data.get('oracle')
        if oracle:
            wrong, total = oracle['wrong'], oracle['total']
            lines.append(
                {
                    **empty,
                    'method': 'oracle (true coefficients)',
                    'error, %': f'{100 * wrong / total:.2f}',
                    'errors/total': f'{wrong}/{total}',
                }
            )
    return pd.DataFrame(lines)


def variant_tables(results: Results) -> dict[str, pd.DataFrame]:
    """Return controls, learning curve and shifts as strings, by heading, if any."""
    kinds = {
        'Controls': ('control', results.controls),
        'Learning curve': ('training subjects', results.curve),
        'Shift': ('apex shifted by, pixels', results.shift),
    }
    tables = {}
    for heading, (name, variants) in kinds.items():
        lines = []
        for variant in variants:
            value = variant.value
            shown = value if isinstance(value, str) else f'{value:g}'
            line = {'method': variant.title, name: shown, **_error_cells(variant)}
            lines.append(line)
        if lines:
            tables[heading] = pd.DataFrame(lines)
    return tables


def _error_cells(numbers: statistics.Summary | VariantResult) -> dict[str, str]:
    low, high = 100 * numbers.bootstrap_low, 100 * numbers.bootstrap_high
    known = np.isfinite(high)
    return {
        'error, %': f'{100 * numbers.error:.2f}',
        'errors/total': f'{numbers.wrong}/{numbers.total}',
        '95 % over subjects': (
            f'{low:.1f} to {high:.1f}' if known else 'not available: one subject'
        ),
    }


def _or_dash(value: float | None, digits: int = 2) -> str:
    return '-' if value is None else f'{value:.{digits}f}'


def _footnotes(results: Results) -> dict[str, tuple[str, str]]:
    models = [network.model for network in results.networks]
    return footnotes(models, results.data.get('name'))


def protocol(results: Results) -> list[str]:
    """Return what was done, in words."""
    settings, data = results.settings, results.data
    split = (
        'leave one subject out'
        if settings.split == 'loso'
        else f'{settings.n_splits} folds by subject (seed {settings.split_seed})'
    )
    name = data.get('name') or Path(data['table']).name
    labels = ', '.join(f'{n} {label}' for label, n in sorted(data['labels'].items()))
    pairs, subjects = data['pairs'], data['subjects']
    notes = [
        f'Data: {name}, {pairs} pairs of {subjects} subjects ({labels}).',
        f'Protocol: {split}; done: {seeds_and_folds(results)}. No subject is in both '
        'the training and the test set.',
        'Nothing was selected on test subjects: networks are trained for a fixed '
        'number of epochs and their last weights are tested; all else is fitted and '
        'chosen on training subjects.',
        'Errors are pooled over the test pairs of all folds and averaged over seeds. '
        'Intervals are from a bootstrap over subjects. p values are from a permutation '
        'test that exchanges two methods on whole subjects, with Holm correction; '
        'table.csv has exact McNemar tests as well.',
    ]
    if data.get('synthetic'):
        notes.insert(1, RENDERED)
    if data.get('name') in PAPER_COLUMNS:
        notes.append(
            "The paper's errors are on its own database, which has the same size; do "
            'not compare them with errors on other data.'
        )
    notes += [f'{mark} {text}' for mark, text in _footnotes(results).values()]
    if settings.cfg_options:
        notes.append(f'Options: {settings.cfg_options}.')
    if results.missing:
        notes.append(f'NOT COMPLETE: {_missing(results)}.')
    if len(results.costs):
        notes.append(_cost_note(results.costs))
    versions = ', '.join(f'{k} {v}' for k, v in results.versions.items())
    seeds = ', '.join(map(str, settings.seeds))
    notes.append(f'Seeds {seeds}; {versions}.')
    return notes


def _cost_note(costs: pd.DataFrame) -> str:
    """Return what the time of the runs was spent on, in words."""
    total = costs['total'].sum()
    parts = {
        'training': 'training',
        'loading': 'loading data and building',
        'svm': 'fitting SVMs',
        'testing': 'testing',
    }
    spent = costs[list(parts)].sum()
    shares = [f'{name} {spent[key] / total:.1%}' for key, name in parts.items()]
    rest = 1 - spent.sum() / total
    return (
        f'Time: {len(costs)} runs took {total / 60:.1f} minutes in all, with a median '
        f'of {costs["total"].median():.0f} s: {", ".join(shares)}, '
        f'tests with a shifted apex, files and logs {rest:.1%}. The table has the '
        'median of each method; the members of a stack are trained in its runs.'
    )


def _missing(results: Results) -> str:
    one = results.missing == 1
    return '1 run is missing' if one else f'{results.missing} runs are missing'


def _rows(results: Results) -> list[dict[str, Any]]:
    return [network.as_row(results.best_test_epoch) for network in results.networks]


def summary(results: Results) -> dict[str, Any]:
    """Return all numbers, for programs."""
    data = {k: v for k, v in results.data.items() if k not in ('columns', 'samples')}
    return _plain(
        dict(
            settings=vars(results.settings),
            data=data,
            rows=_rows(results),
            controls=[variant.as_row() for variant in results.controls],
            learning_curve=[variant.as_row() for variant in results.curve],
            shift=[variant.as_row() for variant in results.shift],
            missing_runs=results.missing,
            seconds=results.costs.sum().to_dict(),
            versions=results.versions,
        )
    )


def html(
    results: Results,
    table: pd.DataFrame,
    notes: list[str],
    variants: dict[str, pd.DataFrame],
    pictures: dict[str, Figure],
) -> str:
    """Return the page, with its pictures inside."""
    environment = Environment(
        loader=PackageLoader('mmcomp.experiments'),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template('report.html.j2').render(
        heading=_data_name(results.data),
        table=table,
        best=_best(results.networks),
        networks=results.networks,
        notes=notes,
        variants=variants,
        pictures={name: as_data_uri(own) for name, own in pictures.items()},
        missing=_missing(results) if results.missing else '',
    )


def _data_name(data: dict[str, Any]) -> str:
    """Return the name of the data, or else of the table with the folders it is in."""
    return data.get('name') or '/'.join(Path(data['table']).parts[-3:])


def _best(networks: Sequence[NetworkResult]) -> float | None:
    return min((network.numbers.error for network in networks), default=None)


def _p(value: float) -> str:
    return '< .001' if value < 0.001 else f'{value:.3f}'.lstrip('0')


def _plain(value: Any) -> Any:
    """Return NumPy's numbers and NaN as JSON has them."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
