"""Splits by subject: what no seed, order or set of subjects may break."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold

from mmcomp.datasets.splits import (
    LeaveOneSubjectOut,
    SubjectKFold,
    SubjectsFromFile,
    kfold_subjects,
    nested_subset,
    single_subjects,
)
from mmcomp.registry import TASK_UTILS

NAMES = st.text(
    st.characters(codec='utf-8', exclude_categories=('C',)), min_size=1, max_size=6
)
SUBJECTS = st.sets(NAMES, min_size=3, max_size=25).map(sorted)
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def kfold_cases(draw):
    """Subjects, a number of folds and of val folds, and a seed."""
    subjects = draw(SUBJECTS)
    n_splits = draw(st.integers(2, min(len(subjects), 10)))
    val_folds = draw(st.integers(0, n_splits - 2))
    return subjects, n_splits, val_folds, draw(SEEDS)


def check_fold(assignment, subjects):
    """Every subject stands in exactly one subset, sorted."""
    everyone = [s for group in assignment.values() for s in group]
    assert sorted(everyone) == subjects
    for group in assignment.values():
        assert list(group) == sorted(group)


@given(kfold_cases())
def test_kfold_tests_each_subject_exactly_once(case):
    subjects, n_splits, val_folds, seed = case
    tested, validated = [], []
    for fold in range(n_splits):
        split = SubjectKFold(n_splits, fold, seed=seed, val_folds=val_folds)
        assignment = split.assign(subjects)
        check_fold(assignment, subjects)
        assert assignment['train']
        assert assignment['unused'] == ()
        tested += assignment['test']
        validated += assignment['val']
    assert sorted(tested) == subjects
    assert sorted(validated) == sorted(subjects * val_folds)


@given(kfold_cases())
def test_kfold_folds_differ_by_one_subject_at_most(case):
    subjects, n_splits, _, seed = case
    sizes = [len(fold) for fold in kfold_subjects(subjects, n_splits, seed)]
    low, more = divmod(len(subjects), n_splits)
    assert sorted(sizes) == [low] * (n_splits - more) + [low + 1] * more


@given(kfold_cases(), st.randoms(use_true_random=False))
def test_order_and_repetition_of_samples_do_not_matter(case, rng):
    subjects, n_splits, val_folds, seed = case
    samples = [s for s in subjects for _ in range(rng.randint(1, 4))]
    rng.shuffle(samples)
    for split in (
        SubjectKFold(n_splits, n_splits - 1, val_folds=val_folds, seed=seed),
        SubjectKFold(n_splits, train_subjects=1, seed=seed),
        LeaveOneSubjectOut(len(subjects) - 1, val_folds=1),
    ):
        assert split.assign(samples) == split.assign(subjects)


def test_another_seed_gives_another_assignment():
    subjects = [f's{i:02d}' for i in range(30)]
    found = {tuple(kfold_subjects(subjects, 5, seed)) for seed in range(20)}
    assert len(found) == 20


def test_assignment_stays_the_same_over_releases():
    """Old results can be compared only while a seed means the same folds.

    These are the thirds of ``numpy.random.RandomState(0).permutation(7)``.
    """
    folds = kfold_subjects([f's{i}' for i in range(7)], 3, seed=0)
    assert folds == [('s1', 's2', 's6'), ('s0', 's3'), ('s4', 's5')]


@given(SUBJECTS)
def test_leave_one_subject_out_follows_sorted_order(subjects):
    assert single_subjects(subjects) == [(s,) for s in subjects]
    for fold, subject in enumerate(subjects):
        after = subjects[(fold + 1) % len(subjects)]
        assert LeaveOneSubjectOut(fold, val_folds=1).assign(subjects) == {
            'test': (subject,),
            'val': (after,),
            'train': tuple(s for s in subjects if s not in (subject, after)),
            'unused': (),
        }


@given(SUBJECTS, SEEDS)
def test_learning_curve_subsets_are_nested(subjects, seed):
    full = SubjectKFold(2, seed=seed).assign(subjects)
    smaller = set()
    for size in range(1, len(full['train']) + 1):
        part = SubjectKFold(2, seed=seed, train_subjects=size).assign(subjects)
        check_fold(part, subjects)
        assert (part['test'], part['val']) == (full['test'], full['val'])
        assert len(part['train']) == size
        assert smaller < set(part['train']) <= set(full['train'])
        smaller = set(part['train'])
    assert part == full


def test_learning_curve_subsets_depend_on_the_seed():
    subjects = [f's{i:02d}' for i in range(30)]
    assert len({nested_subset(subjects, 10, seed) for seed in range(20)}) == 20


@given(kfold_cases(), st.data())
def test_file_gives_back_the_assignment(tmp_path_factory, case, data):
    subjects, n_splits, val_folds, seed = case
    fold = data.draw(st.integers(0, n_splits - 1))
    split = SubjectKFold(
        n_splits, fold, val_folds=val_folds, seed=seed, train_subjects=1
    )
    assignment = split.assign(subjects)
    path = tmp_path_factory.mktemp('split') / 'split.json'
    path.write_text(json.dumps({**assignment, 'seed': seed}), encoding='utf-8')
    assert SubjectsFromFile(str(path)).assign(subjects) == assignment


def test_file_may_name_numbers_and_leave_out_empty_subsets(tmp_path):
    path = tmp_path / 'split.json'
    path.write_text('{"train": [10, 9], "test": ["8"]}')
    split = TASK_UTILS.build(dict(type='SubjectsFromFile', path=str(path)))
    assert split.assign(['8', '9', '10']) == {
        'train': ('10', '9'),
        'val': (),
        'test': ('8',),
        'unused': (),
    }
    smaller = SubjectsFromFile(str(path), train_subjects=1).assign(['8', '9', '10'])
    assert sorted(smaller['train'] + smaller['unused']) == ['10', '9']
    assert smaller['test'] == ('8',)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (None, r'split file .*split\.json.*: no such file'),
        ('{"train": ["a",', r'split file .*split\.json.*line 1: not JSON'),
        ('["a", "b"]', 'must be an object with lists under "train" and "test"'),
        ('{"train": ["a", "b", "c"]}', 'must be an object .* "train" and "test"'),
        ('{"test": ["a", "b", "c"]}', 'must be an object .* "train" and "test"'),
        ('{"train": "abc", "test": ["a"]}', '"train" must be a list'),
        ('{"train": ["a"], "val": null, "test": ["b"]}', '"val" must be a list'),
        (
            '{"train": ["a", "b"], "test": ["c", "b", "a"]}',
            'listed more than once: a, b',
        ),
        ('{"train": ["a", "b", "b"], "test": ["c"]}', 'listed more than once: b'),
        (
            '{"train": ["a", "b"], "test": ["c", "e", "d"]}',
            r'lists subjects that the table lacks: d, e',
        ),
        ('{"train": ["a"], "test": ["c"]}', r'lacks subjects of the table: b'),
    ],
)
def test_bad_file_is_refused(tmp_path, content, message):
    path = tmp_path / 'split.json'
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match=message):
        SubjectsFromFile(str(path)).assign(['a', 'b', 'c'])


@pytest.mark.parametrize(
    ('split', 'message'),
    [
        (SubjectKFold(1), 'n_splits is 1; it must be at least 2'),
        (SubjectKFold(4), 'n_splits is 4; it must be at most 3, the number of'),
        (SubjectKFold(3, fold=3), 'fold is 3; it must be between 0 and 2'),
        (SubjectKFold(3, fold=-1), 'fold is -1; it must be between 0 and 2'),
        (SubjectKFold(3, val_folds=2), 'val_folds is 2; it must be between 0 and 1'),
        (SubjectKFold(3, val_folds=-1), 'val_folds is -1; it must be between 0 and 1'),
        (SubjectKFold(3, train_subjects=3), 'between 1 and the 2 training subjects'),
        (SubjectKFold(3, train_subjects=0), 'train_subjects is 0; it must be between'),
        (LeaveOneSubjectOut(fold=3), 'fold is 3; it must be between 0 and 2'),
        (LeaveOneSubjectOut(val_folds=2), 'val_folds is 2; .* between 0 and 1'),
    ],
)
def test_impossible_split_is_refused(split, message):
    with pytest.raises(ValueError, match=message):
        split.assign(['a', 'b', 'c', 'a'])


def test_one_subject_cannot_be_left_out():
    with pytest.raises(
        ValueError, match='the number of subjects is 1; it must be at least 2'
    ):
        LeaveOneSubjectOut().assign(['a', 'a'])


def test_repr_says_what_was_asked_for():
    split = SubjectKFold(5, fold=2, val_folds=1)
    assert eval(repr(split)).assign('abcdefg') == split.assign('abcdefg')


@given(st.integers(5, 60), st.integers(2, 5), st.integers(0, 1000))
def test_folds_are_scikit_learns(count, n_splits, seed):
    unique = np.array(sorted(f's{i}' for i in range(count)))
    splitter = GroupKFold(n_splits, shuffle=True, random_state=seed)
    expected = [
        tuple(unique[test].tolist())
        for _, test in splitter.split(unique, groups=unique)
    ]
    assert kfold_subjects(unique.tolist(), n_splits, seed) == expected
