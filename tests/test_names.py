"""Strings that people use as names, from a table to a report and to predictions.

They are subjects, ids, classes, values of columns, names of networks and of files.
"""

import csv
import html
import json
from concurrent.futures import Executor, Future

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs import small_config

from mmcomp.apis import PairInferencer
from mmcomp.cli.predict import write_results
from mmcomp.datasets.pair_table import read_pair_table
from mmcomp.evaluation.prediction_table import (
    make_prediction_table,
    read_prediction_tables,
    write_prediction_table,
)
from mmcomp.experiments.collect import collect, errors_by_column
from mmcomp.experiments.driver import run_experiment
from mmcomp.experiments.plan import ExperimentSettings
from mmcomp.experiments.report import write_report
from mmcomp.faces.prepare import prepare_faces
from mmcomp.tables import read_table

NAMES = [
    'NA', 'null', 'None', '1e5', '01', ' a', '=1', '\u00fc', 'u\u0308', '表' * 85,
    'a,b', 'a"b', '.', 'con', 'True', '-', 'a$_$',
]  # fmt: skip
READ = [name.strip() for name in NAMES]  # blanks around a cell do not count
COLUMNS = ['sample_id', 'subject', 'onset', 'apex', 'label', 'first', 'second']
SPELLINGS = 'ignore:.*may be one person in several spellings'  # the two ways to write ü


def write_table(folder, classes):
    """A pair of each class for each name as subject, and the names as ids."""
    rng = np.random.default_rng(0)
    (folder / 'images').mkdir(parents=True)
    rows = []
    for index, name in enumerate(NAMES):
        paths = []
        for image in ('onset', 'apex'):
            paths.append(f'images/{name[:75]}-{image}.png')  # of 255 bytes at most
            face = rng.integers(0, 256, (48, 48), dtype=np.uint8)
            cv2.imencode('.png', face)[1].tofile(folder / paths[-1])
        for label, suffix in zip(classes, ('', '2')):
            values = [name, ''] if index % 2 else ['', name]
            rows.append([name + suffix, name, *paths, label, *values])
    table = folder / 'pairs.csv'
    with table.open('w', encoding='utf-8', newline='') as stream:
        csv.writer(stream).writerows([COLUMNS, *rows])
    return table


def write_as_json(table):
    with table.open(encoding='utf-8', newline='') as stream:
        rows = list(csv.DictReader(stream))
    path = table.with_suffix('.json')
    path.write_text(json.dumps(dict(data_list=rows)), encoding='utf-8')
    return path


@pytest.mark.filterwarnings(SPELLINGS)
@pytest.mark.parametrize('form', ['csv', 'json'])
def test_pair_table(tmp_path, form):
    table = write_table(tmp_path, ('posed', 'spontaneous'))
    rows = read_pair_table(table if form == 'csv' else write_as_json(table))
    assert [row['subject'] for row in rows[::2]] == READ
    assert [row['sample_id'] for row in rows[::2]] == READ
    assert [row['second'] for row in rows[:4:2]] == [READ[0], '']


NAME = st.text(st.characters(codec='utf-8', exclude_characters='\0\r'), max_size=9)
NAME = NAME.map(str.strip).filter(bool)


@given(
    ids=st.lists(st.one_of(st.sampled_from(READ), NAME), min_size=2, unique=True),
    classes=st.lists(NAME, min_size=2, max_size=3, unique=True),
    model=st.one_of(st.sampled_from(READ), NAME),
)
def test_prediction_table(tmp_path_factory, ids, classes, model):
    path = tmp_path_factory.mktemp('table') / 'predictions.csv'
    labels = np.arange(len(ids)) % len(classes)
    scores = np.eye(len(classes))[labels[::-1]]
    table = make_prediction_table(ids, ids[::-1], labels, scores, classes)
    run = dict(fold=0, seed=0, model=model, train_subjects=None, control=None)
    run.update(shift_px=None, stack=model, member=model)
    write_prediction_table(table.assign(**run), path)
    read = read_prediction_tables([path])
    assert read['sample_id'].tolist() == ids
    assert read['subject'].tolist() == ids[::-1]
    assert read['label'].tolist() == [classes[i] for i in labels]
    assert read['predicted'].tolist() == [classes[i] for i in labels[::-1]]
    assert set(read['model']) == set(read['stack']) == {model}


def test_prepare(tmp_path):
    """Each row has its own line among the failures: these pictures show no face."""
    table = write_table(tmp_path / 'in', ('posed', 'spontaneous'))
    done = prepare_faces([table], tmp_path / 'out', workers=1)
    assert (done.pairs, done.failures) == (0, {'no face': 2 * len(NAMES)})
    rows = read_table(tmp_path / 'out' / 'failures.csv')
    expected = [name.strip() for n in NAMES for name in (n, n + '2')]
    assert [row.cells['sample_id'] for row in rows] == expected


class AtOnce(Executor):
    """Run what is submitted in this process."""

    def submit(self, function, *args):
        future = Future()
        future.set_result(function(*args))
        return future


@pytest.mark.slow
@pytest.mark.filterwarnings(SPELLINGS, 'ignore:Glyph', 'ignore:.*layout not applied')
@pytest.mark.parametrize(
    ('classes', 'network'),
    [
        (('NA', 'null'), 'None'),
        (('01', '1'), 'NA'),
        (('1e5', '=1'), '1e5'),
        (('\u00fc', 'u\u0308'), 'u\u0308'),
        (('表' * 85, 'a,b'), '表' * 60),
        (('a"b', '.'), 'a,b'),
        (('con', 'None'), 'con'),
        (('True', 'a$_$'), 'a$_$'),
    ],
    ids=['missing', 'numbers', 'formula', 'umlauts', 'long', 'marks', 'con', 'math'],
)
def test_from_table_to_report_and_prediction(classes, network, tmp_path):
    table = write_table(tmp_path / 'data', classes)
    config = tmp_path / f'{network}.py'
    cfg = small_config(table, tmp_path / 'unused', epochs=1)
    for loader in ('train', 'val', 'test'):
        cfg[f'{loader}_dataloader'].dataset.metainfo = dict(classes=list(classes))
    cfg.dump(config)
    folder = tmp_path / 'experiment'
    settings = ExperimentSettings([str(config)], n_splits=2, shift=[2])
    outcome = run_experiment(settings, folder, AtOnce, keep_checkpoints=True)
    assert outcome.failures == {}

    # As Python's csv module reads them, without any guess.
    rows = []
    for path in folder.glob('runs/*/*/predictions.csv'):
        with path.open(encoding='utf-8', newline='') as stream:
            rows += csv.DictReader(stream)
    assert {row['subject'] for row in rows} == set(READ)
    assert {row['label'] for row in rows} == set(classes)
    assert {row['model'] for row in rows} == {network}
    wrong = sum(row['label'] != row['predicted'] for row in rows)

    write_report([folder])
    summary = json.loads((folder / 'report' / 'summary.json').read_text())
    values = errors_by_column(collect([folder]))['first'].columns
    assert set(values) == {f'{name} (2)' for name in READ[1::2]} | {'empty (18)'}
    (row,) = summary['rows']
    assert (row['model'], row['wrong'], row['total']) == (network, wrong, len(rows))
    assert row['subjects'] == len(NAMES)
    assert summary['data']['labels'] == dict.fromkeys(classes, len(NAMES))
    assert html.escape(network) in (folder / 'report' / 'report.html').read_text(
        'utf-8'
    )

    checkpoint = next(folder.glob('runs/*/*/epoch_1.pth'))
    inferencer = PairInferencer(str(config), str(checkpoint), aligned=True)
    assert inferencer.classes == classes
    results = inferencer(table, out_dir=tmp_path / 'pictures')
    ids = [name.strip() for n in NAMES for name in (n, n + '2')]
    # Some file systems take both ways to write ü for one name: the second is numbered.
    ids = [f'{name} (2)' if name.startswith('u\u0308') else name for name in ids]
    assert [result['input'] for result in results] == ids
    assert [result['subject'] for result in results[::2]] == READ
    assert [result['label'] for result in results[:2]] == [*classes]
    assert len(list((tmp_path / 'pictures').iterdir())) == len(ids)
    write_results(results, classes, tmp_path / 'out')
    written = read_table(tmp_path / 'out' / 'predictions.csv')
    assert [row.cells['input'] for row in written] == ids
    for row, result in zip(written, results):
        assert row.cells['pred_class'] == result['pred_class'] in classes
