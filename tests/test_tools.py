"""The command lines, as a user runs them: ours and MMPretrain's own."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import mmengine
import mmpretrain
import pandas as pd
import pytest
import torch
from mmengine.config import Config
from runs import REPOSITORY, build, small_config, without_chance

from mmcomp.checkpoint import load_plain_checkpoint
from mmcomp.cli.main import command_module

TOOLS = REPOSITORY / 'tools'
MMPRETRAIN_TOOLS = Path(mmpretrain.__file__).parent / '.mim' / 'tools'


def run(*command, cwd=None, ok=True):
    """Run a command; return what it printed."""
    env = dict(os.environ, PYTHON=sys.executable, OMP_NUM_THREADS='1')
    done = subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        env=env,
        text=True,
        capture_output=True,
        timeout=300,
    )
    text = done.stdout + done.stderr
    assert (done.returncode == 0) == ok, text
    return text


def port():
    """A free port, so that tests side by side do not meet."""
    import socket

    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return str(sock.getsockname()[1])


@pytest.fixture(scope='module')
def table(make_pair_table, tmp_path_factory):
    return make_pair_table(tmp_path_factory.mktemp('pairs @ ü'), subjects=6, pairs=3)


@pytest.fixture
def config(table, tmp_path):
    """A config file whose path has a space and an @."""
    path = tmp_path / 'my configs' / 'compcnn_sub@1.py'
    path.parent.mkdir()
    cfg = small_config(table, tmp_path / 'work dir')
    cfg.dump(path)
    return path


def error_line(text):
    found = re.findall(r'error rate [\d.]+ % \((\d+)/(\d+) errors\)', text)
    return found[-1] if found else None


@pytest.mark.slow
@pytest.mark.parametrize(
    'tools', [TOOLS, MMPRETRAIN_TOOLS], ids=['mmcomp', 'mmpretrain']
)
def test_train_and_test(tools, config, tmp_path):
    work_dir = tmp_path / 'a work @ dir'
    trained = run(
        sys.executable, tools / 'train.py', config, '--work-dir', work_dir, cwd=tmp_path
    )
    tested = run(
        sys.executable,
        tools / 'test.py',
        config,
        work_dir / 'epoch_2.pth',
        '--work-dir',
        tmp_path / 'test',
        '--out',
        tmp_path / 'results.pkl',
        cwd=tmp_path,
    )
    assert error_line(trained) == error_line(tested)
    assert error_line(trained)[1] == '18'
    assert (tmp_path / 'results.pkl').exists()
    assert (tmp_path / 'test' / 'predictions.csv').read_bytes() == (
        work_dir / 'predictions.csv'
    ).read_bytes()


@pytest.mark.slow
def test_mmpretrains_tools_read_our_configs_and_results(config, tmp_path, monkeypatch):
    """Those that docs/extending.md lists."""
    build(Config.fromfile(config)).train()
    work_dir = tmp_path / 'work dir'
    checkpoint, results = work_dir / 'epoch_2.pth', tmp_path / 'results.pkl'
    arguments = [config, checkpoint, '--out', results, '--work-dir', tmp_path / 'test']
    command_module('test').main(list(map(str, arguments)))

    def tool(name, *arguments):
        command = [name, *map(str, arguments)]
        monkeypatch.setattr(sys, 'argv', command)
        runpy.run_path(str(MMPRETRAIN_TOOLS / name), run_name='__main__')

    tool('analysis_tools/analyze_results.py', config, results, '--out-dir', tmp_path)
    table = pd.read_csv(tmp_path / 'test' / 'predictions.csv')
    wrong = table['predicted'] != table['label']
    for folder, ids in (('success', table[~wrong]), ('fail', table[wrong])):
        found = {path.name for path in (tmp_path / folder).glob('*.png')}
        assert found == {f'{name}-apex.png.png' for name in ids['sample_id']}

    picture = tmp_path / 'matrix.png'
    arguments = ['--show-path', picture, '--out', tmp_path / 'matrix.pkl']
    tool('analysis_tools/confusion_matrix.py', config, results, *arguments)
    matrix = mmengine.load(tmp_path / 'matrix.pkl')
    assert matrix.sum() == 18
    assert matrix.trace() == 18 - wrong.sum()
    assert picture.exists()

    [log] = work_dir.glob('*/vis_data/2*.json')
    arguments = [log, '--keys', 'loss', 'pair/error_rate', '--out', tmp_path / 'c.png']
    tool('analysis_tools/analyze_logs.py', 'plot_curve', *arguments)
    assert (tmp_path / 'c.png').exists()

    published = tmp_path / 'published.pth'
    tool('model_converters/publish_model.py', checkpoint, published)
    [published] = tmp_path.glob('published_*.pth')
    weights = load_plain_checkpoint(published)['state_dict']
    expected = load_plain_checkpoint(checkpoint)['state_dict']
    assert weights.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(weights[name], value)


@pytest.mark.slow
def test_options_of_train(config, tmp_path, table):
    dataset = tmp_path / 'data.py'
    cfg = small_config(table, tmp_path)
    names = ('train_dataloader', 'val_dataloader', 'test_dataloader')
    for name in names:
        cfg[name].dataset.split.fold = 1
    dataset.write_text('\n'.join(f'{n} = {cfg[n].to_dict()!r}' for n in names))
    command = [
        sys.executable,
        TOOLS / 'train.py',
        config,
        '--amp',
        '--no-pin-memory',
        '--auto-scale-lr',
        '--dataset',
        dataset,
        '--cfg-options',
        'train_cfg.max_epochs=1',
        'train_cfg.val_interval=1',
    ]
    assert 'epoch_1.pth' in run(*command)
    predictions = pd.read_csv(tmp_path / 'work dir' / 'predictions.csv')
    assert set(predictions['fold']) == {1}
    text = run(*command[:3], '--resume', *command[3:])
    assert 'resumed epoch: 1' in text
    assert 'errors)' in text


@pytest.mark.slow
def test_two_processes_test_every_sample_once(make_pair_table, tmp_path):
    """103 samples on two processes are 103: no duplicate from padding."""
    path = make_pair_table(tmp_path, subjects=13, pairs=4)
    lines = path.read_text().splitlines()
    path.write_text('\n'.join(lines[:104]) + '\n')
    cfg = small_config(path, tmp_path / 'trained', epochs=1)
    config = tmp_path / 'compcnn_sub@1.py'
    cfg.dump(config)
    run(sys.executable, TOOLS / 'train.py', config)
    checkpoint = tmp_path / 'trained' / 'epoch_1.pth'
    cfg.work_dir = str(tmp_path / 'one')
    cfg.test_dataloader.dataset.update(subset='all', split=None)
    cfg.dump(config)
    one = run(sys.executable, TOOLS / 'test.py', config, checkpoint)
    os.environ['PORT'] = port()
    two = run(
        TOOLS / 'dist_test.sh', config, checkpoint, 2, '--work-dir', tmp_path / 'two'
    )
    assert error_line(one) == error_line(two)
    assert error_line(two)[1] == '103'
    tables = [pd.read_csv(tmp_path / n / 'predictions.csv') for n in ('one', 'two')]
    assert tables[1]['sample_id'].is_unique
    pd.testing.assert_frame_equal(*tables, rtol=1e-6)


@pytest.mark.slow
def test_two_processes_take_the_steps_of_one(table, tmp_path):
    """Dropout 0, the same total batch: the same weights, to 1e-5."""
    state = []
    for processes in (1, 2):
        work_dir = tmp_path / str(processes)
        cfg = without_chance(small_config(table, work_dir, 'compcnn_comb@2', epochs=2))
        cfg.train_dataloader.batch_size = 6 // processes
        cfg.optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.05, momentum=0.9))
        config = tmp_path / f'{processes}.py'
        cfg.dump(config)
        if processes == 1:
            run(sys.executable, TOOLS / 'train.py', config)
        else:
            os.environ['PORT'] = port()
            run(TOOLS / 'dist_train.sh', config, 2)
        state.append(load_plain_checkpoint(work_dir / 'epoch_2.pth')['state_dict'])
    for name, value in state[0].items():
        torch.testing.assert_close(state[1][name], value, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_user_errors_are_one_message(config, table, tmp_path):
    broken = tmp_path / 'broken.csv'
    broken.write_text(table.read_text().replace('posed', 'faked', 1))
    cases = [
        (['no such config.py'], "error: config 'no such config.py': no such file"),
        (
            [config, '--cfg-options', f'train_dataloader.dataset.ann_file={broken}'],
            'error: pair table',
        ),
        (
            [config, '--cfg-options', 'model.backbone.after=stages.7'],
            "error: after is 'stages.7'",
        ),
    ]
    for arguments, message in cases:
        text = run(sys.executable, TOOLS / 'train.py', *arguments, ok=False)
        assert message in text
        assert 'Traceback' not in text
    hostile = tmp_path / 'hostile.pth'
    torch.save({'state_dict': {}, 'x': Hostile()}, hostile)
    text = run(sys.executable, TOOLS / 'test.py', config, hostile, ok=False)
    assert 'hostile.pth: refused' in text
    assert 'Traceback' not in text
    text = run(sys.executable, MMPRETRAIN_TOOLS / 'test.py', config, hostile, ok=False)
    assert 'hostile.pth: refused' in text
    assert 'gotcha' not in text


class Hostile:
    """Prints when unpickled."""

    def __reduce__(self):
        return print, ('gotcha',)


@pytest.mark.slow
@pytest.mark.parametrize('tool', ['train.py', 'test.py'])
def test_help(tool):
    text = run(sys.executable, TOOLS / tool, '--help')
    for option in ('--work-dir', '--amp', '--cfg-options', '--launcher', '--dataset'):
        assert option in text


@pytest.mark.parametrize('script', sorted(TOOLS.glob('*.sh')), ids=lambda p: p.name)
def test_scripts_say_how_they_are_used(script):
    assert 'usage:' in run(script, ok=False)
