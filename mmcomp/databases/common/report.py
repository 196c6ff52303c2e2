"""The check report: the samples and problems of an index, counted."""

from collections import Counter
from statistics import median

from tabulate import tabulate

from mmcomp.columns import APEX, APEX_FRAME, EMOTION, LABEL, SUBJECT

from .index import LEFT_OUT, Index, Problem

EXAMPLES, LOST_EXAMPLES = 3, 10  # of each kind of problem


def check_report(index: Index) -> str:
    """Return counts by class, subject and emotion, notes, and examples of problems."""
    rows = index.rows
    pairs = sum(APEX in row for row in rows)
    spotted = sum(APEX_FRAME in row and APEX not in row for row in rows)
    subjects = {row[SUBJECT] for row in rows}
    blocks = [
        f'{index.database}: {len(rows)} samples of {len(subjects)} subjects; '
        f'{pairs} with images of onset and apex, {spotted} more with the number of the '
        f'apex, {len(rows) - pairs - spotted} to be spotted',
        _by_class(index),
    ]
    if any(EMOTION in row for row in rows):
        blocks.append(_by_emotion(index))
    blocks.append('\n'.join(f'note: {note}' for note in index.notes))
    blocks.append(_problems(index))
    blocks.append(f'Not ours: {index.credit}.')
    return '\n\n'.join(filter(None, blocks))


def _by_class(index: Index) -> str:
    """Return a line for each class, and one for all."""
    labels = sorted({row[LABEL] for row in index.rows})
    lines = []
    for name, chosen in [*((label, [label]) for label in labels), ('all', labels)]:
        counts = Counter(r[SUBJECT] for r in index.rows if r[LABEL] in chosen)
        values = sorted(counts.values())
        spread = f'{values[0]} / {median(values):g} / {values[-1]}'
        lines.append([name, sum(values), len(values), spread])
    headers = ['class', 'samples', 'subjects', 'per subject: min / median / max']
    return tabulate(lines, headers, disable_numparse=True, colalign=_align(3))


def _by_emotion(index: Index) -> str:
    labels = sorted({row[LABEL] for row in index.rows})
    counts = Counter((row.get(EMOTION, '-'), row[LABEL]) for row in index.rows)
    emotions = sorted({emotion for emotion, _ in counts})
    lines = [[e, *(counts[e, label] for label in labels)] for e in emotions]
    return tabulate(
        lines, ['emotion', *labels], disable_numparse=True, colalign=_align(len(labels))
    )


def _align(columns: int) -> list[str]:
    return ['left', *['right'] * columns]


def _problems(index: Index) -> str:
    """Return the rows of a table that gave no sample, and then all other problems."""
    if not index.problems:
        return 'no problems'
    lost_rows = set(index.lost_rows)
    lost = [p for p in index.problems if p.position in lost_rows and p.kind != LEFT_OUT]
    others = [p for p in index.problems if p not in lost]
    rows = len({p.position for p in lost})
    lines = []
    if lost:
        title = f'rows of the table that gave no sample: {rows} of '
        title += str(len(index.table_rows))
        lines += _examples(title, lost, LOST_EXAMPLES)
    if others:
        lines += _examples(f'{"other " * bool(lost)}problems: {len(others)}', others)
    return '\n'.join(lines)


def _examples(title: str, problems: list[Problem], shown: int = EXAMPLES) -> list[str]:
    lines = [title]
    for kind, count in Counter(p.kind for p in problems).most_common():
        lines.append(f'  {kind}: {count}')
        examples = [p for p in problems if p.kind == kind][:shown]
        lines += [f'      {p.position}: {p.reason}' for p in examples]
        if count > shown:
            lines.append(f'      ... and {count - shown} more')
    return lines
