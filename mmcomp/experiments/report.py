"""Writing the report of an experiment: tables, figures, one page."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from mmcomp.evaluation import statistics

from .collect import Results, collect, seeds_and_folds
from .paper import PAPER_COLUMNS, title
from .plots import all_figures, as_data_uri

TABLE_FILE = 'table.md'
OTHER_DATA = 'paper, % (other data)'


def write_report(
    folders: Sequence[Path],
    out: Path | None = None,
    best_test_epoch: bool = False,
    figures: bool = True,
) -> str:
    """Write ``table.md``, ``table.csv``, ``summary.json``, ``report.html``, figures.

    Args:
        folders: Folders of experiments on the same data.
        out: Where to write. Defaults to ``report`` in the first folder.
        best_test_epoch: Add the column 'best test epoch (not valid)'.
        figures: Also write each figure as a PNG file of its own.

    Returns:
        str: The table in Markdown, and where the report lies.

    Raises:
        ValueError: If there is nothing to report, or the folders do not go together.
    """
    results = collect(folders, best_test_epoch)
    out = Path(out or Path(folders[0], 'report'))
    out.mkdir(parents=True, exist_ok=True)
    table = headline_table(results)
    markdown = table.to_markdown(index=False, disable_numparse=True)
    notes = protocol(results)
    variants = variant_tables(results)
    text = '\n'.join([markdown, '', *(f'- {note}' for note in notes), ''])
    for heading, lines in variants.items():
        lines = lines.to_markdown(index=False, disable_numparse=True)
        text += f'\n{heading}:\n\n{lines}\n'
    _write(out / TABLE_FILE, text)
    _write(out / 'table.csv', pd.DataFrame(results.rows).to_csv(index=False))
    _write(out / 'summary.json', json.dumps(summary(results), indent=1) + '\n')
    pictures = all_figures(results)
    if figures:
        for name, png in pictures.items():
            (out / f'{name}.png').write_bytes(png)
    _write(out / 'report.html', html(results, table, notes, variants, pictures))
    return f'{text}\nreport: {out / "report.html"}'


def headline_table(results: Results) -> pd.DataFrame:
    """The rows that a person reads first, as strings."""
    lines = []
    known = any(row.get('paper') is not None for row in results.rows)
    several = any(row['seeds'] > 1 for row in results.rows)
    for row in results.rows:
        line = {
            'network': row['title'],
            **_error_cells(row),
            'UAR, %': f'{100 * row["uar"]:.2f}',
            'AUC, %': f'{100 * row["auc"]:.2f}',
        }
        if several:
            deviation = row['seed_sd']
            line['sd of seeds'] = '' if deviation is None else f'{100 * deviation:.2f}'
        for key in ('baseline', 'best'):
            other = row.get(f'{key}_model')
            if other is not None:
                p = row.get(f'{key}_permutation_p_holm')
                line[f'p against {title(other)}'] = '' if p is None else _p(p)
        if known:
            paper = row['paper']
            line[OTHER_DATA] = '' if paper is None else f'{paper:.2f}'
        if 'best_test_epoch' in row:
            best = row['best_test_epoch']
            line['best test epoch (not valid)'] = '' if best is None else f'{best:.2f}'
        lines.append(line)
    plain = results.plain
    if len(plain):
        empty = dict.fromkeys(lines[0], '')
        majority = statistics.majority_error(plain)
        lines.append(
            {**empty, 'network': 'majority class', 'error, %': f'{100 * majority:.2f}'}
        )
        oracle = results.data.get('oracle')
        if oracle:
            wrong, total = oracle['wrong'], oracle['total']
            lines.append(
                {
                    **empty,
                    'network': 'oracle (true coefficients)',
                    'error, %': f'{100 * wrong / total:.2f}',
                    'wrong/total': f'{wrong}/{total}',
                }
            )
    return pd.DataFrame(lines)


def variant_tables(results: Results) -> dict[str, pd.DataFrame]:
    """Audits, learning curve and misalignment as strings, by heading; what there is."""
    kinds = {
        'Audits': ('audit', 'audit', results.audits),
        'Learning curve': ('subjects', 'training subjects', results.curve),
        'Misalignment': ('pixels', 'apex moved by, pixels', results.jitter),
    }
    tables = {}
    for heading, (key, name, rows) in kinds.items():
        lines = [
            {
                'network': row['title'],
                name: row[key] if key == 'audit' else f'{row[key]:g}',
                **_error_cells(row),
            }
            for row in rows
        ]
        if lines:
            tables[heading] = pd.DataFrame(lines)
    return tables


def _error_cells(row: dict) -> dict[str, str]:
    return {
        'error, %': f'{100 * row["error"]:.2f}',
        'wrong/total': f'{row["wrong"]}/{row["total"]}',
        '95 % over subjects': _range(row['bootstrap_low'], row['bootstrap_high']),
    }


def protocol(results: Results) -> list[str]:
    """What was done, in words."""
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
        f'Protocol: {split}; done: {seeds_and_folds(results)}. No subject is on both '
        'sides of a split.',
        'Nothing was selected on test subjects: fixed epochs, last weights; the SVM of '
        'a stack is fitted on training subjects.',
        'Errors are pooled: wrong over all test pairs of all folds, mean over seeds. '
        'Intervals draw whole subjects again (bootstrap). p values: permutation test '
        'that exchanges two networks on whole subjects, corrected by Holm; exact '
        'McNemar tests stand in table.csv.',
    ]
    if data.get('synthetic'):
        notes.insert(
            1,
            'These faces are rendered. The figures say that the pipeline works; they '
            'say nothing about people.',
        )
    if data.get('name') in PAPER_COLUMNS:
        notes.append(
            "The paper's errors are on its own database, which has this size; they "
            'are no target for other data.'
        )
    if settings.cfg_options:
        notes.append(f'Options: {settings.cfg_options}.')
    if results.missing:
        notes.append(f'NOT COMPLETE: {results.missing} runs are missing.')
    if len(results.costs):
        notes.append(_cost_note(results.costs))
    versions = ', '.join(f'{k} {v}' for k, v in results.versions.items())
    seeds = ', '.join(map(str, settings.seeds))
    notes.append(f'Seeds {seeds}; {versions}.')
    return notes


def _cost_note(costs: pd.DataFrame) -> str:
    """Where the time of the runs went, in words."""
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
        f'Time: {len(costs)} runs took {total / 60:.1f} minutes of processes, the '
        f'median one {costs["total"].median():.0f} s: {", ".join(shares)}, '
        f'audits of misalignment, files and logs {rest:.1%}.'
    )


def summary(results: Results) -> dict:
    """All figures, for programs."""
    data = {k: v for k, v in results.data.items() if k != 'columns'}
    return _plain(
        dict(
            settings=vars(results.settings),
            data=data,
            rows=results.rows,
            audits=results.audits,
            learning_curve=results.curve,
            jitter=results.jitter,
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
    pictures: dict[str, bytes],
) -> str:
    """The page, with its pictures inside."""
    environment = Environment(
        loader=PackageLoader('mmcomp.experiments'),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template('report.html.j2').render(
        heading=results.data.get('name') or Path(results.data['table']).name,
        table=table,
        best=min((row['error'] for row in results.rows), default=None),
        rows=results.rows,
        notes=notes,
        variants=variants,
        pictures={name: as_data_uri(png) for name, png in pictures.items()},
        synthetic=results.data.get('synthetic'),
        missing=results.missing,
    )


def _range(low: float, high: float) -> str:
    return f'{100 * low:.1f} to {100 * high:.1f}'


def _p(value: float) -> str:
    return '< .001' if value < 0.001 else f'{value:.3f}'.lstrip('0')


def _plain(value):
    """NumPy's numbers and NaN as JSON has them."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding='utf-8')
