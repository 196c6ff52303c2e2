"""The console command: quick, complete, and the same as tools/*.py."""

import argparse
import ast
import json
import logging
import os
import re
import subprocess
import sys
import tomllib
from collections import OrderedDict

import pytest
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from runs import REPOSITORY

import mmcomp
from mmcomp.cli import choices, run_tool
from mmcomp.cli.main import COMMANDS, command_module, main
from mmcomp.export import FORMATS
from mmcomp.faces.alignment import ALIGN_BY
from mmcomp.faces.pairs import SEVERAL
from mmcomp.synthetic import EMOTIONS, LABELS, LEVELS, PRESETS
from mmcomp.visualization import PairVisualizer

#: Import ``mmcomp.cli.main``, run it, and print which heavy packages it imported.
RUN = """
import sys
from mmcomp.cli.main import main
try:
    main(sys.argv[1:])
finally:
    heavy = {'torch', 'mmpretrain', 'pandas', 'matplotlib'}
    if sys.argv[1] != 'index':  # its subcommands are a Registry of MMEngine
        heavy.add('mmengine')
    print('imported', sorted(heavy & set(sys.modules)))
"""
#: Run command lines where PyTorch cannot be imported; print how each ends.
WITHOUT = """
import contextlib, io, json, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name in ('torch', 'mmpretrain'):
            raise AssertionError(f'imports {name}')

sys.meta_path.insert(0, Refuse())
from mmcomp.cli.main import main
ends = []
for line in json.loads(sys.argv[1]):
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            main(line)
        ends.append('done')
    except SystemExit as error:
        ends.append(said.getvalue() if error.code == 2 else str(error.code))
    except AssertionError as error:
        ends.append(str(error))
print(json.dumps(ends))
"""
#: Files that are there, for the command lines below.
THERE = {
    'a.py': 'model = dict(type="A")',
    'bad.py': 'x = (1,',
    'a.pth': '',
    'a.onnx': '',
    'a.mp4': '',
}
#: A command line with one mistake, and what is said of it.
MISTAKES = {
    'train no.py': "error: config 'no.py': no such file",
    'train comp_comb@2': "did you mean 'compcnn_comb@2'",
    'train bad.py': "error: config 'bad.py': line 1: '\\(' was never closed",
    'train a.py --dataset orll': "config 'orll': no such file; did you mean 'orl'",
    'train a.py --resume no.pth': "error: checkpoint 'no.pth': no such file",
    'train a.py --cfg-options modle.x=1': "there is no 'modle'; did you mean 'model'",
    'train a.py --cfg-options model.x': "'model.x'; it must be KEY=VALUE",
    'train a.py --launcher x': "invalid choice: 'x'",
    'test a.py no.pth': "'no.pth': no such file",
    'test no.py a.pth': "'no.py': no such file",
    'test a.py a.pth --out-item pred': '--out-item needs --out',
    'cross-validate a.py no.py --work-dir w': "'no.py': no such file",
    'cross-validate a.py a.py --work-dir w': 'configs is .*must differ from each other',
    'cross-validate a.py --work-dir w --n-splits 1': 'value is 1; it must be at least',
    'cross-validate a.py --work-dir w --seeds 0': 'value is 0; it must be at least 1',
    'cross-validate a.py --work-dir w --workers x': "invalid int value: 'x'",
    'cross-validate a.py --work-dir w --cfg-options modle.x=1': "there is no 'modle'",
    'cross-validate a.py --work-dir w --dataset no': "'no': no such file",
    'report no': 'no holds no experiment',
    'index casme2 no': "root is 'no'; it must be a folder",
    'prepare no.csv --out w': 'no.csv',
    'prepare a.mp4 --out w --workers 0': 'value is 0; it must be at least 1',
    'predict no.onnx a.mp4 --out w': "'no.onnx': no such file",
    'predict a.py no.pth a.mp4 --out w': "'no.pth': no such file",
    'predict no.py a.pth a.mp4 --out w': "'no.py': no such file",
    'predict a.onnx a.mp4 --out w --batch-size 0': 'value is 0; it must be at least 1',
    'predict a.onnx a.mp4 --out w --limit nan': 'value is nan; it must be at least 0',
    'visualize pairs no.py --out w.png': "'no.py': no such file",
    'visualize features a.py no.pth --out w.png': "'no.pth': no such file",
    'visualize features a.py a.pth --out w.gif': "out is 'w.gif'; it must end in",
    'visualize explain a.py a.pth --out w.png --pair a.mp4 no': "'no': no such file",
    'visualize pairs a.py --out w.png --table no.csv': "'no.csv': no such file",
    'visualize pairs a.py --out w.png --count 0': 'value is 0; it must be at least 1',
    'visualize curves no --out w.png': 'error: no: no such folder',
    'export no.py a.pth --out w': "'no.py': no such file",
    'export a.py no.pth --out w': "'no.pth': no such file",
    'export bad.py a.pth --out w': 'line 1',
    'export a.py a.pth --out w --dataset no': "'no': no such file",
    'synthesize oracle no': 'error: .*no',
    'synthesize render tiny --seed -1': 'value is -1; it must be at least 0',
    'synthesize clip --out w.mp4 --seconds 1': 'value is 1; it must be at least 2',
    'demo no.py a.pth': "'no.py': no such file",
    'demo a.py no.pth': "'no.pth': no such file",
    'demo a.py a.pth --port -1': 'value is -1; it must be at least 0',
}
#: A command line that is complete but for its last word.
MISTYPED = {
    'cross-validate': ['a.py', '--work-dir', 'x'],
    'demo': ['a.py', 'a.pth'],
    'export': ['a.py', 'a.pth', '--out', 'x'],
    'index': ['casme2', 'x'],
    'predict': ['a.py', 'a.pth', 'a.mp4', '--out', 'x'],
    'prepare': ['a.csv', '--out', 'x'],
    'report': ['x'],
    'synthesize': ['render', 'tiny'],
    'test': ['a.py', 'a.pth'],
    'train': ['a.py'],
    'visualize': ['pairs', 'a.py', '--out', 'x.png'],
}


def parsers(parser):
    """A parser and those of its subcommands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from parsers(sub)


def run(*arguments):
    return subprocess.run(
        [sys.executable, '-c', RUN, *arguments],
        env=dict(os.environ, OMP_NUM_THREADS='1'),
        text=True,
        capture_output=True,
    )


def test_every_module_of_a_command_is_listed(capsys):
    folder = REPOSITORY / 'mmcomp' / 'cli'
    found = {p.stem for p in folder.glob('*.py') if 'def main(' in p.read_text()}
    assert {name.replace('-', '_') for name in COMMANDS} == found - {'main'}
    with pytest.raises(SystemExit, match=r'^0$'):
        main(['--help'])
    text = capsys.readouterr().out
    for name in COMMANDS:
        assert re.search(rf'^  {name} +[A-Z].*\.$', text, re.M), name


def test_version(capsys):
    with pytest.raises(SystemExit, match=r'^0$'):
        main(['--version'])
    assert capsys.readouterr().out == f'mmcomp {mmcomp.__version__}\n'


@pytest.mark.parametrize('name', COMMANDS)
def test_every_option_has_a_help_text(name):
    for parser in parsers(command_module(name).make_parser()):
        assert parser.description
        for action in parser._actions:
            if not isinstance(action, argparse._SubParsersAction):
                assert action.help, (parser.prog, action.dest)
        assert parser.format_help()


@pytest.mark.parametrize(
    'path',
    ['tools/check_machine.py', 'benchmarks/faces.py', 'benchmarks/speed.py']
    + ['tests/mutants.py'],
)
def test_every_option_of_a_script_has_a_help_text(path):
    tree = ast.parse((REPOSITORY / path).read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    options = [c for c in calls if getattr(c.func, 'attr', '') == 'add_argument']
    assert options
    for option in options:
        assert 'help' in {keyword.arg for keyword in option.keywords}, option.lineno


@pytest.mark.parametrize('name', COMMANDS)
def test_a_tool_calls_the_command(name):
    """The same ``main``: a tool has no code of its own."""
    text = (REPOSITORY / 'tools' / f'{name.replace("-", "_")}.py').read_text()
    assert (
        text.split('"""')[2].split()
        == (
            f'from mmcomp.cli import run_tool from mmcomp.cli.{name.replace("-", "_")} '
            "import main if __name__ == '__main__': run_tool(main)"
        ).split()
    )


@pytest.mark.parametrize('name', COMMANDS)
def test_a_mistyped_option_answers_before_anything_heavy(name):
    done = run(name, *MISTYPED[name], '--no-such-option')
    assert done.returncode == 2
    assert f'usage: mmcomp {name}' in done.stderr
    assert 'unrecognized arguments: --no-such-option' in done.stderr
    assert done.stdout == 'imported []\n'


def test_mistakes_are_answered_before_pytorch_is_imported(tmp_path):
    for name, text in THERE.items():
        (tmp_path / name).write_text(text)
    lines = json.dumps([line.split() for line in MISTAKES])
    done = subprocess.run(
        [sys.executable, '-c', WITHOUT, lines],
        cwd=tmp_path,
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    wrong = {}
    for (line, message), end in zip(MISTAKES.items(), json.loads(done.stdout)):
        last = end.splitlines()[-1]  # after the usage
        if not re.search(message, last):
            wrong[line] = end
    assert not wrong, '\n'.join(map(str, wrong.items()))
    assert {path.name for path in tmp_path.iterdir()} == set(THERE)


def test_help_imports_nothing_heavy():
    done = run('--help')
    assert done.returncode == 0
    assert done.stdout.endswith('imported []\n')


def test_an_unknown_command_is_named(capsys):
    with pytest.raises(SystemExit, match=r'^2$'):
        main(['trian'])
    assert "'trian'" in capsys.readouterr().err


def test_a_users_error_is_one_line(tmp_path):
    with pytest.raises(SystemExit, match=r'^error: [^\n]*[Nn]o such file[^\n]*$'):
        main(['synthesize', 'oracle', str(tmp_path / 'nothing')])
    with pytest.raises(SystemExit, match=r'^error: [^\n]+: no such file$'):
        main(['train', str(tmp_path / 'nothing.py')])


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        ('model.head.dropuots=[0]', "unexpected keyword argument 'dropuots'"),
        ('model.head.type=mmcomp.MLPHead', 'mmcomp.MLPHead is not in the .* registry'),
        ('custom_hooks.0.typ=x', r'ProtocolHook\(\) takes no arguments'),
        ('visualizer.vis_backends.0.type=WandbVisBackend', 'pip install wandb'),
    ],
)
def test_a_mistake_in_a_config_is_one_line(option, message, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'wandb', None)  # as if it were not installed
    for kind in (DefaultScope, MessageHub, MMLogger, PairVisualizer):
        monkeypatch.setattr(kind, '_instance_dict', OrderedDict())
    line = ['train', 'compcnn_comb@2', '--work-dir', str(tmp_path)]
    with pytest.raises(SystemExit, match=rf'^error: [^\n]*{message}[^\n]*$'):
        main([*line, '--cfg-options', option])


def test_ctrl_c_is_one_line(capsys):
    def wait():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit, match=r'^130$'):
        run_tool(wait)
    assert capsys.readouterr().err == 'interrupted\n'


def test_a_log_on_a_full_disk_shows_no_traceback(capsys):
    """/dev/full is a disk without space; what can be mended is said at the end."""

    def train():
        handler = logging.FileHandler('/dev/full')
        logger = logging.getLogger('full')
        logger.addHandler(handler)
        logger.warning('epoch 1')
        with open('/dev/full', 'w') as checkpoint:
            checkpoint.write('weights')

    with pytest.raises(SystemExit, match=r'^error: \[Errno 28\] No space left'):
        run_tool(train)
    assert capsys.readouterr().err == ''


def test_options_of_a_config_are_those_of_mmengine():
    from mmengine.config import DictAction

    plain = argparse.ArgumentParser()
    plain.add_argument('--cfg-options', nargs='+', action=DictAction)
    ours = command_module('train').make_parser()
    for words in (['a.b=1', 'c=[x,2.5]'], ['a=(1,2)', 'd=x,y'], ['t=True', 'n=None']):
        expected = plain.parse_args(['--cfg-options', *words]).cfg_options
        found = ours.parse_args(['x.py', '--cfg-options', *words]).cfg_options
        assert found == expected
    assert ours.parse_args(['x.py']).cfg_options is None


def test_choices_are_those_of_their_sources():
    from mmcomp.datasets.controls import CONTROLS

    assert set(choices.CONTROLS) == set(CONTROLS)
    assert choices.EMOTIONS == EMOTIONS
    assert choices.FORMATS == FORMATS
    assert choices.LABELS == LABELS
    assert tuple(LEVELS) == choices.LEVELS
    assert {name: p.pairs for name, p in PRESETS.items()} == choices.PRESETS
    for option, allowed in (('several', SEVERAL), ('align_by', ALIGN_BY)):
        [action] = [
            a
            for a in command_module('predict').make_parser()._actions
            if a.dest == option
        ]
        assert set(action.choices) == set(allowed)


def test_the_console_command_is_installed_as_mmcomp():
    assert "'mmcomp = mmcomp.cli.main:main'" in (REPOSITORY / 'setup.py').read_text()
    done = subprocess.run(
        [sys.executable, '-m', 'mmcomp', 'synthesize', '--help'],
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('usage: mmcomp synthesize')


def test_the_table_of_rooms_is_the_contract():
    """docs/architecture.md shows the rows that lint-imports checks."""
    project = tomllib.loads((REPOSITORY / 'pyproject.toml').read_text())
    contract = project['tool']['importlinter']['contracts'][0]
    rows = [set(row.split(' : ')) for row in contract['layers']]
    text = (REPOSITORY / 'docs' / 'architecture.md').read_text()
    lines = re.findall(r'^\| \d+ \| (.*?) \|', text, re.M)
    assert [set(re.findall(r'`(\w+)`', line)) for line in lines] == rows


def test_threads_that_wait_leave_their_core_unless_the_user_wants_them_to(monkeypatch):
    found = []

    def note():
        found.append(os.environ['OMP_WAIT_POLICY'])

    monkeypatch.setenv('OMP_WAIT_POLICY', 'ACTIVE')
    run_tool(note)
    monkeypatch.delenv('OMP_WAIT_POLICY')
    run_tool(note)
    assert found == ['ACTIVE', 'PASSIVE']
