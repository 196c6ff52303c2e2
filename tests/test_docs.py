"""README.md and docs/ say what is there: commands, files, links, names and code."""

import argparse
import ast
import importlib
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys

import pytest
from mmengine.config import Config
from mmengine.registry import Registry
from pages import commands, each_page
from runs import REPOSITORY

import mmcomp.registry

TOOLS = [
    *sorted(REPOSITORY.glob('tools/*.py')),
    REPOSITORY / 'benchmarks' / 'speed.py',
    REPOSITORY / 'benchmarks' / 'faces.py',
]
REGISTRIES = [r for r in vars(mmcomp.registry).values() if isinstance(r, Registry)]
for registry in REGISTRIES:  # so that each test knows all names when it runs alone
    registry.import_from_location()
ELSEWHERE = ('/data/', 'network.onnx')  # code with files that are not here
FOLDERS = r'\b(?:configs|tools|examples|mmcomp|tests)/'


class Parsed(BaseException):
    """Stops a tool that has taken its arguments."""


@pytest.fixture(scope='module')
def take():
    """``take(tool, *arguments)``: do no more than parse; gives all options seen."""
    parser, options = argparse.ArgumentParser, set()
    add = parser.add_argument

    def parsing(parse):
        def parse_args(self, *args):
            parse(self, *args)
            raise Parsed

        return parse_args

    def add_argument(self, *names, **settings):
        options.update(names)
        return add(self, *names, **settings)

    with pytest.MonkeyPatch.context() as patch:
        for name in ('parse_args', 'parse_intermixed_args'):
            patch.setattr(parser, name, parsing(getattr(parser, name)))
        patch.setattr(parser, 'add_argument', add_argument)

        def take(tool, *arguments):
            patch.setattr(sys, 'argv', [tool, *arguments])
            with pytest.raises((Parsed, SystemExit)) as stop:
                runpy.run_path(str(REPOSITORY / tool), run_name='__main__')
            assert not getattr(stop.value, 'code', 0), f'{tool} refuses {arguments}'
            return options

        yield take


@each_page()
def test_commands(page, take):
    """The tools take them, and have every option that is named elsewhere."""
    for tool, *arguments in commands(page):
        if tool.endswith('.py'):
            take(tool, *arguments)
    for tool in TOOLS:
        options = take(tool, '--help') | {'--help'}
    for span in re.findall(r'`((?:--|tools/)[^`]*)`', page.read_text()):
        assert set(re.findall(r'--[a-z][a-z-]*', span)) <= options, span


def test_make_targets(take):
    """``make``'s long jobs give the tools what they take."""
    for target in ('train', 'table1', 'spos', 'real', 'demo'):
        command = ['make', '-n', '-W', 'setup.py', 'BF16=1', target]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
        shown = done.stdout.replace('\\\n', ' ')
        lines = re.findall(r'^\S+python (tools/\w+\.py .*)', shown, re.M)
        assert lines, done.stderr
        for line in lines:
            take(*shlex.split(line))


@each_page()
def test_files_links_and_names(page):
    text = page.read_text()
    for path in re.findall(FOLDERS + r'[\w@./-]+', text):
        placeholder = re.search('NAME|FILE|CONFIG', path)
        assert placeholder or (REPOSITORY / path.rstrip('.')).exists(), path
    for link in re.findall(r'\]\(([^)#:]+)(?:#[^)]*)?\)', text):
        assert (page.parent / link).exists(), link
    for name in re.findall(r"'mmcomp\.([A-Z]\w+)'", text):
        known = any(name in registry.module_dict for registry in REGISTRIES)
        assert known or f'class {name}' in text, name


def renders(text):
    return [pytest.mark.slow] if 'ensure_dataset(' in text else []


@each_page(marks=renders)
def test_python(page, tmp_path, monkeypatch):
    """Modules and names exist; configs load; what needs no other file runs."""
    shutil.copytree(REPOSITORY / 'configs', tmp_path / 'configs')
    monkeypatch.chdir(tmp_path)
    for block in re.findall(r'^```python\n(.*?)^```', page.read_text(), re.M | re.S):
        tree = ast.parse(block.replace('nvie-subset', 'tiny'))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(node.module)
                assert all(hasattr(module, name.name) for name in node.names)
        names = {'__name__': 'docs'}
        if '_base_ =' in block:
            name = re.match(r'# (\w+\.py)', block) or ['', 'block.py']
            file = tmp_path / ('configs' if "'./" in block else '.') / name[1]
            file.write_text(block)
            names = Config.fromfile(file)
        elif not any(word in block for word in ELSEWHERE):
            exec(compile(tree, str(page), 'exec'), names)
        for part in ('model', 'backbone'):
            if 'type' in names.get(part, ()):
                mmcomp.registry.MODELS.build(names[part])


@pytest.mark.slow
def test_the_site_builds(tmp_path):
    """Every page in the navigation, every link and every docstring of the reference."""
    pytest.importorskip('mkdocs', reason='MkDocs is not installed')
    # With -q, --strict would see no warning.
    command = [sys.executable, '-m', 'mkdocs', 'build', '--strict', '-d', tmp_path]
    env = dict(os.environ, NO_MKDOCS_2_WARNING='1')
    done = subprocess.run(
        command, cwd=REPOSITORY, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert 'PairInferencer' in (tmp_path / 'reference.html').read_text()
