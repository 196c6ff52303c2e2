"""Data sets in wrappers: the guard, the stack and the split see those inside."""

import json

import numpy as np
import pandas as pd
import pytest
from mmengine.config import Config
from runs import build, small_config
from torch.utils.data import Dataset, Subset

from mmcomp.config import base_configs, use_dataset
from mmcomp.datasets.wrappers import base_datasets
from mmcomp.registry import DATASETS

pytestmark = pytest.mark.slow  # whole runs, files or clips

WRAPPERS = {
    'ClassBalancedDataset': dict(type='ClassBalancedDataset', oversample_thr=0.9),
    'RepeatDataset': dict(type='RepeatDataset', times=2),
    'twice': dict(type='RepeatDataset', times=1, inner=True),
}


def wrap(dataset, name):
    if name == 'ConcatDataset':
        return dict(type='ConcatDataset', datasets=[dataset])
    options = dict(WRAPPERS[name])
    if options.pop('inner', False):
        dataset = dict(type='ConcatDataset', datasets=[dataset])
    return dict(options, dataset=dataset)


@pytest.fixture(scope='module')
def table(make_pair_table, tmp_path_factory):
    return make_pair_table(tmp_path_factory.mktemp('wrapped'), subjects=6, pairs=2)


@pytest.mark.parametrize('loader', ['train', 'val'])
@pytest.mark.parametrize('name', [*WRAPPERS, 'ConcatDataset'])
def test_shared_subjects_are_found_in_wrappers(name, loader, table, tmp_path):
    cfg = small_config(table, tmp_path)
    cfg[f'{loader}_dataloader'].dataset.subset = 'all'
    wrapped = wrap(cfg[f'{loader}_dataloader'].dataset, name)
    cfg[f'{loader}_dataloader'].dataset = wrapped
    with pytest.raises(ValueError, match='3 subjects are in the training and the val'):
        build(cfg).train()
    assert not list(tmp_path.glob('*.pth'))


@pytest.mark.parametrize('name', ['ClassBalancedDataset', 'twice'])
def test_choosing_on_a_wrapped_test_set_is_refused(name, table, tmp_path):
    cfg = small_config(
        table, tmp_path, default_hooks__checkpoint__save_best='pair/error_rate'
    )
    cfg.val_dataloader.dataset = wrap(cfg.val_dataloader.dataset, name)
    with pytest.raises(ValueError, match="is 'test', and PlainCheckpointHook"):
        build(cfg).train()


@DATASETS.register_module(force=True)
class Nameless(Dataset):
    """Pairs of which nobody says whose they are."""

    metainfo = dict(classes=('posed', 'spontaneous'))

    def __len__(self):
        return 8


@pytest.mark.parametrize('loader', ['train', 'val'])
@pytest.mark.parametrize('wrapped', [False, True])
def test_data_of_unknown_people_are_refused(wrapped, loader, table, tmp_path):
    cfg = small_config(table, tmp_path)
    dataset = dict(type='mmcomp.Nameless')
    cfg[f'{loader}_dataloader'].dataset = (
        dict(type='mmcomp.Sliced', dataset=dataset) if wrapped else dataset
    )
    with pytest.raises(ValueError, match='a Nameless does not say which people'):
        build(cfg).train()
    assert not list(tmp_path.glob('*.pth'))


@DATASETS.register_module(force=True)
class Sliced(Subset):
    """PyTorch's wrapper, which OpenMMLab knows nothing of."""

    def __init__(self, dataset):
        super().__init__(DATASETS.build(dataset), range(4))


def test_the_table_names_the_fold_of_wrapped_data(table, tmp_path):
    cfg = small_config(table, tmp_path, epochs=1)
    cfg.val_dataloader.dataset = wrap(cfg.val_dataloader.dataset, 'ConcatDataset')
    build(cfg).train()
    assert set(pd.read_csv(tmp_path / 'predictions.csv')['fold']) == {0}


def test_a_wrapped_run_leaves_split_and_people(table, tmp_path):
    cfg = small_config(table, tmp_path, epochs=1)
    cfg.train_dataloader.dataset = wrap(cfg.train_dataloader.dataset, 'RepeatDataset')
    runner = build(cfg)
    runner.train()
    split = json.loads((tmp_path / 'split.json').read_text())
    trained = split['train']
    assert len(trained) == 3
    assert runner.train_dataloader.dataset.metainfo['people'] == trained
    tested = pd.read_csv(tmp_path / 'predictions.csv', dtype=str)['subject']
    assert not set(tested) & set(trained)


def test_a_stack_is_fitted_on_each_wrapped_pair_once(table, tmp_path):
    """As one without a wrapper: the SVM has the same weights to the last bit."""
    found = []
    for name in ('', 'ConcatDataset', 'twice'):
        folder = tmp_path / (name or 'plain')
        cfg = small_config(table, folder, 'compcnn_sub-svm', epochs=1)
        if name:
            cfg.train_dataloader.dataset = wrap(cfg.train_dataloader.dataset, name)
        runner = build(cfg)
        runner.train()
        found.append(runner.model.svms[0].weight.numpy())
    assert np.abs(found[0]).max() > 0
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


def test_two_tables_of_other_people_leave_two_splits(table, make_pair_table, tmp_path):
    other = make_pair_table(tmp_path / 'other', subjects=4, pairs=2)
    frame = pd.read_csv(other, dtype=str)
    frame['subject'] = 'x' + frame['subject']
    frame['sample_id'] = 'x' + frame['sample_id']
    frame.to_csv(other, index=False)
    cfg = small_config(table, tmp_path / 'run', epochs=1)
    second = cfg.train_dataloader.dataset.copy()
    second.ann_file = str(other)
    both = dict(type='ConcatDataset', datasets=[cfg.train_dataloader.dataset, second])
    cfg.train_dataloader.dataset = both
    build(cfg).train()
    splits = [
        json.loads((tmp_path / 'run' / f'split-{i}.json').read_text()) for i in (1, 2)
    ]
    assert [len(split['train']) for split in splits] == [3, 2]


def test_configs_are_unwrapped_at_any_depth():
    inner = [dict(type='A'), dict(type='B')]
    wrapped = dict(
        type='R', dataset=dict(type='C', datasets=[inner[0], dict(dataset=inner[1])])
    )
    assert list(base_configs(wrapped)) == inner
    assert list(base_configs(None)) == []


def test_base_datasets_are_found_at_any_depth():
    class Wrapper:
        def __init__(self, **inner):
            self.__dict__.update(inner)

    a, b = object(), object()
    wrapped = Wrapper(dataset=Wrapper(datasets=[a, Wrapper(dataset=b)]))
    assert base_datasets(wrapped) == [a, b]
    assert base_datasets(a) == [a]


def test_heads_follow_the_classes_of_a_wrapped_dataset(tmp_path):
    path = tmp_path / 'data.py'
    path.write_text(
        "train_dataloader = dict(dataset=dict(type='RepeatDataset', times=2, "
        "dataset=dict(type='A', metainfo=dict(classes=['a', 'b', 'c']))))\n"
    )
    cfg = Config(dict(model=dict(head=dict(num_classes=2))))
    use_dataset(cfg, path)
    assert cfg.model.head.num_classes == 3
