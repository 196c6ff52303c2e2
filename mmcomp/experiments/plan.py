"""The plan of an experiment: its runs, and the folder of each.

Knows configs only by their paths.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmcomp.columns import CONTROL, TRAIN_SUBJECTS

RUNS_FOLDER = 'runs'
COSTS_FILE = 'costs.json'  # seconds of a run, by what they were spent on
SPLITS = ('subject-kfold', 'loso')
DONE_FILE = 'predictions.csv'  # written last, under another name, and renamed


class SettingsError(ValueError):
    """Settings of an experiment that are impossible, or differ from those before."""


@dataclass(frozen=True)
class Run:
    """One config, one fold, one seed, and what makes it a variant of the network.

    Attributes:
        config (str): Path of the config.
        fold, seed (int): The fold that is tested and the seed of the training.
        train_subjects (int, optional): Size of the training set; None for all.
        control (str, optional): The control; see :class:`PairDataset`.
        options (dict): What differs from the config, as ``cfg-options``.
        data (dict): What differs in the data sets of each loader.
    """

    config: str
    fold: int
    seed: int
    train_subjects: int | None = None
    control: str | None = None
    options: dict[str, Any] = field(default_factory=dict, compare=False)
    data: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def model(self) -> str:
        """Name of the network: that of its config."""
        return Path(self.config).stem

    @property
    def is_plain(self) -> bool:
        """Whether it is no variant: all subjects, and no control."""
        return self.train_subjects is None and self.control is None

    @property
    def name(self) -> str:
        """Network and variant, for people and for the folder. Never parsed."""
        size = f'{self.train_subjects}subjects' if self.train_subjects else None
        return '+'.join(filter(None, (self.model, size, self.control)))

    @property
    def folder(self) -> Path:
        """The run's folder below the experiment's."""
        return Path(RUNS_FOLDER, self.name, f'fold{self.fold:02d}-seed{self.seed}')

    def __str__(self) -> str:
        return f'{self.name} fold {self.fold} seed {self.seed}'


@dataclass(frozen=True)
class RunOptions:
    """What all runs of an experiment have in common.

    Attributes:
        dataset (str, optional): A dataset config to use instead of the config's own.
        cfg_options (dict): Further settings.
        shift (tuple[float]): Distances in pixels to move the apex by in further tests.
        threads (int): Threads of PyTorch.
        keep_checkpoints (bool): Keep the weights.
    """

    dataset: str | None = None
    cfg_options: dict[str, Any] = field(default_factory=dict)
    shift: tuple[float, ...] = ()
    threads: int = 1
    keep_checkpoints: bool = False


@dataclass(frozen=True)
class ExperimentSettings:
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
        controls (list[str]): Controls to run as well; see :class:`PairDataset`.
        only_controls (bool): Run the controls alone.
        shift (list[float]): Distances in pixels to move the apex by in further tests.
        cfg_options (dict): Further settings of every run.

    Raises:
        SettingsError: If they are impossible.
    """

    configs: list[str]
    dataset: str | None = None
    split: str = 'subject-kfold'
    n_splits: int = 10
    split_seed: int = 0
    folds: list[int] | None = None
    seeds: list[int] = field(default_factory=lambda: [0])
    train_subjects: list[int] = field(default_factory=list)
    controls: list[str] = field(default_factory=list)
    only_controls: bool = False
    shift: list[float] = field(default_factory=list)
    cfg_options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise SettingsError(
                f'split is {self.split!r}; it must be one of '
                f'{", ".join(map(repr, SPLITS))}'
            )
        lists: tuple[tuple[str, Sequence[Any]], ...] = (
            ('configs', [Path(config).stem for config in self.configs]),
            ('seeds', self.seeds),
            ('folds', self.folds or []),
            ('train_subjects', self.train_subjects),
            ('controls', self.controls),
            ('shift', self.shift),
        )
        for name, values in lists:
            if name in ('configs', 'seeds') and not values:
                raise SettingsError(f'{name} is empty; it must have at least one entry')
            if len(set(values)) < len(values):
                raise SettingsError(
                    f'{name} is {values}; its entries must differ from each other'
                )
        if self.only_controls and not self.controls:
            raise SettingsError('controls is empty; only_controls needs at least one')

    def split_options(self, fold: int, train_subjects: int | None) -> dict[str, Any]:
        """Return the split of one run, as a config."""
        options: dict[str, Any] = dict(fold=fold, seed=self.split_seed)
        if self.split == 'loso':
            options['type'] = 'mmcomp.LeaveOneSubjectOut'
        else:
            options.update(type='mmcomp.SubjectKFold', n_splits=self.n_splits)
        if train_subjects is not None:
            options['train_subjects'] = train_subjects
        return options


def make_runs(settings: ExperimentSettings, n_folds: int) -> list[Run]:
    """Return all runs of an experiment, fold by fold: early folds are whole first.

    Args:
        settings: The experiment.
        n_folds: Folds that the split of its data has.

    Raises:
        SettingsError: If a fold does not exist, or two runs would share a folder.
    """
    folds = list(range(n_folds)) if settings.folds is None else settings.folds
    if not all(0 <= fold < n_folds for fold in folds):
        raise SettingsError(
            f'folds is {folds}; each fold must be between 0 and {n_folds - 1}'
        )
    controls = [*([] if settings.only_controls else [None]), *settings.controls]
    sizes: list[int | None] = [*settings.train_subjects] or [None]
    runs = [
        _make_run(settings, config, fold, seed, size, control)
        for seed in settings.seeds
        for fold in folds
        for config in settings.configs
        for size in sizes
        for control in controls
    ]
    owners: dict[Path, Run] = {}
    for run in runs:
        other = owners.setdefault(run.folder, run)
        if other is not run:
            raise SettingsError(
                f'configs is {settings.configs}; a variant of {other.config!r} and one '
                f'of {run.config!r} must not share the folder {run.folder.parent}'
            )
    return runs


def _make_run(
    settings: ExperimentSettings,
    config: str,
    fold: int,
    seed: int,
    size: int | None,
    control: str | None,
) -> Run:
    data: dict[str, dict[str, Any]] = {}
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        data[loader] = dict(split=settings.split_options(fold, size))
        # Shuffled labels are learned from; they are tested against the true ones.
        if control and not (control == 'shuffled-labels' and loader[:5] != 'train'):
            data[loader]['control'] = control
    options = {
        'randomness.seed': seed,
        'variant': {TRAIN_SUBJECTS: size, CONTROL: control},  # for the tables
    }
    return Run(config, fold, seed, size, control, options, data)


def unfinished(runs: Sequence[Run], folder: Path) -> list[Run]:
    """Return the runs whose prediction table is not there yet."""
    return [run for run in runs if not (folder / run.folder / DONE_FILE).is_file()]
