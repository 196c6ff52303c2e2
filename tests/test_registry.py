"""Registries and version bounds."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import mmengine.registry
import mmpretrain.registry
import pytest
from mmengine.registry import Registry, init_default_scope

from mmcomp import registry
from mmcomp.installed import check_requirements

NODES = {k: v for k, v in vars(registry).items() if isinstance(v, Registry)}


def test_every_node_of_the_runner_is_a_child_of_mmpretrain():
    """Every registry that MMEngine exports and MMPretrain has, we have."""
    known = {
        name
        for name, node in vars(mmpretrain.registry).items()
        if isinstance(node, Registry) and not name.startswith('MMENGINE')
    }
    assert known - {'TOKENIZER'} == NODES.keys()
    for name, node in NODES.items():
        assert node.parent is getattr(mmpretrain.registry, name)
        assert node.scope == 'mmcomp'
        node.import_from_location()


def test_registry_stays_short():
    assert len(Path(registry.__file__).read_text().splitlines()) < 80


@pytest.mark.parametrize('scope', ['mmpretrain', 'mmengine'])
def test_full_names_are_found_from_any_scope(scope):
    """By prefix below MMPretrain; by the path of the class from anywhere."""
    init_default_scope(scope)
    node = mmengine.registry.MODELS
    assert node.get('mmcomp.models.Subtraction').__name__ == 'Subtraction'
    if scope == 'mmpretrain':
        cfg = dict(type='mmcomp.Subtraction', in_channels=3)
        assert mmengine.registry.MODELS.build(cfg).in_channels == 3
    init_default_scope('mmpretrain')


def test_unprefixed_names_find_parents():
    head = registry.MODELS.build(
        dict(type='LinearClsHead', num_classes=2, in_channels=3)
    )
    assert head.in_channels == 3


@pytest.mark.parametrize(
    ('found', 'message'),
    [('0.10.7', 'needs mmengine.*but 0.10.7 is installed'), (None, 'but none is inst')],
)
def test_old_or_missing_parents_are_refused(found, message, monkeypatch):
    real = metadata.version

    def version(name):
        if name != 'mmengine':
            return real(name)
        if found is None:
            raise metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(metadata, 'version', version)
    with pytest.raises(ImportError, match=message):
        check_requirements()


def test_import_alone_loads_nothing_heavy():
    code = (
        'import sys, mmcomp, mmcomp.synthetic; '
        'print(*{m.split(".")[0] for m in sys.modules} & {"torch", "mmengine"})'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True
    )
    assert not done.stdout.strip()
