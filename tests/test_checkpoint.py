"""Checkpoints of plain data, and files that are not."""

import os
import pickle
import zipfile

import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.model import PretrainedInit
from safetensors.torch import save_file
from torch import nn

from mmcomp.checkpoint import (
    CheckpointError,
    check_fits,
    classes_of,
    from_plain,
    load_plain_checkpoint,
    to_plain,
)
from mmcomp.classes import check_same_classes, choose_classes


class Hostile:
    """Writes a file when unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f'touch "{self.path}"',)


@pytest.mark.parametrize(
    'save', [torch.save, lambda x, p: p.write_bytes(pickle.dumps(x))]
)
def test_hostile_pickle_is_refused_and_runs_nothing(save, tmp_path):
    victim, path = tmp_path / 'victim', tmp_path / 'bad.pth'
    save({'state_dict': {'w': torch.ones(1)}, 'meta': Hostile(victim)}, path)
    with pytest.raises(CheckpointError, match=r'bad\.pth: refused.*run code'):
        load_plain_checkpoint(path)
    assert not victim.exists()


def _truncated(path):
    torch.save({'state_dict': {'w': torch.ones(1000)}}, path)
    path.write_bytes(path.read_bytes()[:1500])


BROKEN = {
    'missing.pth': (lambda path: None, 'no such file'),
    'empty.pth': (lambda path: path.write_bytes(b''), 'cannot be read|refused'),
    'text.pth': (lambda path: path.write_text('hello'), 'cannot be read|refused'),
    'truncated.pth': (_truncated, 'cannot be read'),
    'list.pth': (lambda path: torch.save([1], path), 'holds a list'),
    'folder.pth': (lambda path: path.mkdir(), 'no such file'),
    'bad.safetensors': (lambda path: path.write_text('hello'), 'cannot be read'),
}


@pytest.mark.parametrize('name', BROKEN)
def test_broken_files(name, tmp_path):
    make, message = BROKEN[name]
    make(tmp_path / name)
    with pytest.raises(CheckpointError, match=message):
        load_plain_checkpoint(tmp_path / name)


def _zip_bomb(path):
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('archive/data.pkl', bytes(10_000_000))


def _saved(content):
    return lambda path: torch.save(content, path)


W = {'w': torch.ones(1)}
FAULTY = {
    'bomb': (_zip_bomb, r'unpacks to 10000000'),
    'nan': (_saved({'w': torch.tensor([1, float('nan')])}), "'w' holds NaN"),
    'inf': (_saved({'w': torch.tensor([float('inf')])}), "'w' holds NaN or inf"),
    'list': (_saved({'state_dict': [1]}), 'state_dict is '),
    'none': (_saved({'state_dict': None}), 'state_dict is None'),
    'keys': (_saved({'state_dict': {1: torch.ones(1)}}), 'weight 1 is a Tensor'),
    'meta': (_saved({'state_dict': W, 'meta': 'x'}), "meta is 'x'"),
    'view': (_saved({'w': torch.ones(1).expand(10**12)}), 'fewer numbers'),
}


@pytest.mark.parametrize('name', FAULTY)
def test_faulty_content_is_one_line(name, tmp_path):
    make, message = FAULTY[name]
    make(tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match=message) as caught:
        load_plain_checkpoint(tmp_path / 'a.pth')
    assert '\n' not in str(caught.value)
    assert 'weights_only' not in str(caught.value)


@pytest.mark.parametrize('names', [['a'], ['a', 'a'], 'ab', [1, 2], None])
def test_class_names_in_a_file(names, tmp_path):
    meta = {'dataset_meta': {'classes': names}}
    torch.save({'state_dict': W, 'meta': meta}, tmp_path / 'a.pth')
    loaded = load_plain_checkpoint(tmp_path / 'a.pth')
    if names is None:
        assert classes_of(loaded, 'a.pth') is None
        return
    with pytest.raises(ValueError, match=r'classes of a\.pth are .*two or more'):
        classes_of(loaded, 'a.pth')


def test_program_text_for_resume_is_left_out(tmp_path):
    """MMEngine's Runner.resume would run meta['config']."""
    meta = {'config': 'import os', 'epoch': 3}
    torch.save({'state_dict': W, 'meta': meta}, tmp_path / 'a.pth')
    assert load_plain_checkpoint(tmp_path / 'a.pth')['meta'] == {'epoch': 3}


@pytest.mark.parametrize('prefix', [None, 'backbone'])
def test_pretrained_of_a_config_is_plain_data(prefix, tmp_path):
    import mmcomp.registry  # noqa: F401

    victim, path = tmp_path / 'victim', tmp_path / 'bad.pth'
    torch.save({'state_dict': {'backbone.weight': Hostile(victim)}}, path)
    init = PretrainedInit(str(path), prefix)
    with pytest.raises(CheckpointError, match='could run code'):
        init(nn.Linear(1, 1))
    assert not victim.exists()
    for url in ('https://x.invalid/a.pth', 'torchvision://resnet18', 'mmcls://a'):
        with pytest.raises(CheckpointError, match='nothing is downloaded'):
            PretrainedInit(url)(nn.Linear(1, 1))


def test_class_names_come_from_file_then_config_then_numbers():
    assert choose_classes(['a', 'b'], ['c', 'd'], 2, 'x') == ('a', 'b')
    assert choose_classes(None, ['c', 'd'], 2, 'x') == ('c', 'd')
    assert choose_classes(None, None, 3, 'x') == ('class0', 'class1', 'class2')
    with pytest.raises(ValueError, match="'a', 'b'; they must be 3"):
        choose_classes(['a', 'b'], None, 3, 'x')
    check_same_classes(['a', 'b'], ['a', 'b'], 'x')
    with pytest.raises(ValueError, match=r"are 'b', 'a'; .* x, in its order: 'a', 'b'"):
        check_same_classes(['a', 'b'], ['b', 'a'], 'x')


def test_plain_weights_and_safetensors_load(tmp_path):
    weights = nn.Linear(3, 2).state_dict()
    torch.save(weights, tmp_path / 'a.pth')
    torch.save({'state_dict': weights, 'meta': {'epoch': 3}}, tmp_path / 'b.pth')
    save_file(weights, tmp_path / 'c.safetensors')
    for name in ('a.pth', 'b.pth', 'c.safetensors'):
        loaded = load_plain_checkpoint(tmp_path / name)['state_dict']
        assert loaded.keys() == weights.keys()
        for key, value in weights.items():
            torch.testing.assert_close(loaded[key], value)


def test_weights_of_another_network_are_named():
    model = nn.Linear(3, 2)
    with pytest.raises(
        CheckpointError, match='missing: bias; unknown: other; of anoth'
    ):
        check_fits(model, {'weight': torch.ones(4, 2), 'other': torch.ones(1)}, 'x.pth')
    check_fits(model, model.state_dict(), 'x.pth')


def test_history_survives_as_plain_data(tmp_path):
    state = {
        'log_scalars': {'loss': HistoryBuffer([3.0, 2.5], [1, 4], 10)},
        'n': (1, 2),
    }
    plain = to_plain(state)
    torch.save({'state_dict': {}, 'message_hub': plain}, tmp_path / 'a.pth')
    loaded = from_plain(load_plain_checkpoint(tmp_path / 'a.pth')['message_hub'])
    buffer = loaded['log_scalars']['loss']
    assert isinstance(buffer, HistoryBuffer)
    assert [x.tolist() for x in buffer.data] == [[3.0, 2.5], [1, 4]]
    assert buffer.max_length == 10
    assert loaded['n'] == (1, 2)
