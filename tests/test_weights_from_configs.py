"""Weights that a config or an option names are data, however they are loaded."""

import os
import shutil
import zipfile

import pytest
import torch
from mmengine.runner import CheckpointLoader, load_checkpoint
from runs import build, small_config
from torch import nn

import mmcomp.registry  # noqa: F401  (it replaces MMEngine's loaders)
from mmcomp.apis import PairInferencer, get_model
from mmcomp.apis.model import load_model
from mmcomp.checkpoint import CheckpointError, load_plain_checkpoint

pytestmark = pytest.mark.slow  # whole runs, files or clips


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f'touch "{self.path}"',)


@pytest.fixture(scope='module')
def table(make_pair_table, tmp_path_factory):
    return make_pair_table(tmp_path_factory.mktemp('weights'))


@pytest.fixture
def hostile(tmp_path):
    """A file of weights that runs a program when unpickled; and what that writes."""
    path, victim = tmp_path / 'hostile.pth', tmp_path / 'victim'
    torch.save({'state_dict': {'w': torch.ones(1)}, 'x': Hostile(victim)}, path)
    return str(path), victim


def pretrained(path):
    return dict(type='Pretrained', checkpoint=path)


WAYS = {
    'load_from': dict(load_from='{}'),
    'resume': dict(load_from='{}', resume=True),
    'init_cfg of the backbone': dict(model__backbone__init_cfg=pretrained('{}')),
    'init_cfg with a prefix': dict(
        model__backbone__init_cfg=dict(pretrained('{}'), prefix='backbone.')
    ),
    'init_cfg of the network': dict(model__init_cfg=pretrained('{}')),
    'pretrained': dict(model__pretrained='{}'),
}


def filled(value, path):
    if isinstance(value, dict):
        return {key: filled(own, path) for key, own in value.items()}
    return value.format(path) if isinstance(value, str) else value


@pytest.mark.parametrize('way', WAYS)
def test_training_stops_and_runs_nothing(way, table, hostile, tmp_path):
    path, victim = hostile
    cfg = small_config(table, tmp_path / 'run', epochs=1, **filled(WAYS[way], path))
    with pytest.raises(CheckpointError, match=r'hostile\.pth: refused') as error:
        build(cfg).train()
    assert not victim.exists()
    assert not list((tmp_path / 'run').glob('*.pth'))
    assert 'weights_only' not in str(error.value)
    assert '\n' not in str(error.value)


def test_members_of_a_stack(table, hostile, tmp_path):
    path, victim = hostile
    cfg = small_config(table, tmp_path / 'run', 'compcnn_sub-svm', epochs=1)
    cfg.model.checkpoints = {'compcnn_sub@1': path}
    with pytest.raises(CheckpointError, match='refused'):
        build(cfg).train()
    assert not victim.exists()


def test_functions_of_mmengine_and_mmpretrain(hostile):
    path, victim = hostile
    for load in (
        lambda: CheckpointLoader.load_checkpoint(path),
        lambda: load_checkpoint(nn.Linear(1, 1), path),
        lambda: get_model('compcnn_comb@2', pretrained=path, device='cpu'),
        lambda: get_model('resnet18_8xb32_in1k', pretrained=path, device='cpu'),
        lambda: load_model('compcnn_comb@2', path),
    ):
        with pytest.raises(CheckpointError, match='refused'):
            load()
        assert not victim.exists()


@pytest.mark.parametrize(
    'name', ['https://example.org/a.pth', 'torchvision://resnet18', 's3://b/a.pth']
)
def test_nothing_is_downloaded(name):
    with pytest.raises(CheckpointError, match='must be a file, as nothing is download'):
        CheckpointLoader.load_checkpoint(name)


def test_good_weights_start_a_training(table, tmp_path):
    build(small_config(table, tmp_path / 'a', epochs=1)).train()
    path = str(tmp_path / 'a' / 'epoch_1.pth')
    options = dict(model__backbone__init_cfg=dict(pretrained(path), prefix='backbone.'))
    runner = build(small_config(table, tmp_path / 'b', epochs=1, **options))
    runner.model.init_weights()
    saved = load_plain_checkpoint(path)['state_dict']
    for key, value in runner.model.state_dict().items():
        if key.startswith('backbone.'):
            assert torch.equal(value, saved[key]), key


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / 'bomb.pth'
    torch.save({'state_dict': {'w': torch.zeros(2_000_000)}}, tmp_path / 'large.pth')
    with (
        zipfile.ZipFile(tmp_path / 'large.pth') as source,
        zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            target.writestr(entry.filename, source.read(entry))
    assert path.stat().st_size < 100_000
    with pytest.raises(
        CheckpointError, match=r'and unpacks to 8\d{6}; checkpoints are'
    ):
        load_plain_checkpoint(path)


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_weights_that_are_no_numbers_are_refused(value, tmp_path):
    torch.save({'state_dict': {'a.w': torch.tensor([1.0, value])}}, tmp_path / 'x.pth')
    with pytest.raises(CheckpointError, match=r"weight 'a\.w' holds NaN or infinity"):
        load_plain_checkpoint(tmp_path / 'x.pth')


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ({'state_dict': [1, 2]}, r'state_dict is \[1, 2\]; it must be a dictionary'),
        ({'state_dict': None}, 'state_dict is None; it must be a dictionary'),
        ({'state_dict': {1: torch.ones(1)}}, 'weight 1 is a Tensor; weights must be'),
        ({'state_dict': {'w': 3}}, "weight 'w' is a int"),
        ({'state_dict': {}, 'meta': 'text'}, "meta is 'text'; it must be a dictionary"),
        ({'state_dict': {}, 'meta': [1]}, r'meta is \[1\]'),
    ],
)
def test_content_of_another_kind_is_one_line(content, message, tmp_path):
    torch.save(content, tmp_path / 'x.pth')
    with pytest.raises(CheckpointError, match=message) as error:
        load_plain_checkpoint(tmp_path / 'x.pth')
    assert '\n' not in str(error.value)


CONFIG_OF_A_STRANGER = [
    "model = __import__('os').system('touch {}')",
    "model = dict(type='os.system', command='touch {}')",
    "model = dict(type='mmengine.fileio.put_text', obj='x', filepath='{}')",
    "custom_imports = dict(imports=['victim'])\nmodel = dict(type='VictimNet')",
    'model = 3',
    "model = dict(type='mmcomp.PairClassifier', backbone=dict(type='subprocess.run', "
    "args=['touch', '{}']))",
]


@pytest.mark.parametrize('text', CONFIG_OF_A_STRANGER)
def test_the_config_in_a_checkpoint_runs_nothing(text, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    victim = tmp_path / 'victim'
    (tmp_path / 'victim.py').write_text(f'open({str(victim)!r}, "w")')
    meta = {'cfg': text.format(victim)}
    torch.save({'state_dict': {'w': torch.ones(1)}, 'meta': meta}, tmp_path / 'x.pth')
    with pytest.raises(CheckpointError, match='its config cannot be used') as error:
        load_model(None, tmp_path / 'x.pth')
    assert not victim.exists()
    assert '\n' not in str(error.value)


def test_a_checkpoint_without_config_asks_for_it(tmp_path):
    torch.save({'state_dict': {'w': torch.ones(1)}}, tmp_path / 'x.pth')
    with pytest.raises(CheckpointError, match='holds no config; give the config, too'):
        load_model(None, tmp_path / 'x.pth')


@pytest.mark.parametrize('name', ['a.pt2', 'a.pkl', 'a.txt'])
def test_exported_programs_are_not_loaded(name, hostile, tmp_path):
    """PyTorch may run what is in a .pt2 file, so nothing here reads one."""
    path, victim = hostile
    shutil.copy(path, tmp_path / name)
    with pytest.raises(ValueError, match=name):
        PairInferencer(tmp_path / name)
    assert not victim.exists()
