"""What is built and installed holds all that it needs."""

import os
import runpy
import shutil
import subprocess
import sys
import venv
import zipfile
from itertools import chain

import pytest
import setuptools
import yaml
from networks import write_constant_network
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from runs import REPOSITORY

import mmcomp
from mmcomp.faces.detection import MODEL
from mmcomp.faces.landmarks import MODEL as LANDMARKS

SOURCES = ['mmcomp', 'configs', 'tools', 'setup.py', 'pyproject.toml', 'MANIFEST.in']
SOURCES += ['README.md', 'LICENSE', 'model-index.yml']
LOAD = """
import mmcomp
from pathlib import Path
from mmengine.config import Config
from mmcomp.apis import get_model, list_models
from mmcomp.synthetic import PRESETS
assert Config.fromfile('child.py').model.backbone.after == 'stages.2'
model = get_model('compcnn_comb@2', device='cpu')
print(mmcomp.__file__, type(model).__name__, len(PRESETS), *list_models('*comp*'))
"""
CHILD = """
_base_ = __import__('mmcomp').config_path('compcnn_comb@2')
model = dict(backbone=dict(after='stages.2'))
"""
ENDINGS = '-svm', '@1', '@2', '@3'
STACKED = 'compcnn_comb@2-geometry-svm'


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """A wheel built from an sdist, as ``python -m build`` does."""
    source = tmp_path_factory.mktemp('source')
    ignore = shutil.ignore_patterns('__pycache__', '.mim')
    for name in SOURCES:
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, source / name, ignore=ignore)
        else:
            shutil.copy2(REPOSITORY / name, source / name)
    command = [sys.executable, '-m', 'build', '--no-isolation', str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next((source / 'dist').glob('*.whl'))


@pytest.fixture
def requirements(monkeypatch):
    """Every requirement in setup.py, those of the extras too, by its name."""
    given = {}
    monkeypatch.setattr(setuptools, 'setup', lambda **settings: given.update(settings))
    monkeypatch.chdir(REPOSITORY)
    runpy.run_path('setup.py')
    lines = [given['install_requires'], *given['extras_require'].values()]
    found = {}
    for requirement in map(Requirement, chain.from_iterable(lines)):
        found.setdefault(canonicalize_name(requirement.name), set()).add(requirement)
    return found


def pins(name):
    """The versions in a constraints file, by the name of the package."""
    lines = (REPOSITORY / name).read_text().splitlines()
    pins = [line.split('==') for line in lines if not line.startswith('#')]
    return {canonicalize_name(name): Version(version) for name, version in pins}


def test_oldest_versions_are_the_lower_bounds(requirements):
    bounds = {
        (name, specifier.operator, Version(specifier.version))
        for name, lines in requirements.items()
        for line in lines
        for specifier in line.specifier
    }
    oldest = pins('constraints-oldest.txt').items()
    assert bounds == {(name, '>=', version) for name, version in oldest}


def test_every_requirement_is_pinned_within_its_bounds(requirements):
    newest = pins('constraints.txt')
    for name, lines in requirements.items():
        for line in lines:
            assert line.specifier.contains(newest[name], prereleases=True)


def files(folder):
    """Names of the configs and tools that the repository has."""
    return {
        f'mmcomp/.mim/{path.relative_to(REPOSITORY).as_posix()}'
        for path in (REPOSITORY / folder).rglob('*')
        if path.is_file() and '__pycache__' not in path.parts
    }


@pytest.mark.slow
def test_wheel_holds_mim_and_data(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = files('configs') | files('tools') | {'mmcomp/.mim/model-index.yml'}
    assert expected <= names
    assert {'mmcomp/py.typed', 'mmcomp/synthetic/head_cc0.npz'} <= names
    networks = {path.relative_to(REPOSITORY).as_posix() for path in (MODEL, LANDMARKS)}
    assert networks | {'mmcomp/faces/NOTICE.md'} <= names
    assert not [name for name in names if name.startswith('tests')]


@pytest.mark.slow
def test_wheel_works_where_it_is_installed(wheel, tmp_path):
    site = tmp_path / 'site'
    command = [sys.executable, '-m', 'pip', 'install', '-q', '--no-deps', '--target']
    subprocess.run([*command, str(site), str(wheel)], check=True)
    env = dict(os.environ, PYTHONPATH=str(site))
    (tmp_path / 'child.py').write_text(CHILD)
    done = subprocess.run(
        [sys.executable, '-c', LOAD],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    path, kind, presets, *names = done.stdout.split()
    assert path.startswith(str(site))
    assert kind == 'PairClassifier'
    assert int(presets) >= 3
    own = [f'compcnn_{name}{at}' for name in ('comb', 'sub') for at in ENDINGS]
    assert names == sorted([STACKED, *own])
    # By name, with the data of another config by name; a part of an image short.
    options = ['train_cfg.max_epochs=0', 'alignmnt.size=96']
    command = [sys.executable, '-m', 'mmcomp', 'train', 'compcnn_comb@2']
    done = subprocess.run(
        [*command, '--dataset', 'orl', '--cfg-options', *options],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "there is no 'alignmnt'" in done.stderr


@pytest.mark.slow
@pytest.mark.network
def test_the_extra_runtime_predicts_without_pytorch(wheel, tmp_path):
    """In an environment with what the wheel asks for, and nothing else."""
    from mmcomp.synthetic import render_clip, write_clip

    network = write_constant_network(
        tmp_path / 'network.onnx', {'posed': 0.25, 'spontaneous': 0.75}
    )
    clip = tmp_path / 'smile.mp4'
    write_clip(render_clip('happiness', 'posed', seconds=2, fps=15), clip)
    venv.create(tmp_path / 'env', with_pip=True)
    binaries = tmp_path / 'env' / 'bin'
    pins = REPOSITORY / 'constraints.txt'
    install = [
        'pip',
        'install',
        '-q',
        '-c',
        pins,
        f'mmcomp[runtime] @ {wheel.as_uri()}',
    ]
    env = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    done = subprocess.run(
        [binaries / 'python', '-m', *install], env=env, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f'pip cannot install: {done.stderr[-300:]}')
    done = subprocess.run(
        [binaries / 'mmcomp', 'predict', network, clip, '--out', 'out'],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert 'smile.mp4: spontaneous (0.75)' in done.stdout
    installed = {p.name for p in (tmp_path / 'env').rglob('site-packages/*')}
    assert 'onnxruntime' in installed
    assert not installed & {'torch', 'mmengine', 'mmcv', 'mmpretrain', 'scipy'}


def test_editable_install_links_mim():
    """This environment is one: what MIM finds are the files of the repository."""
    mim = REPOSITORY / 'mmcomp' / '.mim'
    for name in ('configs', 'tools', 'model-index.yml'):
        assert (mim / name).resolve() == REPOSITORY / name


def test_citation_names_this_version():
    citation = yaml.safe_load((REPOSITORY / 'CITATION.cff').read_text())
    assert citation['version'] == mmcomp.__version__
    paper = citation['references'][0]
    names = [author['family-names'] for author in paper['authors']]
    assert names == ['Xu', 'Qin', 'Bai', 'Wang', 'Liu']
