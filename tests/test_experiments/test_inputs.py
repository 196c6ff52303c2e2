"""What the results of an experiment depend on is found and compared."""

import hashlib
import json
from pathlib import Path

import cv2
import pytest
from runs import small_config

from mmcomp.experiments.driver import run_experiment
from mmcomp.experiments.executors import ProcessExecutor
from mmcomp.experiments.inputs import find_inputs
from mmcomp.experiments.plan import ExperimentSettings, SettingsError
from mmcomp.experiments.record import differences


@pytest.fixture
def table(make_pair_table, tmp_path):
    return make_pair_table(tmp_path / 'data', subjects=4, pairs=1)


@pytest.fixture
def config(table, tmp_path):
    """``config(name, shipped, **options)`` writes a config; gives its path."""

    def write(name='diffcnn', shipped='diffcnn', table=table, **options):
        path = tmp_path / f'{name}.py'
        small_config(table, tmp_path, shipped, epochs=1, **options).dump(path)
        return str(path)

    return write


def inputs_of(*configs, **settings):
    return find_inputs(ExperimentSettings([*configs], n_splits=2, **settings))[0]


def test_every_file_is_hashed_as_it_is(config, table):
    files = inputs_of(config())['files']
    pictures = sorted(table.parent.glob('images/*'))
    assert len(pictures) == 16
    assert files == {
        str(path): hashlib.sha256(
            hashlib.sha256(path.read_bytes()).digest()
        ).hexdigest()
        for path in [table, *pictures]
    }


def test_unaligned_images_are_refused_before_any_run(config, make_pair_table, tmp_path):
    photos = make_pair_table(tmp_path / 'photos', subjects=4, pairs=1, size=(60, 80))
    with pytest.raises(ValueError, match=r'60x80 pixels .* must be 48x48.*prepare'):
        inputs_of(config(table=photos))


def test_a_changed_learning_rate_is_named(config):
    before = inputs_of(config())
    after = inputs_of(config(optim_wrapper__optimizer__lr=0.5))
    lr = json.dumps(before['configs']['diffcnn']['optim_wrapper']['optimizer']['lr'])
    assert differences(before, after) == (
        f'diffcnn: optim_wrapper.optimizer.lr is {lr} there, 0.5 now'
    )
    option = {'optim_wrapper.optimizer.lr': 0.5}
    assert differences(after, inputs_of(config(), cfg_options=option)) == ''


def test_where_a_run_writes_does_not_count(config):
    before = inputs_of(config())
    option = dict(work_dir='elsewhere', launcher='pytorch')
    assert differences(before, inputs_of(config(), cfg_options=option)) == ''


def test_a_blackened_picture_and_a_changed_label_are_named(config, table):
    before = inputs_of(config())
    picture = table.parent / 'images' / 's00-posed-0-apex.png'
    cv2.imwrite(str(picture), 0 * cv2.imread(str(picture), 0))
    assert differences(before, inputs_of(config())) == f'{picture} has changed'
    before = inputs_of(config())
    text = table.read_text()
    row = 's00-posed-0-apex.png,'
    table.write_text(text.replace(f'{row}posed', f'{row}spontaneous'))
    assert table.read_text() != text
    assert differences(before, inputs_of(config())) == f'{table} has changed'


def test_weights_that_a_config_starts_from_count(config, tmp_path):
    weights = tmp_path / 'weights.pth'
    weights.write_bytes(b'one')
    before = inputs_of(config(load_from=str(weights)))
    weights.write_bytes(b'two')
    assert differences(before, inputs_of(config(load_from=str(weights)))) == (
        f'{weights} has changed'
    )


def test_the_data_of_every_network_and_wrapper_count(config, make_pair_table, tmp_path):
    """Training pairs of the second network only, inside two wrappers."""
    other = make_pair_table(tmp_path / 'other', subjects=4, pairs=2, seed=5)
    first, second = config(), config('second')
    leaf = dict(type='mmcomp.PairDataset', ann_file=str(other), subset='train')
    repeated = dict(type='RepeatDataset', times=2, dataset=leaf)
    joined = dict(type='ConcatDataset', datasets=[repeated])
    with Path(second).open('a') as stream:
        stream.write(f'\ntrain_dataloader["dataset"] = {joined!r}\n')
    files = inputs_of(first, second)['files']
    assert {str(other), str(other.parent / 'images' / 's03-posed-1-apex.png')} <= {
        *files
    }


def test_the_same_pairs_elsewhere_have_the_same_hash(config, make_pair_table, tmp_path):
    copy = make_pair_table(tmp_path / 'copy', subjects=4, pairs=1)
    pairs = [
        find_inputs(ExperimentSettings([path], n_splits=2))[2]
        for path in (config(), config(table=copy))
    ]
    assert pairs[0] == pairs[1]


def test_networks_that_are_tested_on_different_pairs_are_refused(
    config, make_pair_table, tmp_path
):
    other = make_pair_table(tmp_path / 'other', subjects=4, pairs=1, seed=5)
    with pytest.raises(
        SettingsError, match=r"'diffcnn' and 'b' must be tested on the same pairs"
    ):
        inputs_of(config(), config('b', table=other))


@pytest.mark.parametrize(
    ('dataset', 'message'),
    [
        ({}, "val_dataloader of 'diffcnn' has no data set"),
        (
            dict(type='ConcatDataset', datasets=[dict(type='mmcomp.PairDataset')]),
            "val_dataloader of 'diffcnn' has a ConcatDataset; .* must not be wrapped",
        ),
    ],
)
def test_what_is_tested_is_one_data_set(config, dataset, message):
    path = config()
    with Path(path).open('a') as stream:
        stream.write(f'\nval_dataloader["dataset"] = {dataset!r}\n')
    with pytest.raises(SettingsError, match=message):
        inputs_of(path)


def test_a_network_and_the_stack_that_holds_it_are_refused(config):
    """Before any training; in all, both would write rows of one name."""
    stack = config('stack', 'compcnn_sub-svm')
    alone = config('compcnn_sub@2', 'compcnn_sub@2')
    message = r"both train a network 'compcnn_sub@2'.*leave one of them out"
    for configs in ([alone, stack], [stack, alone]):
        with pytest.raises(SettingsError, match=message):
            inputs_of(*configs)
    with pytest.raises(SettingsError, match="both train a network 'compcnn_sub@1'"):
        inputs_of(stack, config('again', 'compcnn_sub-svm'))
    inputs_of(config('compcnn_sub@4', 'compcnn_sub@2'), stack)


@pytest.mark.slow
def test_changes_between_and_during_starts_mix_nothing(config, tmp_path):
    """A changed config is refused; changed while runs train, those do not count."""
    path = Path(config())
    own = path.read_text()
    settings = ExperimentSettings([str(path)], n_splits=2)
    folder = tmp_path / 'work'

    class Meddling(ProcessExecutor):
        """Changes the config once the first run is handed over."""

        def submit(self, fn, /, *args, **kwargs):
            future = super().submit(fn, *args, **kwargs)
            future.result()
            path.write_text(own + '\ntrain_cfg["max_epochs"] = 2\n')
            return future

    with pytest.raises(
        ValueError, match=r'changed while.*max_epochs is 1 there, 2 now'
    ):
        run_experiment(settings, folder, lambda: Meddling(1))
    assert not list(folder.glob('runs/*/*/predictions.csv'))
    with pytest.raises(SettingsError, match=r'max_epochs is 1 there, 2 now'):
        run_experiment(settings, folder, lambda: ProcessExecutor(1))
    assert not list(folder.glob('runs/*/*/predictions.csv'))
    path.write_text(own)
    outcome = run_experiment(settings, folder, lambda: ProcessExecutor(1))
    assert not outcome.failures
    assert len(list(folder.glob('runs/*/*/predictions.csv'))) == 2
