"""Training curves of runs, from the logs in their work folders."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mmcomp.files import EXPERIMENT_FILE, walk

from .style import SOFT, draw_legend, draw_title, styled

LOG = Path('vis_data', 'scalars.json')
METRICS = ('loss', 'lr', 'pair/error_rate')
NAMES = {
    'loss': 'training loss (stacks: sum of members)',
    'lr': 'learning rate',
    'pair/error_rate': 'error on tested subjects, %',
}


@dataclass(frozen=True)
class Curves:
    """The training log of one run.

    Attributes:
        network (str): The network's name; runs of one network share a colour.
        folder (Path): The run's folder.
        table (DataFrame): A row for each epoch, a column for each metric.
    """

    network: str
    folder: Path
    table: pd.DataFrame


def read_curves(folders: Sequence[Path]) -> list[Curves]:
    """Read the curves of all runs in or below some folders, such as an experiment's.

    A resumed run counts as one run; of each epoch, the last log is used.

    Raises:
        ValueError: If a folder holds no log, or a log cannot be read.
    """
    logs: dict[Path, list[Path]] = {}
    for folder in map(Path, folders):
        inside = walk(folder.resolve()) if folder.is_dir() else ()
        found = [path for f in inside if (path := f / LOG).is_file()]
        if not found:
            raise ValueError(f'{folder}: no training log (*/{LOG}) in or below it')
        for path in found:  # RUN/TIME/vis_data/scalars.json
            logs.setdefault(path.parents[2], []).append(path)
    return [
        Curves(_network(run), run, pd.concat(map(_read, paths)).groupby(level=0).last())
        for run, paths in logs.items()
    ]


def mean_curves(runs: Sequence[Curves], metric: str) -> dict[str, pd.Series]:
    """Return the mean over the runs of each network, at epochs common to all."""
    found: dict[str, list[pd.Series]] = {}
    for run in runs:
        if metric in run.table:
            found.setdefault(run.network, []).append(run.table[metric].dropna())
    return {
        network: pd.concat(own, axis=1, join='inner').mean(axis=1)
        for network, own in found.items()
    }


@styled()
def curves_figure(
    runs: Sequence[Curves],
    metrics: Sequence[str] | None = None,
    heading: str = '',
    note: str = '',
) -> Figure:
    """Draw a panel for each metric: thin lines for runs, thick lines for means.

    Args:
        runs: As :func:`read_curves` returns them.
        metrics: Columns. Defaults to those of ``METRICS`` that were logged.
        heading, note (str): Texts above the picture.

    Raises:
        ValueError: If a given metric was not logged.
    """
    known = sorted({str(column) for run in runs for column in run.table})
    missing = [metric for metric in metrics or () if metric not in known]
    if missing:
        raise ValueError(
            f'metrics include {", ".join(map(repr, missing))}; they must be logged '
            f'ones: {", ".join(known)}'
        )
    metrics = metrics or [metric for metric in METRICS if metric in known]
    networks = list(dict.fromkeys(run.network for run in runs))
    colors = matplotlib.colormaps['tab10' if len(networks) <= 10 else 'turbo']
    shades = np.arange(len(networks)) * colors.N // max(10, len(networks))
    color = dict(zip(networks, colors(shades)))
    last = max(run.table.index.max() for run in runs)
    columns = min(3, len(metrics))
    rows = -(-len(metrics) // columns)
    legend_rows = -(-len(networks) // 4)
    height = rows * 2.9 + 0.55 + 0.2 * legend_rows
    figure = Figure(figsize=(max(3.7 * columns, 5.5), height))
    draw_title(figure, heading, note)
    panels = figure.subplots(rows, columns, squeeze=False)
    figure.subplots_adjust(
        0.07, (0.5 + 0.2 * legend_rows) / height, 0.99, 1 - 0.8 / height, 0.25, 0.45
    )
    for axes in panels.flat[len(metrics) :]:
        axes.axis('off')
    for axes, metric in zip(panels.flat, metrics):
        for run in runs:
            if metric in run.table:
                _draw(axes, run.table[metric].dropna(), color[run.network], thin=True)
        for network, mean in mean_curves(runs, metric).items():
            _draw(axes, mean, color[network], thin=False)
        axes.set_title(NAMES.get(metric, metric), loc='left')
        axes.set_xlabel('epoch', color=SOFT)
        axes.set_ylim(bottom=0)
        axes.set_xlim(0, 1.03 * last)
        axes.grid(axis='y', color='#e4e7eb', linewidth=0.7)
        axes.set_axisbelow(True)
    handles = [
        matplotlib.lines.Line2D([], [], color=color[name], linewidth=2)
        for name in networks
    ]
    style = dict(loc='lower left', ncols=4, frameon=False, fontsize=8)
    draw_legend(figure, handles, networks, **style)
    return figure


def _draw(axes, values: pd.Series, color, thin: bool) -> None:
    marker = 'o' if len(values) == 1 else ''
    style = dict(alpha=0.3, linewidth=0.8) if thin else dict(linewidth=1.8)
    axes.plot(values.index, values, color=color, marker=marker, markersize=4, **style)


def _network(run: Path) -> str:
    """Return the network of a run; in an experiment, the folder above the fold's."""
    folders = run.parents  # EXPERIMENT/runs/NETWORK/FOLD
    inside = len(folders) > 2 and (folders[2] / EXPERIMENT_FILE).is_file()
    return run.parent.name if inside else run.name


def _read(path: Path) -> pd.DataFrame:
    """Return the epoch means of one log; an incomplete last line is ignored."""
    lines = path.read_text(encoding='utf-8').splitlines()
    records = []
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            record['epoch'] = record.get('epoch', record['step'])
        except (ValueError, KeyError, TypeError, AttributeError):
            if number < len(lines):
                raise ValueError(
                    f'{path}, line {number}: not a log of MMEngine'
                ) from None
        else:
            records.append(record)
    table = pd.DataFrame(records, columns=None if records else ['epoch'])
    table = table.drop(columns=['iter', 'step'], errors='ignore')
    return table.groupby('epoch').mean(numeric_only=True)
