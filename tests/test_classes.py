"""Names of classes: from the file, else from the config, else by number."""

import json

import onnx
import pytest
import torch
from mmengine.config import Config
from runs import build, small_config
from safetensors.torch import save_file

from mmcomp.apis import PairInferencer
from mmcomp.apis.model import load_model
from mmcomp.checkpoint import CheckpointError, load_plain_checkpoint
from mmcomp.classes import ClassesError, check_same_classes, choose_classes, class_list
from mmcomp.export import export_model, real_pairs

pytestmark = pytest.mark.slow  # whole runs, files or clips

THREE = ['anger', 'none', 'smile']


@pytest.fixture(scope='module')
def trained(make_pair_table, tmp_path_factory):
    """A config of three classes, and the folder of its training."""
    folder = tmp_path_factory.mktemp('three')
    table = make_pair_table(folder, subjects=4, pairs=2, classes=THREE)
    cfg = small_config(table, folder / 'run', epochs=1, model__head__num_classes=3)
    for loader in ('train', 'val', 'test'):
        cfg[f'{loader}_dataloader'].dataset.metainfo = dict(classes=THREE)
    cfg.dump(folder / 'compcnn_sub@1.py')
    build(cfg).train()
    return cfg, folder


def state_of(folder):
    return load_plain_checkpoint(folder / 'run' / 'epoch_1.pth')['state_dict']


@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
def test_bare_weights_take_the_names_of_the_config(suffix, trained, tmp_path):
    cfg, folder = trained
    path = tmp_path / f'bare{suffix}'
    state = {key: value.contiguous() for key, value in state_of(folder).items()}
    (save_file if suffix[1] == 's' else torch.save)(state, path)
    assert load_model(cfg, path, 'cpu').classes == tuple(THREE)


def test_bare_weights_of_a_config_without_data_have_numbers(trained, tmp_path):
    cfg, folder = trained
    torch.save(state_of(folder), tmp_path / 'bare.pth')
    bare = Config(dict(model=cfg.model))
    model = load_model(bare, tmp_path / 'bare.pth', 'cpu')
    assert model.classes == ('class0', 'class1', 'class2')


def test_names_in_the_file_come_first(trained):
    cfg, folder = trained
    other = Config(cfg.to_dict())
    for loader in ('train', 'val', 'test'):
        other[f'{loader}_dataloader'].dataset.metainfo = dict(classes=['a', 'b', 'c'])
    model = load_model(other, folder / 'run' / 'epoch_1.pth', 'cpu')
    assert model.classes == tuple(THREE)


def test_another_number_of_names_is_refused(trained, tmp_path):
    cfg, folder = trained
    two = Config(cfg.to_dict())
    for loader in ('train', 'val', 'test'):
        two[f'{loader}_dataloader'].dataset.metainfo = dict(classes=['a', 'b'])
    torch.save(state_of(folder), tmp_path / 'bare.pth')
    with pytest.raises(
        ClassesError, match="of the config are 'a', 'b'; they must be 3"
    ):
        load_model(two, tmp_path / 'bare.pth', 'cpu')
    meta = {'dataset_meta': {'classes': ['a', 'b']}}
    torch.save(dict(state_dict=state_of(folder), meta=meta), tmp_path / 'two.pth')
    with pytest.raises(ClassesError, match=r"two.pth are 'a', 'b'; they must be 3"):
        load_model(cfg, tmp_path / 'two.pth', 'cpu')


@pytest.mark.parametrize('names', [['only'], 'ab', ['a', 'a'], ['a', 1], {'a': 1}])
def test_names_that_are_none_are_refused(names, trained, tmp_path):
    cfg, folder = trained
    meta = {'dataset_meta': {'classes': names}}
    torch.save(dict(state_dict=state_of(folder), meta=meta), tmp_path / 'odd.pth')
    with pytest.raises(ClassesError, match='two or more different names'):
        load_model(cfg, tmp_path / 'odd.pth', 'cpu')


@pytest.mark.parametrize('names', [THREE[::-1], ['a', 'b', 'c']])
def test_testing_on_other_names_or_another_order_is_refused(names, trained, tmp_path):
    cfg, folder = trained
    other = Config(cfg.to_dict())
    other.work_dir = str(tmp_path)
    other.load_from = str(folder / 'run' / 'epoch_1.pth')
    for loader in ('train', 'val', 'test'):
        other[f'{loader}_dataloader'].dataset.metainfo = dict(classes=names)
    table = (folder / 'pairs.csv').read_text()
    if names[0] == 'a':
        for old, new in zip(THREE, names):
            table = table.replace(f',{old}\n', f',{new}\n')
        (folder / 'renamed.csv').write_text(table)
        for loader in ('train', 'val', 'test'):
            other[f'{loader}_dataloader'].dataset.ann_file = str(folder / 'renamed.csv')
    with pytest.raises(ClassesError, match=r'they must be those of .*epoch_1\.pth'):
        build(other).test()
    assert not (tmp_path / 'predictions.csv').exists()


def test_training_with_another_number_of_classes_is_refused(trained, tmp_path):
    cfg, _ = trained
    other = Config(cfg.to_dict())
    other.work_dir, other.model.head.num_classes = str(tmp_path), 2
    with pytest.raises(ClassesError, match='they must be 2'):
        build(other).train()


def test_exported_files_keep_the_names_and_damaged_ones_are_refused(trained, tmp_path):
    cfg, folder = trained
    model = load_model(cfg, folder / 'run' / 'epoch_1.pth', 'cpu')
    export_model(model, tmp_path / 'net.onnx', 'onnx', real_pairs(cfg))
    export_model(model, tmp_path / 'net.safetensors', 'safetensors', real_pairs(cfg))
    for name in ('net.onnx', 'net.safetensors'):  # the second has its config inside
        assert PairInferencer(tmp_path / name, device='cpu').classes == tuple(THREE)
    for changed, message in (
        (json.dumps(['a', 'b']), 'they must be 3'),
        ('[' * 100_000, 'metadata are damaged'),
        ('"ab"', 'two or more different names'),
    ):
        network = onnx.load(tmp_path / 'net.onnx')
        for entry in network.metadata_props:
            if entry.key == 'classes':
                entry.value = changed
        onnx.save(network, tmp_path / 'odd.onnx')
        with pytest.raises(ValueError, match=message):
            PairInferencer(tmp_path / 'odd.onnx')


def test_a_checkpoint_alone_predicts_as_with_its_config(trained):
    cfg, folder = trained
    path = folder / 'run' / 'epoch_1.pth'
    alone = load_model(None, path, 'cpu')
    given = load_model(cfg, path, 'cpu')
    assert alone.classes == given.classes == tuple(THREE)
    pairs = torch.randint(0, 255, (3, 2, 1, 48, 48), dtype=torch.uint8)
    found = [
        PairInferencer(model, aligned=True).scorer.scores(pairs.numpy())
        for model in (alone, given)
    ]
    assert (found[0] == found[1]).all()


def test_a_config_of_fewer_classes_is_not_needed(trained):
    _, folder = trained
    message = r'another shape: head.*; the checkpoint holds its own config: leave the'
    with pytest.raises(CheckpointError, match=message):
        load_model('compcnn_sub@1', folder / 'run' / 'epoch_1.pth', 'cpu')


def test_choosing_and_comparing():
    assert choose_classes(None, None, 3, 'f') == ('class0', 'class1', 'class2')
    assert choose_classes(('a', 'b'), ('c', 'd'), 2, 'f') == ('a', 'b')
    assert class_list(['a', 'b'], 'f') == ('a', 'b')
    check_same_classes(None, ['a'], 'f')
    check_same_classes(['a', 'b'], None, 'f')
    check_same_classes(('a', 'b'), ['a', 'b'], 'f')
    with pytest.raises(ClassesError, match="'b', 'a'; they must be those of f, in its"):
        check_same_classes(['a', 'b'], ['b', 'a'], 'f')
