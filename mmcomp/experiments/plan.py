"""The plan of an experiment: which runs it consists of, and where each leaves its work.

Knows configs only by their paths.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mmcomp.files import write_text

SETTINGS_FILE = 'experiment.json'
RUNS_FOLDER = 'runs'
COSTS_FILE = 'costs.json'  # seconds of a run, by what they were spent on
SPLITS = ('subject-kfold', 'loso')
DONE_FILE = 'predictions.csv'  # written last, under another name, and renamed


class SettingsError(ValueError):
    """Settings of an experiment that are impossible, or differ from those before."""


@dataclass(frozen=True)
class Run:
    """One config, one fold, one seed (and one variant of the training).

    Attributes:
        config (str): Path of the config.
        name (str): Name of the row: the config's name and the variant.
        fold, seed (int): Of the run.
        options (dict): What differs from the config, as ``cfg-options``.
    """

    config: str
    name: str
    fold: int
    seed: int
    options: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def folder(self) -> Path:
        """The run's folder below the experiment's."""
        return Path(RUNS_FOLDER, self.name, f'fold{self.fold:02d}-seed{self.seed}')

    def __str__(self) -> str:
        return f'{self.name} fold {self.fold} seed {self.seed}'


@dataclass(frozen=True)
class Settings:
    """What an experiment is. A second start in its folder must ask for the same.

    Attributes:
        configs (list[str]): Paths of configs; a stack gives rows for its members too.
        dataset (str, optional): Path of a dataset config to use in all of them.
        split (str): 'subject-kfold' or 'loso'.
        n_splits (int): Folds of 'subject-kfold'.
        split_seed (int): Seed of the assignment of subjects to folds.
        folds (list[int], optional): The folds to run; all if None.
        seeds (list[int]): Seeds of training.
        train_subjects (list[int]): Sizes of a learning curve; empty for all subjects.
        audits (list[str]): Audits to run beside; see :class:`PairDataset`.
        only_audits (bool): Run the audits alone.
        jitter (list[float]): Misalignments in pixels to test each network at.
        cfg_options (dict): Further settings of every run.
    """

    configs: list[str]
    dataset: str | None = None
    split: str = 'subject-kfold'
    n_splits: int = 10
    split_seed: int = 0
    folds: list[int] | None = None
    seeds: list[int] = field(default_factory=lambda: [0])
    train_subjects: list[int] = field(default_factory=list)
    audits: list[str] = field(default_factory=list)
    only_audits: bool = False
    jitter: list[float] = field(default_factory=list)
    cfg_options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise SettingsError(
                f'split is {self.split!r}; allowed are {", ".join(map(repr, SPLITS))}'
            )
        if not self.configs:
            raise SettingsError('no config is given')
        names = [Path(config).stem for config in self.configs]
        for what, values in (
            ('config names', names),
            ('seeds', self.seeds),
            ('folds', self.folds or []),
            ('train_subjects', self.train_subjects),
        ):
            if len(set(values)) < len(values):
                raise SettingsError(f'{what} stand twice in {values}')
        if not self.seeds:
            raise SettingsError('no seed is given')
        if self.only_audits and not self.audits:
            raise SettingsError('only audits are asked for, and no audit is given')

    def split_options(self, fold: int, train_subjects: int | None) -> dict[str, Any]:
        """The split of one run, as a config."""
        options: dict[str, Any] = dict(fold=fold, seed=self.split_seed)
        if self.split == 'loso':
            options['type'] = 'mmcomp.LeaveOneSubjectOut'
        else:
            options.update(type='mmcomp.SubjectKFold', n_splits=self.n_splits)
        if train_subjects is not None:
            options['train_subjects'] = train_subjects
        return options


def make_runs(settings: Settings, n_folds: int) -> list[Run]:
    """All runs of an experiment, fold by fold, so that early folds are whole first.

    Args:
        settings: The experiment.
        n_folds: Folds that the split of its data has.

    Raises:
        SettingsError: If a fold is asked for that does not exist.
    """
    folds = list(range(n_folds)) if settings.folds is None else settings.folds
    wrong = [fold for fold in folds if not 0 <= fold < n_folds]
    if wrong:
        raise SettingsError(f'folds {wrong} do not exist; there are 0 to {n_folds - 1}')
    audits = [*([] if settings.only_audits else [None]), *settings.audits]
    runs = []
    for seed in settings.seeds:
        for fold in folds:
            for config in settings.configs:
                name = Path(config).stem
                for size in settings.train_subjects or [None]:
                    for audit in audits:
                        runs.append(
                            _run(settings, config, name, fold, seed, size, audit)
                        )
    return runs


def _run(
    settings: Settings,
    config: str,
    name: str,
    fold: int,
    seed: int,
    size: int | None,
    audit: str | None,
) -> Run:
    split = dict(settings.split_options(fold, size), _delete_=True)
    options: dict[str, Any] = {'randomness.seed': seed}
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        options[f'{loader}.dataset.split'] = dict(split)
        # Shuffled labels are learned from; they are tested against the true ones.
        if audit and not (audit == 'shuffled-labels' and loader[:5] != 'train'):
            options[f'{loader}.dataset.audit'] = audit
    variant = f'+{size}subjects' if size is not None else ''
    variant += f'+{audit}' if audit else ''
    options['variant'] = variant  # tells the rows of the tables apart
    return Run(config, name + variant, fold, seed, options)


def write_settings(settings: Settings, folder: Path) -> None:
    """Leave the settings in the experiment's folder, or compare with those there.

    Raises:
        SettingsError: Naming what differs from the experiment that stands there.
    """
    path = folder / SETTINGS_FILE
    wanted = json.loads(json.dumps(asdict(settings)))
    if path.exists():
        try:
            found = json.loads(path.read_text(encoding='utf-8'))
        except ValueError as error:
            raise SettingsError(f'{path}: {error}') from None
        differences = [
            f'{key}: {found.get(key)!r} there, {wanted.get(key)!r} now'
            for key in {**found, **wanted}
            if found.get(key) != wanted.get(key)
        ]
        if differences:
            raise SettingsError(
                f'{folder} holds another experiment; choose another --work-dir. '
                + '; '.join(differences)
            )
        return
    if folder.exists() and any(p.name[0] != '.' for p in folder.iterdir()):
        raise SettingsError(f'{folder} is not empty and holds no experiment')
    write_text(path, json.dumps(wanted, indent=1) + '\n')


def read_settings(folder: Path) -> Settings:
    """The settings of the experiment in a folder.

    Raises:
        SettingsError: If there is none.
    """
    path = Path(folder, SETTINGS_FILE)
    try:
        return Settings(**json.loads(path.read_text(encoding='utf-8')))
    except (OSError, ValueError, TypeError) as error:
        raise SettingsError(f'{folder} holds no experiment: {error}') from None


def unfinished(runs: Sequence[Run], folder: Path) -> list[Run]:
    """The runs whose prediction table does not stand yet."""
    return [run for run in runs if not (folder / run.folder / DONE_FILE).is_file()]
