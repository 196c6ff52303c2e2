"""Descriptions of images that runs share."""

import threading

import numpy as np
import pandas as pd
import pytest
from fitted_parts import FITTED
from runs import build, fit_config

from mmcomp.features import clbp
from mmcomp.models.fitted.image_vectors import ImageVectors

MODEL = {**FITTED, 'features': dict(type='mmcomp.CLBP')}


@pytest.fixture
def described(monkeypatch):
    """What images were described, in this process."""
    seen = []
    compute = clbp.clbp

    def note(image):
        seen.append(image)
        return compute(image)

    monkeypatch.setattr(clbp, 'clbp', note)
    return seen


def cached(table):
    return list(table.parent.glob(f'{table.stem}.clbp-*.npz'))


@pytest.mark.slow
def test_images_of_a_table_are_described_once(make_pair_table, tmp_path, described):
    table = make_pair_table(tmp_path, subjects=4, pairs=2)
    cfg = fit_config(tmp_path, table, model=MODEL)
    build(cfg).train()
    assert len(described) == 32  # of both folds
    assert len(cached(table)) == 1
    cfg.load_from = str(tmp_path / 'peer' / 'epoch_1.pth')
    cfg.work_dir = str(tmp_path / 'test')
    build(cfg).test()
    assert len(described) == 32
    other = fit_config(tmp_path, table, 'other', MODEL)
    other.custom_hooks.pop()  # without the hook: the same, but computed again
    build(other).train()
    assert len(described) > 32
    tables = [
        pd.read_csv(tmp_path / name / 'predictions.csv').drop(columns='model')
        for name in ('peer', 'test', 'other')
    ]
    for found in tables[1:]:
        pd.testing.assert_frame_equal(found, tables[0])


@pytest.mark.slow
def test_each_table_has_its_own_file(make_pair_table, tmp_path, described):
    one = make_pair_table(tmp_path / 'one', subjects=4, pairs=1)
    two = make_pair_table(tmp_path / 'two', subjects=4, pairs=1, seed=1)
    rows = pd.read_csv(two, dtype=str)
    rows['subject'] = 'other-' + rows['subject']
    rows.to_csv(two, index=False)
    cfg = fit_config(tmp_path, one, model=MODEL)
    cfg.val_dataloader.dataset.update(ann_file=str(two), split=None, subset='all')
    build(cfg).train()
    assert len(cached(one)) == len(cached(two)) == 1
    assert len(described) == 32


def test_of_two_that_start_at_once_one_computes(tmp_path):
    """Without the lock, the second would begin to compute while the first waits."""
    images = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    first_computes, second_computes = threading.Event(), threading.Event()

    def first(images, title):
        first_computes.set()
        second_computes.wait(timeout=0.5)
        return np.ones((len(images), 3))

    def second(images, title):
        second_computes.set()
        return np.zeros((len(images), 3))

    both = [ImageVectors('name', 'version', own) for own in (first, second)]
    for own in both:
        own.open(tmp_path / 'pairs.csv')
    thread = threading.Thread(target=both[0].fill, args=[images])
    thread.start()
    assert first_computes.wait(timeout=60)
    both[1].fill(images)
    thread.join()
    assert not second_computes.is_set()
    assert both[1](images).tolist() == np.ones((2, 3)).tolist()


def test_what_is_known_of_one_table_is_not_forgotten_for_the_next(tmp_path):
    images = np.arange(16, dtype=np.uint8).reshape(4, 2, 2)
    computed = []

    def compute(images, title):
        computed.extend(images)
        return np.ones((len(images), 3))

    vectors = ImageVectors('name', 'version', compute)
    for table, own in (('one', images[:2]), ('two', images[1:])):
        vectors.open(tmp_path / f'{table}.csv')
        vectors.fill(own)
    vectors(images)
    assert len(computed) == 4
    again = ImageVectors('name', 'version', compute)
    again.open(tmp_path / 'two.csv')
    again(images[1:])
    assert len(computed) == 4  # what both tables have is in both files
