"""The plan of an experiment."""

import pytest

from mmcomp.experiments.plan import (
    DONE_FILE,
    ExperimentSettings,
    SettingsError,
    make_runs,
    unfinished,
)

CONFIGS = ['configs/diffcnn.py', 'configs/compcnn_sub-svm.py']


def test_runs_are_configs_times_folds_times_seeds():
    runs = make_runs(ExperimentSettings(CONFIGS, seeds=[0, 1]), n_folds=3)
    names = {str(run.folder) for run in runs}
    assert len(runs) == len(names) == 2 * 3 * 2
    assert 'runs/compcnn_sub-svm/fold02-seed1' in names
    assert [run.fold for run in runs[:6]] == [0, 0, 1, 1, 2, 2]


def test_each_run_has_its_seed():
    runs = make_runs(ExperimentSettings(CONFIGS[:1], seeds=[3, 5]), 2)
    assert [run.seed for run in runs] == [3, 3, 5, 5]
    assert [run.options['randomness.seed'] for run in runs] == [3, 3, 5, 5]


def test_all_loaders_get_the_same_split():
    run = make_runs(ExperimentSettings(CONFIGS[:1], n_splits=4, split_seed=7), 4)[3]
    splits = [
        run.data[f'{name}_dataloader']['split'] for name in ('train', 'val', 'test')
    ]
    wanted = dict(type='mmcomp.SubjectKFold', n_splits=4, fold=3, seed=7)
    assert splits == [wanted] * 3
    run = make_runs(ExperimentSettings(CONFIGS[:1], split='loso'), 5)[4]
    split = run.data['train_dataloader']['split']
    assert split == dict(type='mmcomp.LeaveOneSubjectOut', fold=4, seed=0)


def test_variants_are_fields_and_have_folders_of_their_own():
    settings = ExperimentSettings(
        CONFIGS[:1], train_subjects=[5, 10], controls=['swapped', 'shuffled-labels']
    )
    runs = make_runs(settings, 1)
    assert {run.model for run in runs} == {'diffcnn'}
    assert [(run.train_subjects, run.control) for run in runs] == [
        (size, control)
        for size in (5, 10)
        for control in (None, 'swapped', 'shuffled-labels')
    ]
    assert len({run.folder for run in runs}) == 6
    for run in runs:
        variant = {'train_subjects': run.train_subjects, 'control': run.control}
        assert run.options['variant'] == variant
    swapped, shuffled = runs[1].data, runs[2].data
    assert swapped['val_dataloader']['control'] == 'swapped'
    assert shuffled['train_dataloader']['control'] == 'shuffled-labels'
    assert 'control' not in shuffled['val_dataloader']  # against the true labels
    assert runs[3].data['train_dataloader']['split']['train_subjects'] == 10
    settings = ExperimentSettings(CONFIGS, controls=['swapped'], only_controls=True)
    alone = make_runs(settings, 1)
    assert [(run.model, run.control) for run in alone] == [
        ('diffcnn', 'swapped'),
        ('compcnn_sub-svm', 'swapped'),
    ]


def test_a_plus_in_the_name_of_a_config_means_nothing():
    """It is refused only if its folder would be that of a variant of another."""
    names = ['a/diffcnn+warm-start.py', 'a/diffcnn+5subjects.py', 'a/x+swapped.py']
    for name in names:
        (run,) = make_runs(ExperimentSettings([name]), 1)
        assert run.model == name[2:-3]
        assert run.train_subjects is run.control is None
        assert run.options['variant'] == {'train_subjects': None, 'control': None}
    both = ExperimentSettings(['a/x.py', 'a/x+swapped.py'], controls=['swapped'])
    with pytest.raises(SettingsError, match='must not share the folder'):
        make_runs(both, 1)


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(configs=[]), 'configs is empty; it must have'),
        (
            dict(split='random'),
            "split is 'random'; it must be one of 'subject-kfold', 'loso'",
        ),
        (
            dict(configs=['a/x.py', 'b/x.py']),
            r"configs is \['x', 'x'\]; its entries must differ",
        ),
        (dict(seeds=[0, 0]), r'seeds is \[0, 0\]; its entries must differ'),
        (dict(seeds=[]), 'seeds is empty; it must have'),
        (dict(only_controls=True), 'controls is empty; only_controls needs'),
        (
            dict(train_subjects=[5, 5]),
            r'train_subjects is \[5, 5\]; its entries must differ',
        ),
    ],
)
def test_impossible_settings(kwargs, message):
    with pytest.raises(SettingsError, match=message):
        ExperimentSettings(**{'configs': CONFIGS, **kwargs})


def test_folds_that_do_not_exist():
    with pytest.raises(
        SettingsError, match=r'folds is \[0, 3\]; each fold must be between 0 and 2'
    ):
        make_runs(ExperimentSettings(CONFIGS, folds=[0, 3]), 3)


def test_a_run_is_done_when_its_table_is_there(tmp_path):
    runs = make_runs(ExperimentSettings(CONFIGS), 2)
    folder = tmp_path / runs[0].folder
    folder.mkdir(parents=True)
    (folder / f'{DONE_FILE}.123.tmp').write_text('half')
    assert unfinished(runs, tmp_path) == runs
    (folder / DONE_FILE).write_text('whole')
    assert unfinished(runs, tmp_path) == runs[1:]
