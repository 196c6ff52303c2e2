"""The plan of an experiment."""

import json

import pytest

from mmcomp.experiments.plan import (
    DONE_FILE,
    Settings,
    SettingsError,
    make_runs,
    read_settings,
    unfinished,
    write_settings,
)

CONFIGS = ['configs/diffcnn.py', 'configs/compcnn_sub-svm.py']


def test_runs_are_configs_times_folds_times_seeds():
    runs = make_runs(Settings(CONFIGS, seeds=[0, 1]), n_folds=3)
    names = {str(run.folder) for run in runs}
    assert len(runs) == len(names) == 2 * 3 * 2
    assert 'runs/compcnn_sub-svm/fold02-seed1' in names
    assert [run.fold for run in runs[:6]] == [0, 0, 1, 1, 2, 2]


def test_each_run_has_its_seed():
    runs = make_runs(Settings(CONFIGS[:1], seeds=[3, 5]), 2)
    assert [run.seed for run in runs] == [3, 3, 5, 5]
    assert [run.options['randomness.seed'] for run in runs] == [3, 3, 5, 5]


def test_all_loaders_get_the_same_split():
    run = make_runs(Settings(CONFIGS[:1], n_splits=4, split_seed=7), 4)[3]
    splits = [
        run.options[f'{name}_dataloader.dataset.split']
        for name in ('train', 'val', 'test')
    ]
    wanted = dict(type='mmcomp.SubjectKFold', n_splits=4, fold=3, seed=7, _delete_=True)
    assert splits == [wanted] * 3
    run = make_runs(Settings(CONFIGS[:1], split='loso'), 5)[4]
    split = run.options['train_dataloader.dataset.split']
    assert split == dict(
        type='mmcomp.LeaveOneSubjectOut', fold=4, seed=0, _delete_=True
    )


def test_variants_have_names_of_their_own():
    settings = Settings(
        CONFIGS[:1], train_subjects=[5, 10], audits=['swapped', 'shuffled-labels']
    )
    runs = make_runs(settings, 1)
    assert [run.name for run in runs] == [
        f'diffcnn+{size}subjects{audit}'
        for size in (5, 10)
        for audit in ('', '+swapped', '+shuffled-labels')
    ]
    swapped, shuffled = runs[1].options, runs[2].options
    assert swapped['val_dataloader.dataset.audit'] == 'swapped'
    assert shuffled['train_dataloader.dataset.audit'] == 'shuffled-labels'
    assert 'val_dataloader.dataset.audit' not in shuffled  # against the true labels
    assert runs[3].options['train_dataloader.dataset.split']['train_subjects'] == 10
    alone = make_runs(Settings(CONFIGS, audits=['swapped'], only_audits=True), 1)
    assert [r.name for r in alone] == ['diffcnn+swapped', 'compcnn_sub-svm+swapped']


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(configs=[]), 'no config is given'),
        (
            dict(split='random'),
            "split is 'random'; allowed are 'subject-kfold', 'loso'",
        ),
        (dict(configs=['a/x.py', 'b/x.py']), 'config names stand twice'),
        (dict(seeds=[0, 0]), 'seeds stand twice'),
        (dict(seeds=[]), 'no seed'),
        (dict(only_audits=True), 'no audit is given'),
        (dict(train_subjects=[5, 5]), 'train_subjects stand twice'),
    ],
)
def test_impossible_settings(kwargs, message):
    with pytest.raises(SettingsError, match=message):
        Settings(**{'configs': CONFIGS, **kwargs})


def test_folds_that_do_not_exist():
    with pytest.raises(
        SettingsError, match=r'folds \[3\] do not exist; there are 0 to 2'
    ):
        make_runs(Settings(CONFIGS, folds=[0, 3]), 3)


def test_second_start_must_ask_for_the_same(tmp_path):
    folder = tmp_path / 'an @ experiment'
    settings = Settings(CONFIGS, cfg_options={'a.b': 3})
    write_settings(settings, folder)
    write_settings(settings, folder)
    assert read_settings(folder) == settings
    with pytest.raises(
        SettingsError, match=r'another experiment.*n_splits: 10 there, 5'
    ):
        write_settings(Settings(CONFIGS, n_splits=5, cfg_options={'a.b': 3}), folder)


def test_foreign_folders_are_left_alone(tmp_path):
    (tmp_path / 'thesis.tex').write_text('precious')
    with pytest.raises(SettingsError, match='is not empty and holds no experiment'):
        write_settings(Settings(CONFIGS), tmp_path)
    with pytest.raises(SettingsError, match='holds no experiment'):
        read_settings(tmp_path)
    (tmp_path / 'experiment.json').write_text('{')
    with pytest.raises(SettingsError, match=r'experiment\.json'):
        write_settings(Settings(CONFIGS), tmp_path)
    assert (tmp_path / 'thesis.tex').read_text() == 'precious'


def test_a_run_is_done_when_its_table_stands(tmp_path):
    runs = make_runs(Settings(CONFIGS), 2)
    folder = tmp_path / runs[0].folder
    folder.mkdir(parents=True)
    (folder / f'{DONE_FILE}.123.tmp').write_text('half')
    assert unfinished(runs, tmp_path) == runs
    (folder / DONE_FILE).write_text('whole')
    assert unfinished(runs, tmp_path) == runs[1:]


def test_settings_are_readable_json(tmp_path):
    write_settings(Settings(CONFIGS), tmp_path / 'e')
    content = json.loads((tmp_path / 'e' / 'experiment.json').read_text())
    assert content['configs'] == CONFIGS
