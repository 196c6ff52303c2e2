"""Every command of README.md and docs/ runs, page by page and in order.

Each page gets a folder with what its reader has: a database, a video, a checkpoint. The
data are small, and a training is one epoch.
"""

import csv
import os
import re
import shutil
import subprocess
import sys

import cv2
import pytest
from pages import PAGES, commands, each_page
from runs import REPOSITORY

from mmcomp.faces.samples import ORL_FACES, fetch
from mmcomp.synthetic import WideFrame, render_clip, write_clip

TINY = """
_base_ = 'configs/_base_/datasets/synthetic_nvie-subset.py'
data = dict(preset='tiny', split=dict(n_splits=3))
train_dataloader = val_dataloader = test_dataloader = dict(dataset=data)
"""
# In one process, since importing takes longer than most commands.
RUN = """
import runpy, subprocess, sys
for tool, *arguments in {lines!r}:
    print('$', tool, *arguments, flush=True)
    if tool.endswith('.sh'):
        subprocess.run(['bash', tool, *arguments], check=True)
        continue
    sys.argv = [tool, *arguments]
    try:
        runpy.run_path(tool, run_name='__main__')
    except SystemExit as end:
        if end.code:
            raise
"""
# Stands for Slurm: one process, and no launcher, since that one wants a GPU.
SRUN = """#!/usr/bin/env bash
while [ "$1" != python ]; do shift; done
exec "${@/--launcher=slurm/--launcher=none}"
"""
SHORT = ['train_cfg.max_epochs=1', 'train_cfg.val_interval=1']
SHORT += ['default_hooks.checkpoint.interval=1']
CHECKPOINT = 'work_dirs/compcnn_comb@2/epoch_1.pth'
TRAINED = 'tools/train.py', 'configs/compcnn_comb@2.py'
SERVES = 'tools/demo.py'  # until it is stopped: tests/test_demo
# Named in the text with a word that stands for the reader's own.
OWN = {
    'CHECKPOINT': CHECKPOINT,
    'CONFIG': 'configs/compcnn_comb@2.py',
    'work_dirs/compcnn_comb@2/epoch_100.pth': CHECKPOINT,
    'nvie-subset': 'tiny',
    'data/synthetic/nvie-subset-v1-seed0': 'data/synthetic/tiny-v1-seed0',
}
RUNS = [p for p in PAGES if any(c[0] != SERVES for c in commands(p))]


@pytest.fixture(scope='module')
def people():
    """Frames of three people, who each smile once posed and once not."""
    found = {}
    for subject in range(3):
        for label in ('posed', 'spontaneous'):
            found[f's{subject}', label] = render_clip(
                'happiness',
                label,
                seed=5,
                subject=subject,
                fps=20,
                seconds=2.5,
                framing=WideFrame((150, 180), 45, (90, 62)),
            )
    return found


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A folder with rendered data, and a network trained on them."""
    folder = tmp_path_factory.mktemp('trained')
    link_sources(folder)
    execute([adapt(*TRAINED)], folder)
    return folder


@pytest.fixture(scope='module')
def furnished(tmp_path_factory, people):
    """A folder with what a reader has, to copy: it takes seconds to render."""
    folder = tmp_path_factory.mktemp('furnished')
    furnish(folder, people)
    return folder


def write_images(folder, frames, name='{}.png'):
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames, 1):
        cv2.imwrite(str(folder / name.format(number)), frame)


def write_table(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('w', encoding='utf-8', newline='') as stream:
        csv.writer(stream).writerows(rows)


def link_sources(folder):
    for name in ('benchmarks', 'configs', 'tools'):
        (folder / name).symlink_to(REPOSITORY / name)
    for name in ('tiny.py', 'my_dataset.py'):
        (folder / name).write_text(TINY)


def furnish(folder, people):
    """What a reader has: tools, configs, databases, videos, pictures, tables."""
    link_sources(folder)
    clip = people['s0', 'posed']
    frames = list(clip)
    for name in ('video.mp4', 'a.mp4', 'folder/c.mp4'):
        write_clip(clip, folder / name)
    write_clip(people['s0', 'spontaneous'], folder / 'b.mp4')
    onset, apex = frames[clip.onset], frames[clip.apex]
    header = 'sample_id', 'clip', 'subject', 'label'
    rows = [1, 'a.mp4', 1, 'posed'], [2, 'b.mp4', 1, 'spontaneous']
    write_table(folder / 'clips.csv', header, *rows)

    root = folder / 'databases' / 'mine'
    for (subject, label), expression in people.items():
        write_clip(expression, root / subject / label / 'joy')
    (root / 'ann').mkdir()
    for name, frame in (('onset', onset), ('apex', apex)):
        cv2.imwrite(str(folder / f'{name}.png'), frame)
        cv2.imwrite(str(root / 'ann' / f'fake_joy_{name}.png'), frame)
    for name in ('a.mp4', 'b.mp4'):
        shutil.copy(folder / name, root / name)

    root = folder / 'databases' / 'CASME2'
    header = 'Subject,Filename,,OnsetFrame,ApexFrame,OffsetFrame,,Action Units,'
    header += 'Estimated Emotion,'
    row = [1, 'EP01', '', clip.onset + 1, clip.apex + 1, len(frames), '', 12]
    write_table(root / 'CASME2-coding.csv', header.split(','), [*row, 'happiness', ''])
    write_images(root / 'CASME2_RAW_selected/sub01/EP01', frames, 'img{}.jpg')

    root = folder / 'databases' / 'NVIE'
    write_images(root / 'posed/all/7/visible/happiness', [onset, apex])
    names = [f'posed/all/7/visible/happiness/{n}.png' for n in (1, 2)]
    row = [7, 'posed', 'happiness', *names]
    header = ['ID', 'label', 'emotion', 'OnsetFile', 'ApexFile']
    write_table(root / 'samples.csv', header, row)
    eyes = [[name, 75, 60, 105, 60] for name in names]
    write_table(root / 'eyes.csv', ['Image', 'x1', 'y1', 'x2', 'y2'], *eyes)
    for name in ('samples.csv', 'eyes.csv'):
        shutil.copy(root / name, folder / name)

    srun = folder / 'bin' / 'srun'
    srun.parent.mkdir()
    srun.write_text(SRUN)
    srun.chmod(0o755)


def adapt(tool, *words):
    """The command on small data, with one epoch for a training."""
    words = [OWN.get(word, word).replace('/data/', 'databases/') for word in words]
    options, settings = list(words), []
    if '--cfg-options' in words:
        place = words.index('--cfg-options')
        options, settings = words[:place], words[place:]
    if '--dataset' in words:
        place = words.index('--dataset') + 1
        if words[place].startswith('configs/'):
            options[place] = 'tiny.py'
    elif re.search('train|test|cross|export|visualize', tool) and 'curves' not in words:
        options += ['--dataset', 'tiny.py']
    if tool == 'tools/cross_validate.py':
        options += ['--n-splits', '3', '--folds', '0', '--seeds', '1']
    elif tool == 'benchmarks/faces.py':
        options += ['--quick', '--clips', '1']
    elif tool == 'benchmarks/landmarks.py':
        options += ['--quick']
    elif tool == 'tools/index.py' and '--out' not in words:
        options += ['--force']  # the page gives choices, which write the same table
    if re.search('train|cross', tool):
        settings = [*(settings or ['--cfg-options']), *SHORT]
    return [tool, *options, *settings]


def execute(lines, folder):
    """Run commands in a folder that was furnished."""
    script = folder / 'run.py'
    script.write_text(RUN.format(lines=lines))
    path = f'{folder}/bin:{os.path.dirname(sys.executable)}:{os.environ["PATH"]}'
    done = subprocess.run(
        [sys.executable, script],
        cwd=folder,
        env=dict(os.environ, OMP_NUM_THREADS='1', GPUS='1', PATH=path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-5000:]


def fetches(text):
    return [pytest.mark.network] if '--download' in text else []


@pytest.mark.slow
@each_page(RUNS, fetches)
def test_commands_run(page, furnished, trained, tmp_path):
    shutil.copytree(furnished, tmp_path, symlinks=True, dirs_exist_ok=True)
    lines = [adapt(*line) for line in commands(page) if line[0] != SERVES]
    text = page.read_text()
    for block in re.findall(r'^```python\n(# (\w+\.py)\n.*?)^```', text, re.M | re.S):
        (tmp_path / block[1]).write_text(block[0].replace('n_splits=10', 'n_splits=3'))
    if '--download' in text:
        try:
            fetch(*ORL_FACES)
        except OSError as error:
            pytest.skip(str(error))
    compared = 'tools/cross_validate.py', 'configs/diffcnn.py', '--work-dir'
    if any(CHECKPOINT in line for line in lines) and lines[0][1] != TRAINED[1]:
        for name in ('data', 'work_dirs'):
            shutil.copytree(trained / name, tmp_path / name, dirs_exist_ok=True)
    if 'work_dirs/table1' in text:
        lines.insert(0, adapt(*compared, 'work_dirs/table1'))
    execute(lines, tmp_path)
    made = [line[line.index('--out') + 1] for line in lines if '--out' in line]
    assert all((tmp_path / name).exists() for name in made), made
    if page.name == 'quick-start.md':
        assert len(lines) == 6
        assert (tmp_path / 'out' / 'predictions.csv').is_file()
        assert (tmp_path / 'out-onnx' / 'predictions.csv').is_file()
