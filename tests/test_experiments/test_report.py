"""The report of an experiment, from made-up prediction tables."""

import dataclasses
import json
import re
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt

from mmcomp.evaluation import statistics
from mmcomp.evaluation.prediction_table import (
    make_prediction_table,
    write_prediction_table,
)
from mmcomp.experiments.collect import collect
from mmcomp.experiments.driver import DATA_FILE, count_errors
from mmcomp.experiments.paper import PAPER_ROWS
from mmcomp.experiments.plan import ExperimentSettings, make_runs
from mmcomp.experiments.plots import (
    confusion_plot,
    errors_plot,
    folds_plot,
    learning_curve_plot,
    roc_plot,
)
from mmcomp.experiments.record import write_settings
from mmcomp.experiments.report import headline_table, protocol, write_report
from mmcomp.visualization.style import styled

pytestmark = pytest.mark.slow  # whole runs, files or clips

SUBJECTS, PAIRS, FOLDS = 12, 10, 3
CLASSES = ['posed', 'spontaneous']
CONFIGS = ['diffcnn.py', 'compcnn_sub-svm.py', 'compcnn_comb-svm.py']
NETWORKS = [
    'diffcnn',
    *(
        f'compcnn_{o}{end}'
        for o in ('sub', 'comb')
        for end in ('@1', '@2', '@3', '-svm')
    ),
]
#: From the paper's tables: errors on the subset, the full set, SPOS.
PEERS = {
    'Zhang et al. 2011': ('20.57', '-', '-'),
    'Zhang et al. 2011, pairs': ('-', '-', '-'),
    'Wu and Wang 2016': ('18.77', '-', '25.64'),
    'Wang, Wu and Ji 2016': ('10.99', '-', '23.93'),
    'Wang et al. 2015': ('8.37', '-', '25.21'),
    'Pfister et al. 2011, pairs': ('-', '-', '21.80'),
    'Gan et al. 2015': ('8.27', '20.30', '18.38'),
    'Difference + SVM': ('-', '-', '-'),
    'Displacement + SVM': ('-', '-', '-'),
}
FITTED = [name for name in PAPER_ROWS if name not in NETWORKS]


def predictions(model, fold, seed, rate, **variant):
    """What a network of this error rate says of the subjects of one fold."""
    rng = np.random.default_rng([len(model), fold, seed])
    rows = []
    for subject in range(fold, SUBJECTS, FOLDS):
        for pair in range(PAIRS):
            label = pair % 2
            said = 1 - label if rng.random() < rate else label
            score = 0.8 if said else 0.2
            rows.append(
                [f's{subject}-{pair}', f's{subject}', CLASSES[label], 1 - score, score]
                + [CLASSES[said], model, fold, seed]
            )
    columns = ['sample_id', 'subject', 'label', 'score_posed', 'score_spontaneous']
    columns += ['predicted', 'model', 'fold', 'seed']
    names = ['train_subjects', 'control', 'shift_px', 'stack', 'member']
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(**{**dict.fromkeys(names), **variant})


def make_experiment(
    folder, name='nvie-subset', lr=0.1, picture='bb', digest='aa', **settings
):
    """An experiment whose runs are done."""
    settings = {'configs': CONFIGS, **settings}
    settings = ExperimentSettings(n_splits=FOLDS, **settings)
    configs = {name[:-3]: {'lr': lr} for name in settings.configs}
    write_settings(settings, dict(configs=configs, files={'1.png': picture}), folder)
    emotions = ['anger', 'joy']
    data = dict(
        table='/data/pairs.csv',
        digest=digest,
        name=name,
        synthetic=True,
        classes=CLASSES,
        pairs=SUBJECTS * PAIRS,
        subjects=SUBJECTS,
        labels=dict(posed=60, spontaneous=60),
        folds=FOLDS,
        samples={
            f's{s}-{p}': (f's{s}', CLASSES[p % 2], s % FOLDS)
            for s in range(SUBJECTS)
            for p in range(PAIRS)
        },
        oracle=dict(wrong=3, total=120),
        columns=dict(
            emotion={
                f's{s}-{p}': emotions[p < 5]
                for s in range(SUBJECTS)
                for p in range(PAIRS)
            }
        ),
    )
    (folder / DATA_FILE).write_text(json.dumps(data))
    for run in make_runs(settings, FOLDS):
        base, variant = run.model, run.options['variant']
        members = (
            [f'{base[:-4]}@{i}' for i in (1, 2, 3)]
            if f'{base}.py' in CONFIGS[1:]
            else []
        )
        for member in ['', *members]:
            rate = {'diffcnn': 0.4}.get(member or base, 0.1)
            rate = 0.5 if run.control == 'onset-only' else rate
            stack = base if member else ''
            own = predictions(
                *(member or base, run.fold, run.seed, rate),
                **{**variant, 'stack': stack, 'member': member},
            )
            suffix = f'-{member}' if member else ''
            path = folder / run.folder / f'predictions{suffix}.csv'
            write_prediction_table(own, path)
    return folder


@pytest.mark.parametrize('names', [('None', 'null'), ('1', '01'), ('True', 'NA')])
def test_progress_counts_classes_of_any_name(tmp_path, names):
    """Half of the predictions are errors, whatever the classes are called."""
    (run,) = make_runs(ExperimentSettings(CONFIGS[:1], n_splits=1), 1)
    labels = np.array([0, 1, 0, 1])
    scores = np.array([[0.9, 0.1]] * 4)
    table = make_prediction_table(list('abcd'), list('abcd'), labels, scores, names)
    write_prediction_table(table, tmp_path / run.folder / 'predictions.csv')
    assert count_errors(tmp_path, run) == (2, 4)


def make_usual(folder):
    return make_experiment(folder, seeds=[0, 1], controls=['onset-only'])


@pytest.fixture
def experiment(tmp_path):
    return make_usual(tmp_path / 'an @ experiment')


@pytest.fixture(scope='module')
def reported(tmp_path_factory):
    """Such an experiment with its report, only to be read, and what was said."""
    folder = make_usual(tmp_path_factory.mktemp('reported') / 'an @ experiment')
    return folder, write_report([folder])


def test_nine_rows_in_the_papers_order(reported):
    experiment, text = reported
    table = pd.read_csv(experiment / 'report' / 'table.csv')
    rows = {name: PAPER_ROWS[name] for name in NETWORKS}
    assert table['model'].tolist() == NETWORKS
    assert table['title'].tolist() == [row.title for row in rows.values()]
    assert table['paper'].tolist() == [row.subset for row in rows.values()]
    paths = sorted(experiment.glob('runs/diffcnn/*/*.csv'))
    own = pd.concat(map(pd.read_csv, paths))
    first = table.iloc[0]
    assert first['wrong'] == (own['label'] != own['predicted']).sum()
    assert first['total'] == len(own) == 240
    line = next(line for line in text.splitlines() if line.startswith('| DiffCNN'))
    assert f'{first["wrong"]}/240' in line
    assert f'{100 * first["error"]:.2f}' in line
    assert '| majority class             | 50.00' in text
    assert '3/120' in text
    assert 'say nothing about people' in text


def test_names_do_not_break_tables_in_markdown(tmp_path):
    """A parser of Markdown finds the names in the first cell of each line."""
    names = [r'\c', r'a\|b', 'a|b', 'two\nlines']
    configs = [f'{name}.py' for name in names]
    folder = make_experiment(
        tmp_path / 'e', name='x|y\nz', configs=configs, controls=['onset-only']
    )
    write_report([folder], suffix='.svg')
    text = (folder / 'report' / 'table.md').read_text('utf-8')
    rows: list[list[str]] = []
    for token, inner in pairwise(MarkdownIt().enable('table').parse(text)):
        if token.type == 'tr_open':
            rows.append([])
        elif token.type in ('th_open', 'td_open'):
            rows[-1].append(re.sub(r'\\([\\|])', r'\1', inner.content))
    shown = [*names[:3], 'two lines']
    first = ['method', *shown, 'majority class', 'oracle (true coefficients)']
    assert [row[0] for row in rows] == [*first, 'method', *shown]
    assert [len(row) for row in rows] == 7 * [7] + 5 * [5]
    assert [row[1] for row in rows[8:]] == 4 * ['onset-only']
    assert '- Data: x|y z, 120 pairs' in text


def make_all(folder, name='nvie-subset'):
    configs = [*CONFIGS, *(f'{model}.py' for model in FITTED)]
    make_experiment(folder, name, configs=configs)
    for path in folder.glob('runs/*/*/predictions.csv'):
        model, fold = path.parts[-3:-1]
        seconds = {'diffcnn': 60, 'compcnn_sub-svm': 240}.get(model, 1.25)
        seconds *= {'fold00-seed0': 10, 'fold01-seed0': 0.5, 'fold02-seed0': 1}[fold]
        parts = dict.fromkeys(['loading', 'training', 'svm', 'testing'], seconds / 5)
        text = json.dumps({**parts, 'total': seconds})
        path.with_name('costs.json').write_text(text)
    return folder


@pytest.mark.parametrize(
    ('column', 'data', 'marked'),
    [
        (0, 'nvie-subset', {'Zhang et al. 2011': 'other images of the database'}),
        (1, 'nvie-full', {'Gan et al. 2015': 'ran the code of Gan et al.'}),
        (
            2,
            'spos',
            {
                'Pfister et al. 2011, pairs': 'infrared camera; that with visible',
                'Gan et al. 2015': '15.38, of the seed that was best on the test set',
            },
        ),
    ],
)
def test_peers_come_first_with_the_papers_figures(tmp_path, column, data, marked):
    results = collect([make_all(tmp_path / 'e', data)])
    table = headline_table(results)
    titles = table['method'].tolist()
    assert titles[:9] == list(PEERS)
    assert titles[9:18] == [PAPER_ROWS[name].title for name in NETWORKS]
    paper = dict(zip(titles, table['paper, % (other data)']))
    notes = [note for note in protocol(results) if note.startswith('(')]
    for title, figures in PEERS.items():
        figure, _, mark = paper[title].partition(' ')
        assert figure == figures[column]
        assert bool(mark) == (title in marked)
        if mark:
            (note,) = [note for note in notes if note.startswith(mark)]
            assert marked[title] in note
    assert len(notes) == len(marked)


def test_time_of_each_method(tmp_path):
    """The median of its folds; members of a stack have no runs of their own."""
    folder = make_all(tmp_path / 'e')
    control = make_experiment(
        *(tmp_path / 'control', 'nvie-subset'),
        configs=['diffcnn.py'],
        controls=['onset-only'],
        only_controls=True,
    )
    for path in control.glob('runs/*/*/predictions.csv'):
        path.with_name('costs.json').write_text('{"total": 7}')
    table = headline_table(collect([folder, control])).set_index('method')
    times = table['time of a run, s']
    assert times['DiffCNN'] == '60.0'
    assert times['Gan et al. 2015'] == '1.2'
    assert times['CompCNN-Sub-SVM'] == '240.0'
    assert times['CompCNN-Sub@1'] == '-'


def test_plots_of_all_rows_are_legible(tmp_path):
    results = collect([make_all(tmp_path / 'e')])
    with styled():
        figures = [plot(results) for plot in (confusion_plot, errors_plot, roc_plot)]
    for figure in figures:
        figure.draw_without_rendering()
    confusion, errors, roc = figures
    titles = [ax.title for ax in confusion.axes if ax.title.get_text()]
    assert len(titles) == 18
    boxes = [title.get_window_extent() for title in titles]
    boxes += [ax.get_window_extent() for ax in confusion.axes]
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    labels = [label.get_window_extent() for label in errors.axes[0].get_yticklabels()]
    assert not any(a.overlaps(b) for a, b in pairwise(labels))
    curves = roc.axes[0].get_lines()[:18]
    looks = {(line.get_color(), line.get_linestyle()) for line in curves}
    assert len(looks) == 18


def test_the_majority_class_counts_each_sample_once(reported):
    """60 samples of each class, though most networks here tested the same 60."""
    results = collect([reported[0]])
    few = (results.table['model'] == 'diffcnn') | (results.table['label'] == 'posed')
    rows = headline_table(dataclasses.replace(results, table=results.table[few]))
    row = rows.set_index('method').loc['majority class']
    assert row['error, %'] == '50.00'


def test_comparisons_are_holm_corrected(reported):
    experiment, _ = reported
    table = pd.read_csv(experiment / 'report' / 'table.csv').set_index('model')
    others = table.drop('diffcnn')
    corrected = statistics.holm(others['baseline_permutation_p'])
    np.testing.assert_allclose(others['baseline_permutation_p_holm'], corrected)
    assert (others['baseline_permutation_p'] < 0.01).all()  # 40 % against 10 %
    assert table.loc['diffcnn', 'baseline_permutation_p'] != 0
    best = table['best_model'].unique()
    assert best == [table['error'].idxmin()]


def test_page_holds_all_it_shows(reported):
    experiment, _ = reported
    page = (experiment / 'report' / 'report.html').read_text()
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    assert sources
    assert all(source.startswith('data:image/png;base64,') for source in sources)
    for name in NETWORKS:
        assert PAPER_ROWS[name].title in page
    assert 'onset-only' in page
    assert 'Not complete' not in page
    pictures = {p.stem for p in (experiment / 'report').glob('*.png')}
    assert pictures == {'errors', 'confusion', 'roc', 'folds', 'subjects', 'columns'}


def test_summary_is_json_for_programs(reported):
    experiment, _ = reported
    summary = json.loads((experiment / 'report' / 'summary.json').read_text())
    assert len(summary['rows']) == 9
    assert summary['missing_runs'] == 0
    control = [row for row in summary['controls'] if row['model'] == 'diffcnn']
    assert control[0]['control'] == 'onset-only'
    assert control[0]['total'] == 240
    assert len(summary['controls']) == 9


def test_unfinished_experiment_is_called_so(experiment):
    for path in experiment.glob('runs/diffcnn/fold00-seed0/*.csv'):
        path.unlink()
    text = write_report([experiment])
    assert 'NOT COMPLETE: 1 run is missing' in text
    page = (experiment / 'report' / 'report.html').read_text()
    assert 'Not complete: 1 run is missing' in page


def test_learning_curve(tmp_path):
    folder = make_experiment(tmp_path / 'e', train_subjects=[2, 4, 8])
    write_report([folder], out=tmp_path / 'out')
    summary = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    sizes = [
        r['train_subjects']
        for r in summary['learning_curve']
        if r['model'] == 'diffcnn'
    ]
    assert sizes == [2, 4, 8]
    assert (tmp_path / 'out' / 'learning_curve.png').exists()
    assert summary['rows'] == []


@pytest.mark.slow
def test_best_test_epoch_only_on_request_and_labelled(experiment):
    assert 'not valid' not in write_report([experiment])
    for fold in range(FOLDS):
        folder = experiment / 'runs' / 'diffcnn' / f'fold0{fold}-seed0'
        log = folder / '20260101_000000' / 'vis_data' / 'scalars.json'
        log.parent.mkdir(parents=True)
        log.write_text(
            '{"loss": 1}\n'
            + '\n'.join(
                json.dumps({'pair/wrong': wrong, 'pair/total': 40, 'step': i})
                for i, wrong in enumerate([9, 5 + fold, 8])
            )
        )
    text = write_report([experiment], best_test_epoch=True)
    line = next(line for line in text.splitlines() if line.startswith('| DiffCNN'))
    assert 'best test epoch (not valid)' in text
    assert line.rstrip(' |').endswith(f'{100 * (5 + 6 + 7) / 120:.2f}')


def test_experiments_on_the_same_data_share_one_table(experiment, tmp_path):
    other = make_experiment(tmp_path / 'other', seeds=[2])
    text = write_report([experiment, other])
    assert '3 seeds' in text
    assert 'Seeds 0, 1, 2;' in text
    spos = make_experiment(tmp_path / 'spos', name='spos', split='loso')
    with pytest.raises(
        ValueError, match=r"split is 'subject-kfold' in .* and 'loso' in .*; it must"
    ):
        write_report([experiment, spos])


@pytest.mark.parametrize(
    ('other', 'message'),
    [
        (dict(lr=0.2), r'diffcnn: lr is 0\.1 there, 0\.2 now'),
        (dict(picture='cc'), r'1\.png has changed'),
        (dict(cfg_options={'a': 1}), r'cfg_options is \{\} in .* must be the same'),
        (
            dict(digest='zz'),
            r'the pairs of /data/pairs\.csv in .* differ; they must be',
        ),
    ],
)
def test_results_that_cannot_be_compared_are_not_joined(
    other, message, experiment, tmp_path
):
    folder = make_experiment(tmp_path / 'other', seeds=[2], **other)
    with pytest.raises(ValueError, match=message):
        write_report([experiment, folder])


def test_tables_of_an_unfinished_run_do_not_count(experiment):
    """A stack that was killed has tables of its members, and not yet its own."""
    for path in experiment.glob('runs/compcnn_sub-svm/fold00-seed0/predictions.csv'):
        path.unlink()
    results = collect([experiment])
    totals = {network.model: network.numbers.total for network in results.networks}
    assert totals['compcnn_sub@1'] == totals['compcnn_sub-svm'] == 200
    assert totals['compcnn_comb@1'] == 240


@pytest.mark.parametrize(
    'spoil', ['nothing', 'empty', 'column', 'old', 'older', 'twice']
)
def test_what_cannot_be_reported_is_said(spoil, experiment, tmp_path):
    path = next(experiment.glob('runs/diffcnn/*/predictions.csv'))
    message = {
        'nothing': 'holds no experiment',
        'empty': r'predictions\.csv, line 1: the file is empty',
        'column': "line 1: no column 'subject'",
        'old': "line 1: no column 'control'",
        'older': r'data\.json: does not list the tested pairs',
        'twice': 'more than once',
    }[spoil]
    folder = experiment
    if spoil == 'nothing':
        folder = tmp_path
    elif spoil == 'empty':
        path.write_text('')
    elif spoil == 'older':
        data = json.loads((folder / DATA_FILE).read_text())
        del data['samples']
        (folder / DATA_FILE).write_text(json.dumps(data))
    elif spoil in ('column', 'old'):
        column = {'column': 'subject', 'old': 'control'}[spoil]
        pd.read_csv(path).drop(columns=column).to_csv(path, index=False)
    else:
        pd.concat([pd.read_csv(path)] * 2).to_csv(path, index=False)
    with pytest.raises(ValueError, match=message):
        write_report([folder])


def half(table):
    return table.iloc[::2]


def relabelled(table):
    return table.assign(label='posed')


def moved(table):
    return table.assign(fold=2)


def believed(table):
    return table.assign(predicted=table['label'])


def diverged(table):
    return table.assign(score_posed=np.nan)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (half, r"20 of the 40 test pairs of fold 0 are missing, such as 's0-1'"),
        (relabelled, "'s0-1' is no test pair of fold 0, or was another one"),
        (moved, 'fold and seed must be 0 and 0'),
        (believed, r"line \d+: predicted is '\w+'; it must be '\w+', which has the"),
        (diverged, "line 2: score_posed is ''; it must be a number"),
    ],
)
def test_a_table_that_was_changed_is_refused(change, message, experiment):
    path = experiment / 'runs/diffcnn/fold00-seed0/predictions.csv'
    write_prediction_table(change(pd.read_csv(path)), path)
    with pytest.raises(ValueError, match=message) as caught:
        write_report([experiment])
    assert str(caught.value).startswith(str(path))


def test_names_of_configs_are_not_parsed(tmp_path):
    """What looks like a variant, a member or a stack is a network of its own."""
    names = ['diffcnn+warm-start', 'diffcnn+5subjects', 'x+swapped+2px', 'a@b', 'c-svm']
    names += ['a+b', 'x@2-svm', 'onset-only', 'shift', '_x', 'a$_b$', '[red]']
    folder = tmp_path / 'e'
    make_experiment(folder, configs=[f'{name}.py' for name in names])
    text = write_report([folder])
    summary = json.loads((folder / 'report' / 'summary.json').read_text())
    assert [row['model'] for row in summary['rows']] == sorted(names)
    assert {row['total'] for row in summary['rows']} == {SUBJECTS * PAIRS}
    for key in ('controls', 'learning_curve', 'shift'):
        assert summary[key] == []
    for name in names:
        assert f'| {name} ' in text


def test_every_name_is_in_a_legend_as_it_is(tmp_path):
    names = ['_x', 'a$_b$', 'onset-only']
    configs = [f'{name}.py' for name in names]
    plain = make_experiment(tmp_path / 'plain', configs=configs)
    curve = make_experiment(tmp_path / 'e', configs=configs, train_subjects=[2, 4])
    for draw, folder in ((roc_plot, plain), (learning_curve_plot, curve)):
        texts = draw(collect([folder])).axes[0].get_legend().get_texts()
        shown = {text.get_text().split(' (')[0] for text in texts}
        assert shown - {'chance'} == {*names}


def test_variants_are_kept_apart_by_their_columns(tmp_path):
    """The same network in each: plain, shifted, with fewer subjects, spoilt."""
    folder = make_experiment(tmp_path / 'e', configs=['diffcnn.py'])
    own = folder / 'runs' / 'diffcnn' / 'fold00-seed0'
    for column, value in (('shift_px', 2.5), ('train_subjects', 3)):
        table = predictions('diffcnn', 0, 0, 0.0, **{column: value})
        write_prediction_table(table, own / f'predictions-{column}.csv')
    write_report([folder])
    summary = json.loads((folder / 'report' / 'summary.json').read_text())
    (row,) = summary['rows']
    assert (row['model'], row['total']) == ('diffcnn', SUBJECTS * PAIRS)
    assert row['wrong'] > 0
    for key, column, value in (
        ('shift', 'shift_px', 2.5),
        ('learning_curve', 'train_subjects', 3),
    ):
        (row,) = summary[key]
        assert (row[column], row['wrong'], row['total']) == (value, 0, 40)


def test_members_of_a_stack_are_drawn_thin(tmp_path):
    """By the table's columns: neither '@' nor '-svm' in a name matters."""
    folder = make_experiment(
        tmp_path / 'e',
        configs=['a@1.py', 'compcnn_sub-svm.py'],
        train_subjects=[2, 4],
    )
    axes = learning_curve_plot(collect([folder])).axes[0]
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    styles = [line.get_linestyle() for line in axes.get_lines()]
    assert dict(zip(names, styles, strict=True)) == {
        'a@1': '-',
        'CompCNN-Sub-SVM': '-',
        **{f'CompCNN-Sub@{i}': ':' for i in (1, 2, 3)},
    }


def test_one_subject_has_no_interval_in_the_report(tmp_path):
    folder = make_experiment(tmp_path / 'e', configs=['diffcnn.py'], folds=[0])
    data = json.loads((folder / DATA_FILE).read_text())
    data['samples'] = {k: v for k, v in data['samples'].items() if v[0] == 's0'}
    (folder / DATA_FILE).write_text(json.dumps(data))
    (path,) = folder.glob('runs/*/*/predictions.csv')
    table = pd.read_csv(path)
    write_prediction_table(table[table['subject'] == 's0'], path)
    assert '| not available: one subject |' in write_report([folder])
    summary = json.loads((folder / 'report' / 'summary.json').read_text())
    assert summary['rows'][0]['bootstrap_low'] is None


NAMES = ['negative', 'overwhelmed by unexpected joy', 'happily surprised', 'a', 'b']


@pytest.mark.parametrize('count', [2, 3, 5, 8])
def test_names_of_classes_are_whole(experiment, count):
    """And as long as they are, no two next to each other overlap."""
    results = collect([experiment])
    names = [*NAMES, 'fearfully disgusted', 'appalled / contempt', 'other'][:count]
    results.classes = names
    figure = confusion_plot(results)
    figure.draw_without_rendering()
    columns = figure.axes[0].get_gridspec().ncols
    first, bottom = figure.axes[0], figure.axes[columns * (-(-9 // columns) - 1)]
    for labels in (first.get_yticklabels(), bottom.get_xticklabels()):
        texts = [' '.join(label.get_text().split()) for label in labels]
        assert texts == names
    boxes = [label.get_window_extent() for label in first.get_yticklabels()]
    assert not any(a.overlaps(b) for a, b in pairwise(boxes))


def test_shades_do_not_enlarge_small_differences(experiment):
    """Errors of 10 % are pale: dark is 50 %, the error by chance."""
    image = folds_plot(collect([experiment])).axes[0].images[0]
    assert image.get_clim() == (0, 50)


@pytest.mark.parametrize(('suffix', 'start'), [('.pdf', b'%PDF'), ('.svg', b'<?xml')])
def test_format_of_plots(experiment, tmp_path, suffix, start):
    write_report([experiment], tmp_path, suffix=suffix)
    names = {path.stem for path in tmp_path.glob(f'*{suffix}')}
    assert names == {'errors', 'confusion', 'roc', 'folds', 'subjects', 'columns'}
    assert not list(tmp_path.glob('*.png'))
    assert (tmp_path / f'confusion{suffix}').read_bytes().startswith(start)
    assert 'data:image/png' in (tmp_path / 'report.html').read_text()


@pytest.mark.parametrize(
    ('name', 'title'),
    [('nvie-subset', 'nvie-subset'), (None, 'mine/aligned/pairs.csv')],
)
def test_title_is_that_of_the_data(tmp_path, name, title):
    folder = make_experiment(tmp_path / 'e', name=name, configs=['diffcnn.py'])
    data = json.loads((folder / DATA_FILE).read_text())
    data['table'] = '/home/ann/mine/aligned/pairs.csv'
    (folder / DATA_FILE).write_text(json.dumps(data))
    write_report([folder])
    page = (folder / 'report' / 'report.html').read_text()
    assert f'<h1>Errors on {title}</h1>' in page
