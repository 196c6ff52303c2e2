"""The plots of a report."""

import base64
import textwrap
from itertools import groupby
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmcomp.columns import MODEL, SUBJECT
from mmcomp.evaluation import statistics
from mmcomp.visualization.style import ACCENT, INK, PALE, draw_legend, encode, styled

from .collect import confusion, errors_by_column, fold_errors
from .paper import display_name, in_paper_order
from .results import Results, VariantResult

#: Inches that a letter takes on an axis.
_LETTER = 0.075
#: Of curves, once the ten colours are used up.
_STYLES = '-', '--', '-.', ':'


@styled()
def all_plots(results: Results) -> dict[str, Figure]:
    """Return each plot that the experiment has data for, by name."""
    makers = dict(
        errors=errors_plot,
        confusion=confusion_plot,
        roc=roc_plot,
        folds=folds_plot,
        subjects=subjects_plot,
        columns=columns_plot,
        learning_curve=learning_curve_plot,
        shift=shift_plot,
    )
    plots = {name: make(results) for name, make in makers.items()}
    return {name: figure for name, figure in plots.items() if figure is not None}


def errors_plot(results: Results) -> Figure | None:
    """Plot the error of each network with its interval, and the oracle's."""
    networks = results.networks[::-1]
    if not networks:
        return None
    fig = Figure(figsize=(7, 0.35 * len(networks) + 1))
    ax = fig.subplots()
    y = np.arange(len(networks))
    numbers = [network.numbers for network in networks]
    errors = np.array([100 * own.error for own in numbers])
    low = np.array([100 * own.bootstrap_low for own in numbers])
    high = np.array([100 * own.bootstrap_high for own in numbers])
    ax.hlines(y, low, high, color=PALE, linewidth=5)
    ax.plot(errors, y, 'o', color=ACCENT)
    for value, top, at in zip(errors, np.fmax(errors, high), y):
        ax.annotate(f'{value:.2f}', (top, at), (5, 0), textcoords='offset points',
                    va='center', color=INK)  # fmt: skip
    ax.set_yticks(y, [network.title for network in networks])
    ax.set_ylim(-0.5, len(networks) - 0.5)
    oracle = results.data.get('oracle')
    if oracle:
        ax.axvline(100 * oracle['wrong'] / oracle['total'], color='#3c8d5a', ls='--')
        ax.text(100 * oracle['wrong'] / oracle['total'], len(networks) - 0.5, ' oracle',
                color='#3c8d5a', va='bottom')  # fmt: skip
    ax.set_xlabel('error, % (bar: 95 % interval over subjects)')
    ax.set_xlim(left=0)
    return fig


def confusion_plot(results: Results) -> Figure | None:
    """Plot the confusion matrix of each network."""
    names = [network.model for network in results.networks]
    if not names:
        return None
    labels = [textwrap.fill(name, 20) for name in results.classes]
    longest = max(len(line) for label in labels for line in label.split('\n'))
    side = max(1.3, 0.42 * len(labels))  # inches of a matrix
    words = 0.25 + _LETTER * longest  # and of the names of its classes
    columns = min(5 if side < 2 else 3, len(names))
    lines = -(-len(names) // columns)
    letters = int((side + 0.15) / _LETTER)
    titles = [textwrap.fill(display_name(name), letters) for name in names]
    head = 0.25 + 0.15 * max(title.count('\n') + 1 for title in titles)
    fig = Figure(
        figsize=(columns * (side + 0.15) + words, lines * (side + head) + words),
        layout='constrained',
    )
    axes = fig.subplots(lines, columns, squeeze=False)
    for ax in axes.flat[len(names) :]:
        ax.axis('off')
    turn = dict(rotation=45, ha='right', rotation_mode='anchor') if longest > 6 else {}
    for index, (ax, name) in enumerate(zip(axes.flat, names)):
        counts = confusion(results, name).to_numpy()
        share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        ax.imshow(share, cmap='Blues', vmin=0, vmax=1)
        for (i, j), count in np.ndenumerate(counts):
            ax.text(j, i, count, ha='center', va='center', fontsize=8,
                    color='w' if share[i, j] > 0.5 else INK)  # fmt: skip
        ticks = range(len(labels))
        bottom = index + columns >= len(names)
        ax.set_xticks(ticks, labels if bottom else [''] * len(labels), **turn)
        ax.set_yticks(ticks, labels if index % columns == 0 else [''] * len(labels))
        ax.tick_params(length=2, labelsize=8)
        ax.set_title(titles[index], fontsize=9)
    fig.supxlabel('predicted (shade: share of the pairs of a label)', fontsize=9)
    fig.supylabel('label', fontsize=9)
    return fig


def roc_plot(results: Results) -> Figure | None:
    """Plot ROC curves; for two classes only."""
    if len(results.classes) != 2 or not results.networks:
        return None
    fig = Figure(figsize=(5, 4.6))
    ax = fig.subplots()
    handles = []
    for index, network in enumerate(results.networks):
        own = results.plain[results.plain[MODEL] == network.model]
        false, true = statistics.roc_points(own, results.classes[1])
        handles += ax.plot(false, true, color=_color(index), linewidth=1.3,
                           linestyle=_STYLES[index // 10 % len(_STYLES)])  # fmt: skip
    handles += ax.plot([0, 1], [0, 1], ':', color='#9aa5b1')
    ax.set_xlabel(f'{results.classes[0]} predicted as {results.classes[1]}')
    ax.set_ylabel(f'{results.classes[1]} predicted as {results.classes[1]}')
    names = [f'{n.title} ({100 * n.numbers.auc:.1f})' for n in results.networks]
    names.append('chance (50.0)')
    style = dict(loc='center left', bbox_to_anchor=(1, 0.5))
    draw_legend(ax, handles, names, title='method (AUC, %)', **style)
    return fig


def folds_plot(results: Results) -> Figure | None:
    """Plot the error of each network in each fold."""
    table = fold_errors(results)
    if table.shape[1] < 2:
        return None
    return _heat_plot(table, 'fold')


def subjects_plot(results: Results) -> Figure | None:
    """Plot the error of each subject, mean and range over networks, sorted."""
    plain = results.plain.assign(wrong=statistics.is_wrong(results.plain))
    table = plain.pivot_table(
        index=SUBJECT, columns=MODEL, values='wrong', aggfunc='mean'
    )
    if len(table) < 2:
        return None
    table = 100 * table.loc[table.mean(axis=1).sort_values().index]
    fig = Figure(figsize=(max(5, min(11, 0.13 * len(table) + 2)), 3))
    ax = fig.subplots()
    x = np.arange(len(table))
    ax.vlines(x, table.min(axis=1), table.max(axis=1), color=PALE, linewidth=2)
    ax.plot(x, table.mean(axis=1), 'o', color=ACCENT, markersize=3)
    if len(table) <= 40:
        ax.set_xticks(x, table.index, rotation=90, fontsize=7)
    ax.set_xlabel('subjects, sorted (dot: mean of all methods; line: their range)')
    ax.set_ylabel('error, %')
    return fig


def columns_plot(results: Results) -> Figure | None:
    """Plot the error within each value of the pair table's further columns."""
    tables = {c: t for c, t in errors_by_column(results).items() if t.shape[1] > 1}
    if not tables:
        return None
    heights = [0.26 * len(results.networks) + 1.4] * len(tables)
    fig = Figure(figsize=(7, sum(heights)), layout='tight')
    axes = fig.subplots(len(tables), 1, squeeze=False, height_ratios=heights)
    for ax, (column, table) in zip(axes.flat, tables.items()):
        _heat(ax, table, f'{column} (number of pairs)')
    return fig


def learning_curve_plot(results: Results) -> Figure | None:
    """Plot the error against the number of training subjects (paper: Figure 4)."""
    return _curve_plot(results.curve, 'training subjects')


def shift_plot(results: Results) -> Figure | None:
    """Plot the error against the shift of the apex."""
    return _curve_plot(results.shift, 'apex shifted by, pixels')


def _color(index: int) -> Any:
    return matplotlib.colormaps['tab10'](index % 10)


def _curve_plot(variants: list[VariantResult], label: str) -> Figure | None:
    if not variants:
        return None
    fig = Figure(figsize=(6, 3.8))
    ax = fig.subplots()
    handles = []
    curves = [list(own) for _, own in groupby(variants, lambda v: v.model)]
    for index, own in enumerate(curves):
        x, color = [v.value for v in own], _color(index)
        errors = [100 * v.error for v in own]
        if own[0].member:  # thin, so that its stack is seen
            handles += ax.plot(x, errors, ':', color=color, linewidth=1)
            continue
        handles += ax.plot(x, errors, 'o-', color=color, markersize=4)
        ax.fill_between(
            x,
            [100 * v.bootstrap_low for v in own],
            [100 * v.bootstrap_high for v in own],
            color=color,
            alpha=0.12,
            linewidth=0,
        )
    ax.set_xlabel(label)
    ax.set_ylabel('error, % (band: 95 % over subjects)')
    ax.set_ylim(bottom=0)
    dotted = 'dotted: members of a stack' if any(v.member for v in variants) else ''
    style = dict(frameon=False, fontsize=8, loc='center left', bbox_to_anchor=(1, 0.5))
    names = [own[0].title for own in curves]
    draw_legend(ax, handles, names, title=dotted, **style)
    return fig


def _heat_plot(table: pd.DataFrame, label: str) -> Figure:
    fig = Figure(figsize=(7, 0.3 * len(table) + 1))
    ax = fig.subplots()
    _heat(ax, table, label)
    return fig


def _heat(ax: Axes, table: pd.DataFrame, label: str) -> None:
    """Draw errors in percent as a table with shades."""
    table = 100 * table.loc[in_paper_order(table.index)]
    values = table.to_numpy()
    top = max(np.nanmax(values), 50)  # shades do not enlarge small differences
    ax.imshow(values, cmap='Oranges', vmin=0, vmax=top, aspect='auto')
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            color = 'w' if value > 0.6 * top else INK
            ax.text(j, i, f'{value:.1f}', ha='center', va='center', color=color,
                    fontsize=7)  # fmt: skip
    ax.set_yticks(range(len(table)), [display_name(name) for name in table.index])
    width = max(70 // table.shape[1], 5)  # letters that fit below a cell
    ticks = [textwrap.fill(str(name), width) for name in table.columns]
    ax.set_xticks(range(table.shape[1]), ticks)
    ax.set_xlabel(label)
    ax.set_title('error, %', loc='left', fontsize=9)
    for side in ('left', 'bottom'):
        ax.spines[side].set_visible(False)
    ax.tick_params(length=0)


def as_data_uri(figure: Figure) -> str:
    """Return a figure as the source of an HTML image."""
    return 'data:image/png;base64,' + base64.b64encode(encode(figure)).decode()
