"""Reading configs: by name, with options, and with mistakes in them."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from runs import CONFIGS, REPOSITORY

from mmcomp import config_path
from mmcomp.config import TOP_LEVEL, load_config, merge_options
from mmcomp.installed import find_config

#: A config with the parts that matter here.
TEXT = """
model = dict(type='A', head=dict(type='B', dropouts=[0, 0]))
train_cfg = dict(max_epochs=3)
custom_hooks = [dict(type='C'), dict(type='D')]
load_from = None
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name='a.py'):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_a_name_is_that_of_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ('compcnn_comb@2', 'diffcnn', '_base_/models/compcnn'):
        found = Path(config_path(name))
        assert found.read_text() == (CONFIGS / f'{name}.py').read_text()
    by_name = load_config('compcnn_comb@2', 'orl')
    by_path = load_config(
        CONFIGS / 'compcnn_comb@2.py', CONFIGS / '_base_/datasets/orl.py'
    )
    assert by_name.to_dict() == by_path.to_dict()
    (tmp_path / 'diffcnn').write_text('')  # a file comes first
    assert find_config('diffcnn') == 'diffcnn'


@pytest.mark.parametrize(
    ('name', 'near'),
    [
        ('compcnn_comb@4', 'compcnn_comb@'),
        ('configs/nowhere/diffcnn.py', 'diffcnn'),
        ('casme', 'casme2'),
        ('nothing.py', None),
    ],
)
def test_an_unknown_name_gets_the_nearest(name, near):
    with pytest.raises(ValueError, match='no such file') as error:
        load_config(name)
    hint = re.findall("did you mean '(.*?)'", str(error.value))
    assert hint == [] if near is None else hint[0].startswith(near)


def test_a_config_elsewhere_inherits_from_one_that_is_installed(write):
    child = write(
        "_base_ = [__import__('mmcomp').config_path('compcnn_comb@2')]\n"
        "model = dict(backbone=dict(after='stages.2'))\n"
    )
    for cfg in (load_config(child), Config.fromfile(child)):
        assert cfg.model.backbone.after == 'stages.2'
        assert cfg.model.head.type == 'mmcomp.MLPClsHead'


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        ('modle.head.x', "there is no 'modle'; did you mean 'model'"),
        ('nothing', "there is no 'nothing'$"),
        ('train_cfg.max_epoch', 'in train_cfg; did you mean .max_epochs'),
        ('custom_hooks.2.type', 'custom_hooks is a list of 2'),
        ('custom_hooks.x', 'custom_hooks is a list of 2'),
        ('load_from.x', 'load_from is None, without keys'),
        ('train_cfg.max_epochs.x', 'max_epochs is 3, without keys'),
    ],
)
def test_an_option_that_is_not_there_is_refused(option, message, write):
    path = write(TEXT)
    with pytest.raises(ValueError, match=message) as error:
        load_config(path, options={option: 1})
    assert '\n' not in str(error.value)


def test_an_option_that_is_there_is_set(write):
    options = {
        'train_cfg.max_epochs': 1,
        'train_cfg.begin': 2,  # an argument with a default
        'model.head.num_classes': 5,
        'model.neck.type': 'E',
        'custom_hooks.1.type': 'F',
        'randomness.seed': 3,  # looked for, though this config lacks it
    }
    cfg = load_config(write(TEXT), options=options)
    assert cfg.train_cfg == dict(max_epochs=1, begin=2)
    assert cfg.model.head == dict(type='B', dropouts=[0, 0], num_classes=5)
    assert cfg.model.neck == dict(type='E')
    assert [hook.type for hook in cfg.custom_hooks] == ['C', 'F']
    assert cfg.randomness.seed == 3


@pytest.mark.parametrize('name', ['compcnn_comb@2', 'compcnn_comb-svm'])
def test_options_of_the_documentation_are_allowed(name):
    cfg = Config.fromfile(config_path(name), import_custom_modules=False)
    text = (REPOSITORY / 'docs' / 'configs.md').read_text()
    options = dict.fromkeys(re.findall(r'(?<=[` ])(\w+(?:\.\w+)+)=', text), 1)
    assert len(options) >= 8
    merge_options(cfg, options)


def test_what_mmengine_looks_for_may_be_given():
    found = re.findall(r"\bcfg\.get\(\s*'(\w+)'", inspect.getsource(Runner))
    own = {name for name in found if name in inspect.signature(Runner).parameters}
    assert own <= set(TOP_LEVEL)
    deep = {'dist_cfg', 'mp_cfg', 'cudnn_benchmark', 'resource_limit', 'seed', 'type'}
    assert set(found) - deep - {'num_workers'} <= set(TOP_LEVEL)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('x = 1\ny = (2,\n', r"line 2: '\(' was never closed: y = \(2,$"),
        ('x = 1\ny = z\n', r"a\.py, line 2: NameError: name 'z' is not defined$"),
        ("_base_ = 'nothing.py'\n", 'FileNotFoundError: .*nothing.py'),
        ('_base_ = []\n1 / 0\n', r'a\.py, line 2: ZeroDivisionError'),
    ],
)
def test_a_mistake_in_a_config_is_one_line(text, message, write):
    path = write(text)
    with pytest.raises(ValueError, match=message) as error:
        load_config(path)
    assert '\n' not in str(error.value)
    assert str(path) in str(error.value)


def test_an_import_that_fails_says_why(write):
    path = write("custom_imports = dict(imports=['nowhere.at_all'])\n")
    with pytest.raises(ImportError, match="No module named 'nowhere'"):
        load_config(path)


def test_mistakes_are_found_before_pytorch_is_imported(write):
    """In a config that imports mmcomp.registry."""
    path = write("_base_ = __import__('mmcomp').config_path('diffcnn')\n")
    code = (
        'import sys\nfrom mmcomp.config import load_config\n'
        f'try:\n    load_config({str(path)!r}, "spos", {{"modle.x": 1}})\n'
        'except ValueError as error:\n    print(error)\n'
        'assert "torch" not in sys.modules and "mmpretrain" not in sys.modules\n'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "did you mean 'model'" in done.stdout


def test_options_may_be_merged_into_any_config():
    cfg = Config(dict(model=dict(type='A')))
    merge_options(cfg, {'model.depth': 3})
    assert cfg.model == dict(type='A', depth=3)
