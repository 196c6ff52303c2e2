"""Checkpoints of plain data, and files that are not."""

import os
import pickle

import pytest
import torch
from mmengine.logging import HistoryBuffer
from safetensors.torch import save_file
from torch import nn

from mmcomp.checkpoint import (
    CheckpointError,
    check_fits,
    from_plain,
    load_plain_checkpoint,
    to_plain,
)


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
    with pytest.raises(
        CheckpointError, match=r'bad\.pth: refused: it is damaged, or holds'
    ):
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
