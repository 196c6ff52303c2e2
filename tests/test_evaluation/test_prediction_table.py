"""The prediction table on disk."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmcomp.evaluation.prediction_table import (
    make_prediction_table,
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
