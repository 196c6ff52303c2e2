"""Datasets on disk: frozen, whole or absent, safe to ask for at the same time."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from mmcomp.datasets import SyntheticPairDataset
from mmcomp.synthetic import (
    PRESETS,
    compute_oracle,
    dataset_checksum,
    dataset_folder,
    dataset_sheet,
    ensure_dataset,
    oracle_error,
    read_meta,
    subject_genders,
)
from mmcomp.synthetic import generate as generate_module
from mmcomp.synthetic.plan import Key, Stream

#: Of recipe version 1. If this test fails, the same seed gives other data: undo
#: that, or raise RECIPE_VERSION and freeze the new checksum here.
TINY_CHECKSUM = '8363fe676abcc11bd344f901d1d23bc4931b1ed8fc61c6ce4b724a2b21503980'

#: A script without a main guard, as a newcomer writes it.
SCRIPT = (
    'import sys\n'
    'from mmcomp.synthetic import ensure_dataset\n'
    'print(ensure_dataset("tiny", sys.argv[1], workers=int(sys.argv[2])))\n'
)


def start(root, workers, script=None):
    """Asks for the tiny preset in another process."""
    source = ['-c', SCRIPT] if script is None else [str(script)]
    return subprocess.Popen(
        [sys.executable, *source, str(root), str(workers)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, 'PYTHONPATH': str(Path(__file__).parents[2])},
    )


def test_recipe_is_frozen(tiny):
    assert read_meta(tiny)['checksum'] == TINY_CHECKSUM


def test_checksum_is_over_what_stands_on_disk(tiny):
    assert dataset_checksum(tiny) == TINY_CHECKSUM


def test_subjects_have_the_gender_of_their_shape(tiny):
    """Which was the second thing drawn for each. No file of the data set changes."""
    expected = {}
    for i in range(6):
        rng = Key(PRESETS['tiny'].code, 0).stream(Stream.IDENTITY, i)
        rng.dirichlet([0.6] * 3)
        expected[f's{i + 1:03d}'] = 'male' if rng.beta(0.5, 0.5) > 0.5 else 'female'
    assert {*expected.values()} == {'female', 'male'}
    assert subject_genders(tiny) == expected
    dataset = SyntheticPairDataset('tiny', data_root=str(tiny.parent))
    rows = [dataset.get_data_info(i) for i in range(len(dataset))]
    assert [row['gender'] for row in rows] == [expected[row['subject']] for row in rows]


def test_one_worker_gives_the_same_bytes(tiny, tmp_path):
    folder = ensure_dataset('tiny', tmp_path, workers=1).parent
    files = sorted(path.relative_to(tiny) for path in tiny.rglob('*.*'))
    assert files == sorted(path.relative_to(folder) for path in folder.rglob('*.*'))
    for file in files:
        assert (folder / file).read_bytes() == (tiny / file).read_bytes()


def test_other_seed_and_level_give_other_pictures(tiny, tmp_path):
    folder = ensure_dataset('tiny', tmp_path, level='hard', seed=1).parent
    assert folder.name == 'tiny-v1-hard-seed1'
    paths = pd.read_csv(folder / 'pairs.csv')['onset']
    same = [
        (cv2.imread(str(folder / path), 0) == cv2.imread(str(tiny / path), 0)).mean()
        for path in paths
    ]
    assert max(same) < 0.5


def test_pair_table(tiny):
    table = pd.read_csv(tiny / 'pairs.csv')
    assert list(table.columns) == [
        'sample_id',
        'subject',
        'onset',
        'apex',
        'label',
        'emotion',
        'intensity',
        'light',
        'database',
    ]
    assert table['sample_id'].is_unique
    assert set(table['database']) == {'synthetic'}
    assert set(table['light']) <= {'front', 'left', 'right'}
    for path in [*table['onset'], *table['apex']]:
        image = cv2.imread(str(tiny / path), cv2.IMREAD_UNCHANGED)
        assert image.shape == (48, 48)
        assert image.dtype == np.uint8


def test_coefficients_stand_beside_the_pairs(tiny):
    pairs = pd.read_csv(tiny / 'pairs.csv')
    truth = pd.read_csv(tiny / 'coefficients.csv')
    subjects = pd.read_csv(tiny / 'subjects.csv')
    assert list(truth['sample_id']) == list(pairs['sample_id'])
    assert set(subjects['subject']) == set(pairs['subject'])
    assert compute_oracle(truth) == oracle_error(tiny)


def test_finished_dataset_is_returned_at_once(tiny, monkeypatch):
    monkeypatch.setattr(generate_module, '_generate', None)
    begin = time.perf_counter()
    assert ensure_dataset('tiny', tiny.parent) == tiny / 'pairs.csv'
    assert time.perf_counter() - begin < 0.5


@pytest.mark.slow
def test_processes_that_start_at_once_share_one_rendering(tmp_path):
    script = tmp_path / 'unguarded.py'
    script.write_text(SCRIPT)
    root = tmp_path / 'data'
    tasks = [start(root, 1), start(root, 2, script), start(root, 1)]
    outputs = [task.communicate(timeout=120) for task in tasks]
    assert [task.returncode for task in tasks] == [0, 0, 0]
    assert {out for out, _ in outputs} == {f'{root}/tiny-v1-seed0/pairs.csv\n'}
    assert sum('6/6' in errors for _, errors in outputs) == 1
    assert dataset_checksum(root / 'tiny-v1-seed0') == TINY_CHECKSUM


@pytest.mark.slow
def test_killed_rendering_leaves_nothing_that_harms(tmp_path):
    task = start(tmp_path, 1)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.rglob('*.png'))) < 10:
        assert time.monotonic() < deadline
        assert task.poll() is None
        time.sleep(0.02)
    os.killpg(task.pid, signal.SIGKILL)
    task.communicate()
    assert not dataset_folder('tiny', tmp_path).exists()
    assert list(tmp_path.glob('.*.partial-*'))

    folder = ensure_dataset('tiny', tmp_path).parent
    assert dataset_checksum(folder) == TINY_CHECKSUM
    assert not list(tmp_path.glob('.*.partial-*'))


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (lambda folder: (folder / 'meta.json').unlink(), r'meta\.json is missing'),
        (lambda folder: (folder / 'meta.json').write_text('[]'), 'cannot be read'),
        (lambda folder: (folder / 'pairs.csv').unlink(), r'pairs\.csv is missing'),
        (lambda folder: next(folder.rglob('*.png')).unlink(), r'\.png.: no such file'),
        (
            lambda folder: cv2.imwrite(
                str(next(folder.rglob('*.png'))), np.zeros((48, 48), np.uint8)
            ),
            'an image has changed since it was rendered',
        ),
        (
            lambda folder: (folder / 'pairs.csv').write_text(
                (folder / 'pairs.csv').read_text().replace(',posed', ',spontaneous', 1)
            ),
            'a table or an image has changed',
        ),
        (
            lambda folder: (folder / 'meta.json').write_text(
                json.dumps({**read_meta(folder), 'seed': 9})
            ),
            "'seed': 9",
        ),
    ],
)
def test_incomplete_or_foreign_folder_is_left_alone(tiny, tmp_path, damage, message):
    folder = tmp_path / tiny.name
    shutil.copytree(tiny, folder)
    damage(folder)
    before = sorted(tmp_path.rglob('*'))
    with pytest.raises(FileExistsError, match=message):
        ensure_dataset('tiny', tmp_path)
    assert sorted(tmp_path.rglob('*')) == before


def test_a_change_is_noticed_after_a_look(tiny, tmp_path):
    """In one process, too; what a system adds to a folder does not matter."""
    folder = tmp_path / tiny.name
    shutil.copytree(tiny, folder)
    (folder / 'images' / 'Thumbs.db').write_bytes(b'')
    ensure_dataset('tiny', tmp_path)
    image = next(folder.rglob('*.png'))
    image.write_bytes(next(p for p in folder.rglob('*.png') if p != image).read_bytes())
    with pytest.raises(FileExistsError, match='an image has changed'):
        ensure_dataset('tiny', tmp_path)


def test_full_disk_is_said_in_a_sentence(tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

    monkeypatch.setattr(Path, 'write_bytes', full)
    message = r'cannot write the synthetic dataset .*No space left.*make room'
    with pytest.raises(OSError, match=message) as error:
        ensure_dataset('tiny', tmp_path, workers=1)
    assert error.value.errno == errno.ENOSPC
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_root_that_is_a_file(tmp_path):
    root = tmp_path / 'file'
    root.write_text('')
    with pytest.raises(OSError, match='choose another root'):
        ensure_dataset('tiny', root)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'preset': 'huge'}, r"'huge'.*tiny"),
        ({'level': 'easy'}, r"'easy'.*hard"),
        ({'seed': -1}, '-1'),
        ({'workers': 0}, '0'),
    ],
)
def test_wrong_arguments_touch_nothing(tmp_path, options, message):
    arguments = {'preset': 'tiny', 'root': tmp_path / 'new', **options}
    with pytest.raises(ValueError, match=message):
        ensure_dataset(**arguments)
    assert not (tmp_path / 'new').exists()


def test_contact_sheet_shows_the_pairs(tiny):
    sheet = dataset_sheet(tiny, pairs=12)
    # Six pairs in each half: a caption and three pictures of 4 x 48 pixels.
    assert sheet.shape == (20 + 6 * (20 + 192), 2 * 3 * 192 + 24)
    table = pd.read_csv(tiny / 'pairs.csv').set_index('sample_id')
    first = table[(table['subject'] == 's001') & (table['label'] == 'posed')]
    onsets = [cv2.imread(str(tiny / path), 0) for path in first['onset']]
    shown = cv2.resize(sheet[40:232, :192], (48, 48), interpolation=cv2.INTER_AREA)
    gaps = [np.abs(shown.astype(int) - onset).mean() for onset in onsets]
    assert min(gaps) < 2
    with pytest.raises(ValueError, match='1'):
        dataset_sheet(tiny, pairs=1)
