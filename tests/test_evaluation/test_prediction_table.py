"""The prediction table on disk."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmcomp.evaluation.prediction_table import (
    make_prediction_table,
    read_prediction_tables,
    write_prediction_table,
)


@pytest.fixture
def table():
    scores = np.array([[0.25, 0.75], [1 / 3, 2 / 3], [0.9, 0.1]])
    return make_prediction_table(
        ['a', 'b', 'c,"d'], ['s1', 's1', 'ü'], np.array([1, 0, 0]), scores, ('p', 'q')
    )


def test_round_trip(table, tmp_path):
    path = tmp_path / 'a folder' / 'predictions.csv'
    write_prediction_table(table, path)
    read = pd.read_csv(path)
    pd.testing.assert_frame_equal(read, table, check_dtype=False, rtol=1e-8)
    assert read['predicted'].tolist() == ['q', 'q', 'p']
    assert read['label'].tolist() == ['q', 'p', 'p']
    assert read['score_p'].tolist() == [0.25, 0.333333333, 0.9]
    assert read['score_q'].tolist() == [0.75, 0.666666667, 0.1]
    assert os.listdir(path.parent) == ['predictions.csv']


def test_same_table_same_bytes(table, tmp_path):
    for name in 'ab':
        write_prediction_table(table, tmp_path / name)
    assert (tmp_path / 'a').read_bytes() == (tmp_path / 'b').read_bytes()


def test_failed_write_leaves_the_old_table(table, tmp_path, monkeypatch):
    path = tmp_path / 'predictions.csv'
    write_prediction_table(table, path)
    before = path.read_bytes()

    def full(self, path, **kwargs):
        Path(path).write_text('sample_id,subj')
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(pd.DataFrame, 'to_csv', full)
    with pytest.raises(OSError, match='No space left'):
        write_prediction_table(table, path)
    assert path.read_bytes() == before


RUN = dict(
    fold=0, seed=0, model='m', train_subjects=None, control=None, shift_px=None,
    stack=None, member=None,
)  # fmt: skip


def written(table, path, **run):
    write_prediction_table(table.assign(**{**RUN, **run}), path)
    return path


def test_ids_and_names_are_read_as_written(tmp_path):
    """Neither '007' nor 'NA' is a number or missing; an empty name is a name."""
    names = ['007', '1.0', 'NA', 'null', '1e3']
    table = make_prediction_table(
        names, names[::-1], np.array([0] * 5), np.full((5, 2), 0.5), ('NA', '01')
    )
    read = read_prediction_tables([written(table, tmp_path / 'a', model='None')])
    assert read['sample_id'].tolist() == names
    assert read['subject'].tolist() == names[::-1]
    assert set(read['label']) == set(read['predicted']) == {'NA'}
    assert set(read['model']) == {'None'}
    for column in ('control', 'stack', 'member'):
        assert read[column].tolist() == [''] * 5
    for column in ('train_subjects', 'shift_px'):
        assert read[column].isna().all()


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(score_p=[0.25, None, 1]), "line 3: score_p is ''; it must be a number"),
        (dict(score_p=[0.25, 0.3, 'inf']), "line 4: score_p is 'inf'; it must be a"),
        (
            dict(predicted=list('qpp')),
            "line 3: predicted is 'p'; it must be 'q'",
        ),
        (
            dict(predicted=list('qrp')),
            "line 3: predicted is 'r'; it must be one of",
        ),
        (dict(label=['q', 'p', '']), "line 4: label is ''; it must be one of 'p', 'q'"),
        (dict(seed='x'), "line 2: seed is 'x'; it must be a number"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(change, message, table, tmp_path):
    path = written(table.assign(seed=0).assign(**change), tmp_path / 'a')
    if 'seed' in change:
        write_prediction_table(table.assign(**{**RUN, **change}), path)
    with pytest.raises(ValueError, match=message) as caught:
        read_prediction_tables([path])
    assert str(caught.value).startswith(f'{path}, ')


def test_of_equal_scores_either_class_may_be_predicted(table, tmp_path):
    tied = table.assign(score_p=0.5, score_q=0.5)
    read = read_prediction_tables([written(tied, tmp_path / 'a')])
    assert read['predicted'].tolist() == ['q', 'q', 'p']


@pytest.mark.parametrize(
    'variant', [dict(control='swapped'), dict(train_subjects=4), dict(shift_px=0)]
)
def test_variants_of_a_network_may_test_the_same_sample(variant, table, tmp_path):
    plain, other = (
        written(table, tmp_path / name, **own)
        for name, own in (('a', {}), ('b', variant))
    )
    read = read_prediction_tables([plain, other])
    assert len(read) == 6
    assert set(read['model']) == {'m'}
    for twice in (plain, other):
        with pytest.raises(
            ValueError, match="m with seed 0 tested the sample 'a' more"
        ):
            read_prediction_tables([plain, other, twice])


def test_a_network_is_not_counted_twice_as_a_member(table, tmp_path):
    alone = written(table, tmp_path / 'a')
    member = written(table, tmp_path / 'b', stack='s', member='m')
    with pytest.raises(ValueError, match='more than once'):
        read_prediction_tables([alone, member])


@pytest.mark.parametrize('column', ['train_subjects', 'control', 'shift_px', 'stack'])
def test_tables_without_the_columns_of_variants_are_refused(column, table, tmp_path):
    path = tmp_path / 'old.csv'
    write_prediction_table(table.assign(**RUN).drop(columns=column), path)
    with pytest.raises(ValueError, match=f"old.csv, line 1: no column '{column}'"):
        read_prediction_tables([path])


def test_no_table_and_other_classes_are_refused(table, tmp_path):
    with pytest.raises(ValueError, match='paths is empty'):
        read_prediction_tables([])
    other = table.assign(label='p', predicted='p', score_p=1)
    other = other.rename(columns={'score_q': 'score_r'})
    paths = [written(table, tmp_path / 'a'), written(other, tmp_path / 'b', seed=1)]
    with pytest.raises(ValueError, match=r"the classes are \['p', 'r'\]; they must be"):
        read_prediction_tables(paths)
