"""The figures of a report, as PNG."""

import base64
import textwrap

import matplotlib

matplotlib.use('Agg')
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mmcomp.columns import MODEL, SUBJECT
from mmcomp.evaluation import statistics
from mmcomp.visualization.style import ACCENT, INK, PALE, png, styled

from .collect import Results, confusion, errors_by_column, fold_errors
from .paper import in_paper_order, title


def all_figures(results: Results) -> dict[str, bytes]:
    """PNG of each figure that the experiment has data for, by name."""
    makers = dict(
        errors=errors_figure,
        confusion=confusion_figure,
        roc=roc_figure,
        folds=folds_figure,
        subjects=subjects_figure,
        columns=columns_figure,
        learning_curve=learning_curve_figure,
        jitter=jitter_figure,
    )
    with styled():
        figures = {name: make(results) for name, make in makers.items()}
        return {name: _png(fig) for name, fig in figures.items() if fig is not None}


def errors_figure(results: Results) -> Figure | None:
    """Error of each network with its interval, and the lines of majority and oracle."""
    rows = results.rows[::-1]
    if not rows:
        return None
    fig, ax = plt.subplots(figsize=(7, 0.35 * len(rows) + 1))
    y = np.arange(len(rows))
    errors = np.array([100 * row['error'] for row in rows])
    low = np.array([100 * row['bootstrap_low'] for row in rows])
    high = np.array([100 * row['bootstrap_high'] for row in rows])
    ax.hlines(y, low, high, color=PALE, linewidth=5)
    ax.plot(errors, y, 'o', color=ACCENT)
    for value, top, at in zip(errors, high, y):
        ax.annotate(f'{value:.2f}', (top, at), (5, 0), textcoords='offset points',
                    va='center', color=INK)  # fmt: skip
    ax.set_yticks(y, [row['title'] for row in rows])
    oracle = results.data.get('oracle')
    if oracle:
        ax.axvline(100 * oracle['wrong'] / oracle['total'], color='#3c8d5a', ls='--')
        ax.text(100 * oracle['wrong'] / oracle['total'], len(rows) - 0.4, ' oracle',
                color='#3c8d5a', va='bottom')  # fmt: skip
    ax.set_xlabel('error, % (bar: 95 % interval over subjects)')
    ax.set_xlim(left=0)
    return fig


def confusion_figure(results: Results) -> Figure | None:
    """Confusion matrix of each network."""
    names = [row['model'] for row in results.rows]
    if not names:
        return None
    columns = min(5, len(names))
    lines = -(-len(names) // columns)
    fig, axes = plt.subplots(
        lines, columns, figsize=(1.9 * columns, 2.2 * lines), squeeze=False
    )
    for ax in axes.flat[len(names) :]:
        ax.axis('off')
    for index, (ax, name) in enumerate(zip(axes.flat, names)):
        counts = confusion(results, name)
        share = counts.to_numpy() / np.maximum(
            counts.to_numpy().sum(1, keepdims=True), 1
        )
        ax.imshow(share, cmap='Blues', vmin=0, vmax=1)
        for (i, j), count in np.ndenumerate(counts.to_numpy()):
            dark = share[i, j] > 0.5
            ax.text(j, i, count, ha='center', va='center', color='w' if dark else INK)
        ticks = range(len(results.classes))
        short = [name[:5] for name in results.classes]
        bottom = index + columns >= len(names)
        ax.set_xticks(ticks, short if bottom else [''] * len(short))
        ax.set_yticks(ticks, short if index % columns == 0 else [''] * len(short))
        ax.set_title(title(name), fontsize=8)
    fig.supxlabel('predicted', fontsize=9)
    fig.supylabel('label', fontsize=9)
    fig.tight_layout()
    return fig


def roc_figure(results: Results) -> Figure | None:
    """ROC curves; for two classes only."""
    if len(results.classes) != 2 or not results.rows:
        return None
    fig, ax = plt.subplots(figsize=(5, 4.6))
    colors = plt.get_cmap('tab10')
    for index, row in enumerate(results.rows):
        own = results.plain[results.plain[MODEL] == row['model']]
        false, true = statistics.roc_points(own, results.classes[1])
        label = f'{row["title"]} ({100 * row["auc"]:.1f})'
        ax.plot(false, true, label=label, color=colors(index % 10), linewidth=1.3)
    ax.plot([0, 1], [0, 1], ':', color='#9aa5b1')
    ax.set_xlabel(f'{results.classes[0]} taken for {results.classes[1]}')
    ax.set_ylabel(f'{results.classes[1]} found')
    ax.legend(title='AUC, %', fontsize=7, frameon=False)
    return fig


def folds_figure(results: Results) -> Figure | None:
    """Error of each network in each fold."""
    table = fold_errors(results)
    if table.shape[1] < 2:
        return None
    return _heat_figure(table, 'fold', results)


def subjects_figure(results: Results) -> Figure | None:
    """Error of each subject, mean over all networks, sorted: who is hard."""
    plain = results.plain.assign(wrong=statistics.is_wrong(results.plain))
    table = plain.pivot_table(
        index=SUBJECT, columns=MODEL, values='wrong', aggfunc='mean'
    )
    if len(table) < 2:
        return None
    table = 100 * table.loc[table.mean(1).sort_values().index]
    fig, ax = plt.subplots(figsize=(max(5, min(11, 0.13 * len(table) + 2)), 3))
    x = np.arange(len(table))
    ax.vlines(x, table.min(1), table.max(1), color=PALE, linewidth=2)
    ax.plot(x, table.mean(1), 'o', color=ACCENT, markersize=3)
    if len(table) <= 40:
        ax.set_xticks(x, table.index, rotation=90, fontsize=7)
    ax.set_xlabel('subjects, sorted (dot: mean of all networks; line: their range)')
    ax.set_ylabel('error, %')
    return fig


def columns_figure(results: Results) -> Figure | None:
    """Error within each value of the pair table's further columns."""
    tables = {c: t for c, t in errors_by_column(results).items() if t.shape[1] > 1}
    if not tables:
        return None
    heights = [0.26 * len(results.rows) + 1.4] * len(tables)
    fig, axes = plt.subplots(
        len(tables), 1, figsize=(7, sum(heights)), squeeze=False, height_ratios=heights
    )
    for ax, (column, table) in zip(axes.flat, tables.items()):
        _heat(ax, table, column, results)
    fig.tight_layout()
    return fig


def learning_curve_figure(results: Results) -> Figure | None:
    """Error against the number of training subjects (Figure 4 of the paper)."""
    return _curve_figure(results.curve, 'subjects', 'training subjects')


def jitter_figure(results: Results) -> Figure | None:
    """Error against misalignment of the apex."""
    return _curve_figure(results.jitter, 'pixels', 'apex moved by, pixels')


def _curve_figure(rows: list[dict], key: str, label: str) -> Figure | None:
    if not rows:
        return None
    fig, ax = plt.subplots(figsize=(6, 3.8))
    table = pd.DataFrame(rows)
    colors = plt.get_cmap('tab10')
    stacked = table['model'].str.endswith('-svm').any()
    for index, (name, own) in enumerate(table.groupby('title', sort=False)):
        x, color = own[key], colors(index % 10)
        if stacked and '@' in name:  # a member: thin, so that its stack is seen
            ax.plot(x, 100 * own['error'], ':', label=name, color=color, linewidth=1)
            continue
        ax.plot(x, 100 * own['error'], 'o-', label=name, color=color, markersize=4)
        ax.fill_between(
            x,
            100 * own['bootstrap_low'],
            100 * own['bootstrap_high'],
            color=color,
            alpha=0.12,
            linewidth=0,
        )
    ax.set_xlabel(label)
    ax.set_ylabel('error, % (band: 95 % over subjects)')
    ax.set_ylim(bottom=0)
    ax.legend(frameon=False, fontsize=8, loc='center left', bbox_to_anchor=(1, 0.5))
    return fig


def _heat_figure(table: pd.DataFrame, label: str, results: Results) -> Figure:
    fig, ax = plt.subplots(figsize=(7, 0.3 * len(table) + 1))
    _heat(ax, table, label, results)
    return fig


def _heat(ax, table: pd.DataFrame, label: str, results: Results) -> None:
    """Errors in percent as a table with shades."""
    table = 100 * table.loc[in_paper_order(table.index)]
    values = table.to_numpy()
    top = max(np.nanmax(values), 1)
    ax.imshow(values, cmap='Oranges', vmin=0, vmax=top, aspect='auto')
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            color = 'w' if value > 0.7 * top else INK
            ax.text(j, i, f'{value:.1f}', ha='center', va='center', color=color,
                    fontsize=7)  # fmt: skip
    ax.set_yticks(range(len(table)), [title(name) for name in table.index])
    width = max(70 // table.shape[1], 5)  # letters that fit below a cell
    ticks = [textwrap.fill(str(name), width) for name in table.columns]
    ax.set_xticks(range(table.shape[1]), ticks)
    ax.set_xlabel(f'{label} (error, %)')
    for side in ('left', 'bottom'):
        ax.spines[side].set_visible(False)
    ax.tick_params(length=0)


def _png(fig: Figure) -> bytes:
    try:
        return png(fig)
    finally:
        plt.close(fig)


def as_data_uri(png: bytes) -> str:
    """A PNG as the source of an HTML image."""
    return 'data:image/png;base64,' + base64.b64encode(png).decode()
