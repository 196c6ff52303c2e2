"""Subject-independent splits: which subjects train, which are tested.

A split never sees samples, only subjects, so that no subject can be on both sides.
"""

from collections.abc import Sequence

import numpy as np

from mmcomp.files import require_file
from mmcomp.registry import TASK_UTILS
from mmcomp.tables import read_json

SUBSETS = ('train', 'val', 'test')
UNUSED = 'unused'
Assignment = dict[str, tuple[str, ...]]


def kfold_subjects(
    subjects: Sequence[str], n_splits: int, seed: int
) -> list[tuple[str, ...]]:
    """Divide subjects into folds of equal size, give or take one.

    Args:
        subjects (Sequence[str]): Subjects, repeated or not, in any order.
        n_splits (int): Number of folds, at least 2.
        seed (int): Seed of the assignment.

    Returns:
        list[tuple[str]]: The subjects of each fold, sorted.

    Raises:
        ValueError: If there are fewer subjects than folds.

    Examples:
        >>> kfold_subjects(['ann', 'bob', 'cem', 'dua', 'eva', 'ann'], 2, seed=0)
        [('ann', 'bob', 'cem'), ('dua', 'eva')]
    """
    unique = sorted(set(subjects))
    if n_splits < 2:
        raise ValueError(f'n_splits is {n_splits}; it must be at least 2')
    if len(unique) < n_splits:
        raise ValueError(
            f'n_splits is {n_splits}; it must be at most {len(unique)}, the number of '
            'subjects in the table'
        )
    # scikit-learn's GroupKFold(shuffle=True), whose import takes a second.
    order = np.random.RandomState(seed).permutation(len(unique))
    folds = np.array_split(order, n_splits)
    return [tuple(sorted(unique[i] for i in fold)) for fold in folds]


def single_subjects(subjects: Sequence[str]) -> list[tuple[str, ...]]:
    """Return one fold for each subject, in sorted order.

    Raises:
        ValueError: If there are fewer than two subjects.
    """
    unique = sorted(set(subjects))
    if len(unique) < 2:
        raise ValueError(
            f'the number of subjects is {len(unique)}; it must be at least 2 to leave '
            'one out'
        )
    return [(subject,) for subject in unique]


def nested_subset(subjects: Sequence[str], size: int, seed: int) -> tuple[str, ...]:
    """Return the first subjects of one shuffled order: a larger set holds a smaller.

    Raises:
        ValueError: If ``size`` is not between 1 and the number of subjects.
    """
    unique = sorted(set(subjects))
    if not 1 <= size <= len(unique):
        raise ValueError(
            f'train_subjects is {size}; it must be between 1 and the {len(unique)} '
            'training subjects of this split'
        )
    order = np.random.default_rng(seed).permutation(len(unique))
    return tuple(sorted(unique[i] for i in order[:size]))


class SubjectSplit:
    """Base of all splits: assigns each subject to train, val, test or to none.

    Args:
        train_subjects (int, optional): Keep only this many training subjects, as a
            learning curve does; subsets are nested. Defaults to all.
        seed (int): Seed of all random choices of the split. Defaults to 0.
    """

    def __init__(self, train_subjects: int | None = None, seed: int = 0) -> None:
        self.train_subjects = train_subjects
        self.seed = seed

    def assign(self, subjects: Sequence[str]) -> Assignment:
        """Assign each subject to one subset.

        Args:
            subjects (Sequence[str]): Subjects of all samples, repeated or not.

        Returns:
            dict: The sorted subjects of ``train``, ``val``, ``test`` and ``unused``.

        Raises:
            ValueError: If the split is impossible for these subjects.

        Examples:
            >>> split = SubjectKFold(n_splits=3, fold=0, val_folds=1)
            >>> split.assign(['ann', 'ann', 'bob', 'cem'])
            {'train': ('ann',), 'val': ('bob',), 'test': ('cem',), 'unused': ()}
        """
        result = self._assign(sorted(set(subjects)))
        if self.train_subjects is not None:
            kept = nested_subset(result['train'], self.train_subjects, self.seed)
            dropped = set(result['train']) - set(kept)
            result[UNUSED] = tuple(sorted({*result.get(UNUSED, ()), *dropped}))
            result['train'] = kept
        return {name: tuple(result.get(name, ())) for name in (*SUBSETS, UNUSED)}

    def _assign(self, subjects: list[str]) -> Assignment:
        raise NotImplementedError

    def __repr__(self) -> str:
        parameters = (f'{k}={v!r}' for k, v in vars(self).items() if k[0] != '_')
        return f'{type(self).__name__}({", ".join(parameters)})'


class _FoldSplit(SubjectSplit):
    """A split by one fold of several; see the subclasses."""

    def __init__(self, fold: int = 0, val_folds: int = 0, **kwargs) -> None:
        super().__init__(**kwargs)
        self.fold = fold
        self.val_folds = val_folds

    def folds(self, subjects: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the test subjects of every fold."""
        raise NotImplementedError

    def _assign(self, subjects: list[str]) -> Assignment:
        folds = self.folds(subjects)
        if not 0 <= self.fold < len(folds):
            raise ValueError(
                f'fold is {self.fold}; it must be between 0 and {len(folds) - 1}'
            )
        if not 0 <= self.val_folds <= len(folds) - 2:
            raise ValueError(
                f'val_folds is {self.val_folds}; it must be between 0 and '
                f'{len(folds) - 2}, to leave a fold for training'
            )
        turned = folds[self.fold :] + folds[: self.fold]
        val, train = turned[1 : 1 + self.val_folds], turned[1 + self.val_folds :]
        return {
            'test': turned[0],
            'val': tuple(sorted(s for fold in val for s in fold)),
            'train': tuple(sorted(s for fold in train for s in fold)),
        }


@TASK_UTILS.register_module()
class SubjectKFold(_FoldSplit):
    """k-fold cross-validation over subjects.

    Args:
        n_splits (int): Number of folds. Defaults to 10, as in the paper.
        fold (int): The fold that is tested, from 0. Defaults to 0.
        seed (int): Seed of the assignment of subjects to folds. Defaults to 0.
        val_folds (int): How many of the folds that follow ``fold`` are the ``val``
            subset, to select models without touching the test. Defaults to 0.
        train_subjects (int, optional): See :class:`SubjectSplit`.
    """

    def __init__(self, n_splits: int = 10, fold: int = 0, **kwargs) -> None:
        super().__init__(fold=fold, **kwargs)
        self.n_splits = n_splits

    def folds(self, subjects: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the test subjects of every fold."""
        return kfold_subjects(subjects, self.n_splits, self.seed)


@TASK_UTILS.register_module()
class LeaveOneSubjectOut(_FoldSplit):
    """Leave one subject out: fold ``i`` tests the ``i``-th subject in sorted order.

    Args:
        fold (int): The fold that is tested, from 0. Defaults to 0.
        val_folds (int): See :class:`SubjectKFold`.
        train_subjects (int, optional): See :class:`SubjectSplit`.
        seed (int): Seed of the choice of ``train_subjects``.
    """

    def folds(self, subjects: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the test subject of every fold."""
        return single_subjects(subjects)


@TASK_UTILS.register_module()
class SubjectsFromFile(SubjectSplit):
    """A split given as JSON, such as the ``split.json`` that a run writes.

    Args:
        path (str): A JSON object with lists of subjects under ``train``, ``test`` and,
            if any, ``val`` and ``unused``. Other keys are ignored.
        train_subjects (int, optional): See :class:`SubjectSplit`.
        seed (int): Seed of the choice of ``train_subjects``.

    Raises:
        ValueError: If the file is missing or is no such object, lists a subject twice,
            lists one that the table lacks, or lacks one of the table.
    """

    def __init__(self, path: str, **kwargs) -> None:
        super().__init__(**kwargs)
        self.path = path
        try:
            content = read_json(require_file(path, 'split file'))
        except (OSError, ValueError) as error:
            raise ValueError(f'split file {path!r}: {error}') from None
        names = (*SUBSETS, UNUSED)
        if not isinstance(content, dict) or not {'train', 'test'} <= content.keys():
            raise ValueError(
                f'split file {path!r}: it must be an object with lists under "train" '
                'and "test" (and "val", "unused" if any)'
            )
        self._subsets: Assignment = {}
        for name in names:
            subjects = content.get(name, [])
            if not isinstance(subjects, list):
                raise ValueError(f'split file {path!r}: "{name}" must be a list')
            self._subsets[name] = tuple(sorted(str(s) for s in subjects))
        everyone = [s for subjects in self._subsets.values() for s in subjects]
        twice = sorted({s for s in everyone if everyone.count(s) > 1})
        if twice:
            raise ValueError(
                f'split file {path!r}: listed more than once: {", ".join(twice)}'
            )

    def _assign(self, subjects: list[str]) -> Assignment:
        named = {s for group in self._subsets.values() for s in group}
        for problem, found in (
            ('lists subjects that the table lacks', named - set(subjects)),
            ('lacks subjects of the table', set(subjects) - named),
        ):
            if found:
                raise ValueError(
                    f'split file {self.path!r} {problem}: {", ".join(sorted(found))}'
                )
        return dict(self._subsets)
