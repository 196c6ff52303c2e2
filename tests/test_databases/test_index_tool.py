"""tools/index.py as a user runs it, and the configs for what it writes."""

import os
import subprocess
import sys

import pytest
from mmengine.config import Config
from runs import CONFIGS, REPOSITORY

from mmcomp.databases import DATABASES
from mmcomp.datasets import read_pair_table

TOOL = REPOSITORY / 'tools' / 'index.py'
CONFIGS_OF_DATA = CONFIGS / '_base_' / 'datasets'


def run(*command, cwd, ok=True):
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env=dict(os.environ, OMP_NUM_THREADS='1'),
        text=True,
        capture_output=True,
    )
    text = done.stdout + done.stderr
    assert (done.returncode == 0) == ok, text
    assert 'Traceback' not in text
    return text


@pytest.mark.slow
def test_help(tmp_path, database):
    text = run(TOOL, '--help', cwd=tmp_path)
    assert database.name in text
    text = run(TOOL, database.name, '--help', cwd=tmp_path)
    assert database.__doc__.splitlines()[0] in text
    assert f'default: data/{database.name}/pairs.csv' in ' '.join(text.split())
    assert database.credit in text


def test_casme2_end_to_end(root, grow, table, tmp_path):
    header = ['Subject', 'Filename', 'OnsetFrame', 'ApexFrame', 'OffsetFrame']
    rows = [[*header, 'Estimated Emotion']]
    for subject in (1, 2):
        for number, (apex, emotion) in enumerate(
            [(2, 'happiness'), (3, 'disgust'), (2, 'surprise'), ('/', 'disgust')]
        ):
            rows.append([subject, f'EP{number}', 1, apex, 4, emotion])
            folder = f'CASME2_RAW_selected/sub{subject:02d}/EP{number}'
            grow(*(f'{folder}/img{n}.jpg' for n in range(1, 5)))
    table('CASME2-coding.csv', rows)
    text = run(TOOL, 'casme2', root, '--missing-apex', 'drop', cwd=tmp_path)
    assert 'casme2: 6 samples of 2 subjects; 6 with images of onset and apex' in text
    assert 'missing apex: 2' in text
    assert "CASME2-coding.csv:5: apex is '/'" in text
    assert 'licence needed' in text
    out = tmp_path / 'data' / 'casme2' / 'pairs.csv'
    assert f'written: {out.relative_to(tmp_path)}' in text
    assert len(read_pair_table(out, ['negative', 'positive', 'surprise'])) == 6
    assert len((out.parent / 'pairs.problems.csv').read_text().splitlines()) == 3

    text = run(TOOL, 'casme2', root, cwd=tmp_path, ok=False)
    assert 'exists and differs; --force replaces it' in text
    text = run(TOOL, 'casme2', root, '--force', '--classes', '5', cwd=tmp_path)
    assert '8 samples' in text


def test_generic_end_to_end(root, grow, tmp_path):
    grow('1/lie_onset.png', '1/lie_apex.png', '1/real_onset.png', '1/real_apex.png')
    out = tmp_path / 'a table @ home.csv'
    command = [TOOL, 'generic', root, '--out', out, '--labels', 'lie=posed']
    text = run(*command, '--pattern', '{subject}/{label}_{moment}', cwd=tmp_path)
    assert 'no problems' in text
    assert {row['label'] for row in read_pair_table(out)} == {'posed', 'spontaneous'}


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['spos', 'nowhere'], "error: root is 'nowhere'; it must be a folder"),
        (['spos', '.'], "error: '.' holds nothing of spos"),
        (['casme2', '.', '--table', 'x.csv'], "error: table 'x.csv': no such file"),
        (['casme2', '.'], "error: no table 'CASME2*cod*' in '.'; name it with --table"),
        (
            ['generic', '.', '--pattern', 'a'],
            "error: pattern is 'a'; it must name something",
        ),
    ],
)
def test_errors_are_one_message(tmp_path, arguments, message):
    assert message in run(TOOL, *arguments, cwd=tmp_path, ok=False)
    assert not (tmp_path / 'data').exists()


def test_every_database_has_a_config(database):
    name = 'pairs' if database.name == 'generic' else database.name
    cfg = Config.fromfile(CONFIGS_OF_DATA / f'{name}.py')
    for loader, subset in (('train', 'train'), ('val', 'test'), ('test', 'test')):
        data = cfg[f'{loader}_dataloader'].dataset
        assert data.type == 'mmcomp.PairDataset'
        assert data.ann_file == f'data/{database.name}/aligned/pairs.csv'
        assert data.subset == subset
        assert data.split.type in ('mmcomp.SubjectKFold', 'mmcomp.LeaveOneSubjectOut')
        assert ('n_splits' in data.split) == (data.split.type == 'mmcomp.SubjectKFold')
        assert data.pipeline[0].type == 'mmcomp.LoadPair'
    assert cfg.test_dataloader == cfg.val_dataloader


@pytest.mark.slow
@pytest.mark.parametrize(
    ('name', 'classes', 'config'),
    [
        ('spos', ('posed', 'spontaneous'), 'compcnn_sub@1'),
        ('casme2', ('negative', 'positive', 'surprise'), 'compcnn_sub-svm'),
    ],
)
def test_training_on_such_a_table(make_pair_table, tmp_path, name, classes, config):
    make_pair_table(tmp_path / 'data' / name / 'aligned', subjects=3, classes=classes)
    text = run(
        REPOSITORY / 'tools' / 'train.py',
        CONFIGS / f'{config}.py',
        '--dataset',
        CONFIGS_OF_DATA / f'{name}.py',
        '--cfg-options',
        'train_cfg.max_epochs=1',
        'train_cfg.val_interval=1',
        cwd=tmp_path,
    )
    assert f'/{2 * len(classes)} errors)' in text


def test_all_have_a_name():
    assert len(DATABASES.module_dict) == 11
