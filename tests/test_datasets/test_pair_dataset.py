"""PairDataset against the table and the images as csv and OpenCV read them."""

import csv
import os
import pickle
import re
from collections import Counter
from pathlib import Path

import cv2
import mmengine.registry
import mmpretrain.registry
import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset, ConcatDataset, RepeatDataset
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from mmcomp.datasets import (
    LoadPair,
    PackPairInputs,
    PairDataset,
    PairTableError,
    SubjectKFold,
    check_alignment,
    image_store,
)
from mmcomp.datasets.controls import CONTROLS

CLASSES = ('posed', 'spontaneous')
PIPELINE = [
    dict(type='mmcomp.LoadPair'),
    dict(
        type='mmcomp.SharedRandomTransforms',
        transforms=[
            dict(type='RandomCrop', crop_size=8),
            dict(type='RandomFlip', prob=0.5),
        ],
    ),
    dict(type='mmcomp.PackPairInputs', meta_keys=['label']),
]
LOAD = [dict(type='mmcomp.LoadPair')]
LOAD_AND_PACK = [PIPELINE[0], PIPELINE[-1]]


@pytest.fixture(scope='module')
def table(make_pair_table, tmp_path_factory):
    """Five subjects with 2 + 2 pairs each, whose rows are mixed."""
    path = make_pair_table(tmp_path_factory.mktemp('table'), 5, size=(10, 12))
    header, *rows = path.read_text().splitlines()
    np.random.default_rng(0).shuffle(rows)
    path.write_text('\n'.join([header, *rows]) + '\n')
    return path


@pytest.fixture(scope='module')
def rows(table):
    """What the csv module reads from the table."""
    with table.open(newline='') as stream:
        return list(csv.DictReader(stream))


def read(table, row, flag=cv2.IMREAD_GRAYSCALE):
    """Onset and apex of one row."""
    return [cv2.imread(str(table.parent / row[c]), flag) for c in ('onset', 'apex')]


def check_pairs(dataset, table, rows, order=(0, 1)):
    """A dataset with LOAD_AND_PACK gives these rows, in this order."""
    assert len(dataset) == len(rows)
    for data, row in zip(dataset, rows):
        images = read(table, row)
        expected = np.stack([images[i] for i in order])[:, None]
        np.testing.assert_array_equal(data['inputs'].numpy(), expected)
        sample = data['data_samples']
        assert sample.gt_label.tolist() == [CLASSES.index(row['label'])]
        assert (sample.sample_id, sample.subject) == (row['sample_id'], row['subject'])


# ---------------------------------------------------------------- rows and subsets


@pytest.mark.parametrize('cache', ['ram', 'none'])
def test_rows_in_the_order_of_the_table(table, rows, cache):
    dataset = PairDataset(str(table), pipeline=LOAD_AND_PACK, cache=cache)
    check_pairs(dataset, table, rows)
    assert dataset.metainfo['classes'] == CLASSES
    labels = [CLASSES.index(row['label']) for row in rows]
    assert dataset.get_gt_labels().tolist() == labels
    assert [dataset.get_cat_ids(i) for i in range(len(rows))] == [[i] for i in labels]
    assert dataset.subjects == tuple(f's{i:02d}' for i in range(5))


@pytest.mark.parametrize('cache', ['ram', 'none'])
@pytest.mark.parametrize('subset', ['train', 'val', 'test', 'all'])
def test_subset_holds_the_rows_of_its_subjects(table, rows, subset, cache):
    split = SubjectKFold(5, fold=3, val_folds=1)
    dataset = PairDataset(
        str(table), split=split, subset=subset, pipeline=LOAD_AND_PACK, cache=cache
    )
    assignment = split.assign([row['subject'] for row in rows])
    everyone = tuple(sorted({row['subject'] for row in rows}))
    subjects = {**assignment, 'all': everyone}[subset]
    assert dataset.assignment == assignment
    assert dataset.subjects == subjects
    check_pairs(dataset, table, [row for row in rows if row['subject'] in subjects])


@pytest.mark.parametrize('cache', ['ram', 'none'])
@pytest.mark.parametrize(('indices', 'chosen'), [(3, [0, 1, 2]), ([5, 1], [5, 1])])
def test_indices_choose_among_the_rows_of_the_subset(
    table, rows, indices, chosen, cache
):
    split = SubjectKFold(5, fold=3)
    options = dict(split=split, subset='train', pipeline=LOAD_AND_PACK, cache=cache)
    whole = PairDataset(str(table), **options)
    dataset = PairDataset(str(table), indices=indices, **options)
    own = [row for row in rows if row['subject'] in whole.subjects]
    expected = [own[i] for i in chosen]
    check_pairs(dataset, table, expected)
    assert dataset.subjects == tuple(sorted({row['subject'] for row in expected}))
    assert len(dataset.subjects) < len(whole.subjects)
    assert whole.get_subset(indices).subjects == dataset.subjects
    found = [sample['data_samples'].sample_idx for sample in dataset]
    assert found == list(range(len(chosen)))


@pytest.mark.parametrize('cache', ['ram', 'none'])
def test_the_pipeline_may_be_replaced(table, rows, cache):
    """As tools do that look at what each transform returns."""
    dataset = PairDataset(str(table), pipeline=LOAD_AND_PACK, cache=cache)
    load, seen = dataset.pipeline, []
    dataset.pipeline = lambda data: seen.append(data['sample_id']) or load(data)
    check_pairs(dataset, table, rows)
    assert seen == [row['sample_id'] for row in rows]


def test_classes_from_metainfo(make_pair_table, tmp_path):
    path = make_pair_table(tmp_path, 1, 1, (6, 6), classes=('joy', 'fear', 'anger'))
    dataset = PairDataset(str(path), metainfo=dict(classes=('anger', 'fear', 'joy')))
    assert dataset.metainfo['classes'] == ('anger', 'fear', 'joy')
    assert dataset.get_gt_labels().tolist() == [2, 1, 0]


@pytest.mark.parametrize('absolute', [True, False])
@pytest.mark.parametrize('prefix', [None, '', 'images'])
def test_data_root_and_prefix(make_pair_table, tmp_path, monkeypatch, absolute, prefix):
    """Images start from the table's folder, or from a prefix below data_root."""
    path = make_pair_table(tmp_path / 'root' / 'tables', 1, 1, (6, 6))
    if prefix == '':
        (path.parent / 'images').rename(tmp_path / 'root' / 'images')
    elif prefix == 'images':
        (tmp_path / 'root' / 'images').mkdir()
        (path.parent / 'images').rename(tmp_path / 'root' / 'images' / 'images')
    monkeypatch.chdir(tmp_path)
    dataset = PairDataset(
        str(path) if absolute else 'tables/pairs.csv',
        data_root='root',
        data_prefix=None if prefix is None else dict(img_path=prefix),
    )
    folder = path.parent if prefix is None else tmp_path / 'root' / prefix
    for data in dataset:
        assert Path(data['onset']).parent == folder / 'images'
        assert os.path.isabs(data['apex'])


# ---------------------------------------------------------------- images


@pytest.mark.parametrize('color_type', ['grayscale', 'color'])
@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
@pytest.mark.parametrize('control', [None, *CONTROLS])
def test_memory_changes_no_bit(make_pair_table, tmp_path, color_type, suffix, control):
    path = make_pair_table(tmp_path, 3, color=True, size=(10, 12), suffix=suffix)
    pipeline = [dict(type='mmcomp.LoadPair', color_type=color_type), *PIPELINE[1:]]
    found = []
    for cache in ('ram', 'none'):
        dataset = PairDataset(
            str(path), pipeline=pipeline, cache=cache, control=control, test_mode=True
        )
        np.random.seed(0)
        found.append([dataset[i] for i in range(len(dataset))])
    for a, b in zip(*found):
        torch.testing.assert_close(a['inputs'], b['inputs'], rtol=0, atol=0)
        assert torch.equal(a['data_samples'].gt_label, b['data_samples'].gt_label)
        assert a['data_samples'].metainfo == b['data_samples'].metainfo


def test_color(make_pair_table, tmp_path):
    path = make_pair_table(tmp_path, 1, 1, (6, 8), color=True)
    pipeline = [dict(type='mmcomp.LoadPair', color_type='color'), PIPELINE[-1]]
    onset, apex = PairDataset(str(path), pipeline=pipeline)[0]['inputs'].numpy()
    for image, name in ((onset, 'onset'), (apex, 'apex')):
        file = path.parent / 'images' / f's00-posed-0-{name}.png'
        np.testing.assert_array_equal(image, cv2.imread(str(file)).transpose(2, 0, 1))


def test_images_of_several_sizes(make_pair_table, tmp_path):
    path = make_pair_table(tmp_path, 2, 1, (6, 8))
    for index, file in enumerate(sorted((tmp_path / 'images').iterdir())):
        cv2.imwrite(str(file), np.full((5 + index // 2, 7), index, np.uint8))
    resize = dict(type='Resize', scale=(8, 4))  # width, height
    shared = dict(type='mmcomp.SharedRandomTransforms', transforms=[resize])
    for cache in ('ram', 'none'):
        dataset = PairDataset(str(path), pipeline=[*LOAD, shared], cache=cache)
        assert dataset.image_size is None
        for index, data in enumerate(dataset):
            assert [x.shape for x in data['img']] == [(4, 8)] * 2
            # Files are sorted by name: the apex comes before the onset.
            assert [int(x[0, 0]) for x in data['img']] == [2 * index + 1, 2 * index]


@pytest.mark.parametrize('cache', ['ram', 'none'])
def test_an_image_of_another_size_is_named(make_pair_table, tmp_path, cache):
    path = make_pair_table(tmp_path, 2, 1, (6, 8))
    odd = tmp_path / 'images' / 's00-posed-0-onset.png'  # the first image of the table
    cv2.imwrite(str(odd), np.zeros((8, 6), np.uint8))
    with pytest.raises(PairTableError) as info:
        PairDataset(str(path), pipeline=LOAD_AND_PACK, cache=cache)
    assert info.value.faults == [
        f'line 2: onset {str(odd)!r}: the image has 8x6 pixels; it must have 6x8, like '
        'most images: align the faces (mmcomp prepare)'
    ]
    cv2.imwrite(str(odd), np.zeros((6, 8), np.uint8))
    os.utime(path, ns=(1, 1))
    dataset = PairDataset(str(path), pipeline=LOAD_AND_PACK, cache=cache)
    assert dataset.image_size == (6, 8)


def test_images_must_have_the_size_of_the_alignment(make_pair_table, tmp_path):
    path = make_pair_table(tmp_path, 1, 1, (12, 10))
    dataset = PairDataset(str(path), pipeline=LOAD_AND_PACK)
    check_alignment(dataset, {})
    image = tmp_path / 'images' / 's00-posed-0-onset.png'
    message = re.escape(
        f"is 12x10 pixels (sample 's00-posed-0': {image}); it must be 10x10, as in "
        "'alignment' of the config: align the faces (mmcomp prepare)"
    )
    for data in (dataset, RepeatDataset(dataset, 2), ConcatDataset([dataset])):
        with pytest.raises(ValueError, match=message):
            check_alignment(data, dict(alignment=dict(size=10)))


@pytest.mark.parametrize('free', [96, 95])
def test_images_that_do_not_fit_into_memory(
    make_pair_table, tmp_path, monkeypatch, free
):
    """Two pairs of 4 x 6 gray pixels are 96 bytes."""
    path = make_pair_table(tmp_path, 1, 1, (4, 6))
    monkeypatch.setattr(image_store, 'available_memory', lambda: free)
    if free == 96:
        assert len(PairDataset(str(path), pipeline=LOAD)) == 2
        return
    with pytest.raises(ValueError, match=r'memory for 4 images of 4x6 pixels .*cache='):
        PairDataset(str(path), pipeline=LOAD)
    assert len(PairDataset(str(path), pipeline=LOAD, cache='none')) == 2


def test_a_transform_may_change_images_in_place(table, rows):
    def spoil(results):
        for image in results['img']:
            image[:] = 0
        return results

    dataset = PairDataset(str(table), pipeline=[*LOAD, spoil])
    assert not np.any(dataset[0]['img'])
    again = PairDataset(str(table), pipeline=LOAD)[0]['img']
    np.testing.assert_array_equal(again, read(table, rows[0]))


def test_without_pipeline_there_is_the_row(table, rows):
    for cache in ('ram', 'none'):
        data = PairDataset(str(table), cache=cache)[0]
        assert data['sample_id'] == rows[0]['sample_id']
        assert data['onset'] == str(table.parent / rows[0]['onset'])


@pytest.fixture
def loads(monkeypatch):
    """How often each file was decoded, from now on."""
    image_store.clear()
    count = Counter()
    load = LoadPair.load

    def counting(self, path):
        count[path] += 1
        return load(self, path)

    monkeypatch.setattr(LoadPair, 'load', counting)
    yield count
    image_store.clear()


def test_each_image_is_decoded_once(table, rows, loads):
    files = {str(table.parent / row[c]) for row in rows for c in ('onset', 'apex')}
    kwargs = dict(split=dict(type='mmcomp.SubjectKFold', n_splits=5))
    for subset in ('train', 'test'):
        dataset = PairDataset(
            str(table), subset=subset, pipeline=LOAD_AND_PACK, **kwargs
        )
        assert len(list(dataset)) > 0
    assert loads == dict.fromkeys(files, 1)
    color = [dict(type='mmcomp.LoadPair', color_type='color')]
    assert PairDataset(str(table), pipeline=color)[0]['img'][0].ndim == 3
    assert loads == dict.fromkeys(files, 2)


def test_a_rewritten_table_is_decoded_again(make_pair_table, tmp_path, loads):
    for seed in (1, 2):
        path = make_pair_table(tmp_path, 1, 1, (6, 6), seed=seed)
        os.utime(path, ns=(seed, seed))
        image = PairDataset(str(path), pipeline=LOAD)[0]['img'][0]
        file = path.parent / 'images' / 's00-posed-0-onset.png'
        np.testing.assert_array_equal(image, cv2.imread(str(file), 0))
    assert set(loads.values()) == {2}


def test_cache_none_keeps_no_image(make_pair_table, tmp_path, loads):
    path = make_pair_table(tmp_path, 1, 1, (100, 100))
    dataset = PairDataset(str(path), pipeline=LOAD, cache='none')
    assert sum(loads.values()) == 4  # the check when it is built
    for _ in range(2):
        dataset[1]
    assert sum(loads.values()) == 4 + 2 * 2
    assert len(pickle.dumps(dataset)) < 100 * 100
    in_memory = PairDataset(str(path), pipeline=LOAD, cache='ram')
    assert len(pickle.dumps(in_memory)) > 4 * 100 * 100


def test_a_loader_of_a_subclass_has_images_of_its_own(table, rows):
    class Darker(LoadPair):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def load(self, path):
            return super().load(path) // self.factor

    for factor in (1, 2, 4):
        data = PairDataset(str(table), pipeline=[Darker(factor)])[0]
        for image, expected in zip(data['img'], read(table, rows[0])):
            np.testing.assert_array_equal(image, expected // factor)


# ---------------------------------------------------------------- controls


@pytest.mark.parametrize('cache', ['ram', 'none'])
@pytest.mark.parametrize(
    ('control', 'order'),
    [('onset-only', (0, 0)), ('apex-only', (1, 1)), ('swapped', (1, 0))],
)
def test_control_of_images(table, rows, control, order, cache):
    kwargs = dict(pipeline=LOAD_AND_PACK, cache=cache)
    check_pairs(PairDataset(str(table), control=control, **kwargs), table, rows, order)
    check_pairs(PairDataset(str(table), **kwargs), table, rows)


def test_control_of_labels(make_pair_table, tmp_path):
    path = make_pair_table(tmp_path, 6, 4, (4, 4))
    kwargs = dict(split=SubjectKFold(3), subset='train', pipeline=LOAD_AND_PACK)
    plain = PairDataset(str(path), **kwargs)
    shuffled = PairDataset(str(path), control='shuffled-labels', **kwargs)
    again = PairDataset(str(path), control='shuffled-labels', **kwargs)
    for a, b in zip(plain, shuffled):
        assert torch.equal(a['inputs'], b['inputs'])
        assert a['data_samples'].sample_id == b['data_samples'].sample_id
    labels = shuffled.get_gt_labels()
    assert labels.tolist() == again.get_gt_labels().tolist()
    assert [x['data_samples'].gt_label.item() for x in shuffled] == labels.tolist()
    assert not np.array_equal(labels, plain.get_gt_labels())
    subjects = np.array([plain.get_data_info(i)['subject'] for i in range(len(plain))])
    for subject in plain.subjects:
        assert np.bincount(labels[subjects == subject]).tolist() == [4, 4]


# ---------------------------------------------------------------- in the ecosystem


@pytest.mark.parametrize('registry', [mmengine.registry, mmpretrain.registry])
def test_built_by_name_in_the_scope_of_mmpretrain(table, rows, registry):
    cfg = dict(
        type='mmcomp.PairDataset',
        ann_file=str(table),
        split=dict(type='mmcomp.LeaveOneSubjectOut', fold=2),
        subset='test',
        pipeline=LOAD_AND_PACK,
    )
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        dataset = registry.DATASETS.build(cfg)
    assert type(dataset) is PairDataset
    check_pairs(dataset, table, [row for row in rows if row['subject'] == 's02'])


@pytest.mark.parametrize(
    'pipeline',
    [
        LOAD_AND_PACK,
        [dict(type='LoadPair'), dict(type='PackPairInputs')],
        [LoadPair(), PackPairInputs()],
    ],
)
def test_built_in_python_without_any_scope(table, rows, pipeline):
    check_pairs(PairDataset(str(table), pipeline=pipeline), table, rows)


@pytest.mark.parametrize('cache', ['ram', 'none'])
@pytest.mark.parametrize('collate', ['pseudo_collate', 'default_collate'])
def test_data_loader_with_workers(table, rows, cache, collate):
    dataset = PairDataset(str(table), pipeline=LOAD_AND_PACK, cache=cache)
    loader = Runner.build_dataloader(
        dict(
            dataset=dataset,
            batch_size=3,
            num_workers=2,
            sampler=dict(type='DefaultSampler', shuffle=False),
            collate_fn=dict(type=collate),
        )
    )
    inputs, ids = [], []
    for batch in loader:
        inputs += batch['inputs']
        ids += [sample.sample_id for sample in batch['data_samples']]
    assert ids == [row['sample_id'] for row in rows]
    for pair, row in zip(inputs, rows):
        np.testing.assert_array_equal(pair[:, 0].numpy(), read(table, row))


@pytest.mark.parametrize('cache', ['ram', 'none'])
def test_pickle(table, rows, cache):
    dataset = PairDataset(
        str(table),
        split=SubjectKFold(5),
        subset='test',
        pipeline=LOAD_AND_PACK,
        cache=cache,
    )
    copy = pickle.loads(pickle.dumps(dataset))
    check_pairs(copy, table, [r for r in rows if r['subject'] in dataset.subjects])
    assert copy.assignment == dataset.assignment
    assert copy.metainfo == dataset.metainfo


WRAPPERS = {
    'repeat': (dict(type='RepeatDataset', times=2), 2),
    'concat': (dict(type='ConcatDataset'), 2),
    'balanced': (dict(type='ClassBalancedDataset', oversample_thr=0.6), None),
}


@pytest.mark.parametrize('cache', ['ram', 'none'])
@pytest.mark.parametrize(('wrapper', 'times'), WRAPPERS.values(), ids=WRAPPERS)
def test_in_a_wrapper(make_pair_table, tmp_path, wrapper, times, cache):
    path = make_pair_table(tmp_path, 3, 2, (4, 4))
    header, *lines = path.read_text().splitlines()
    lines = [line for line in lines if line[4:] < 'spontaneous-1']  # 6 posed, 3 not
    path.write_text('\n'.join([header, *lines]))
    with path.open(newline='') as stream:
        rows = list(csv.DictReader(stream))
    cfg = dict(
        type='mmcomp.PairDataset',
        ann_file=str(path),
        pipeline=LOAD_AND_PACK,
        cache=cache,
    )
    key = 'datasets' if wrapper['type'] == 'ConcatDataset' else 'dataset'
    value = [cfg, cfg] if key == 'datasets' else cfg
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        dataset = mmpretrain.registry.DATASETS.build({**wrapper, key: value})
    assert dataset.metainfo['classes'] == CLASSES
    if times is None:
        # A third of the pairs is spontaneous; sqrt(0.6 / (1 / 3)) = 1.34, rounded up.
        rows = [r for r in rows for _ in range(1 + (r['label'] == 'spontaneous'))]
        times = 1
    check_pairs(dataset, path, rows * times)


def test_parts_share_nothing_with_datasets_that_are_gone(table):
    """MMEngine remembers the ids of all that it ever copied for a subset."""
    dataset = PairDataset(str(table), pipeline=LOAD_AND_PACK, cache='none')
    (memo,) = BaseDataset._copy_without_annotation.__defaults__
    memo[id(dataset.pipeline)] = 'what once had this id'
    try:
        assert len(dataset.get_subset(2)) == 2
        assert callable(dataset.get_subset(2).pipeline)
    finally:
        memo.clear()


@pytest.mark.parametrize('cache', ['ram', 'none'])
def test_part_of_a_dataset(table, rows, cache):
    dataset = PairDataset(str(table), pipeline=LOAD_AND_PACK, cache=cache)
    part = dataset.get_subset([7, 2, 2, 11])
    check_pairs(part, table, [rows[i] for i in (7, 2, 2, 11)])
    dataset.get_subset_(-3)
    check_pairs(dataset, table, rows[-3:])
