"""What the folder of an experiment says of it, and what is refused there."""

import json
import os

import pytest

from mmcomp.experiments.plan import ExperimentSettings, SettingsError
from mmcomp.experiments.record import (
    differences,
    read_inputs,
    read_settings,
    write_settings,
)

SETTINGS = ExperimentSettings(['configs/diffcnn.py', 'configs/compcnn_sub-svm.py'])
INPUTS = {
    'configs': {'diffcnn': {'lr': 0.1, 'steps': [{'type': 'a'}, {'type': 'b'}]}},
    'files': {'pairs.csv': 'aa', 'images/1.png': 'bb'},
}


def changed(**parts):
    """The inputs with some of their entries replaced."""
    return {name: {**INPUTS[name], **parts.get(name, {})} for name in INPUTS}


def test_second_start_must_ask_for_the_same(tmp_path):
    folder = tmp_path / 'an @ experiment'
    write_settings(SETTINGS, INPUTS, folder)
    write_settings(SETTINGS, INPUTS, folder)
    assert read_settings(folder) == SETTINGS
    assert read_inputs(folder) == INPUTS
    other = ExperimentSettings(SETTINGS.configs, n_splits=5)
    with pytest.raises(
        SettingsError, match=r'another experiment.*n_splits: 10 there, 5'
    ):
        write_settings(other, INPUTS, folder)


@pytest.mark.parametrize(
    ('inputs', 'difference'),
    [
        (
            changed(configs={'diffcnn': {**INPUTS['configs']['diffcnn'], 'lr': 0.2}}),
            'diffcnn: lr is 0.1 there, 0.2 now',
        ),
        (
            changed(configs={'diffcnn': {'lr': 0.1, 'steps': [{'type': 'a'}]}}),
            'diffcnn: steps.1.type is "b" there, absent now',
        ),
        (changed(files={'images/1.png': 'cc'}), 'images/1.png has changed'),
        (changed(files={'new.pth': 'dd'}), 'new.pth is new'),
        (
            {**INPUTS, 'files': {'pairs.csv': 'aa'}},
            'images/1.png is no longer used',
        ),
    ],
)
def test_other_configs_or_files_are_refused_and_named(inputs, difference, tmp_path):
    write_settings(SETTINGS, INPUTS, tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(SettingsError) as caught:
        write_settings(SETTINGS, inputs, tmp_path)
    assert str(caught.value).endswith(f'choose another --work-dir. {difference}')
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_many_differences_are_counted():
    files = {f'{i}.png': 'zz' for i in range(9)}
    text = differences(INPUTS, changed(files=files))
    assert text.endswith('4.png is new; and 4 more')


def test_a_long_value_is_not_shown():
    inputs = {'configs': {'a': {'x': 70 * 'y', 'z': 1}}, 'files': {}}
    other = {'configs': {'a': {'x': 80 * 'y', 'z': 2}}, 'files': {}}
    assert differences(inputs, other) == 'a: x has changed; a: z is 1 there, 2 now'


def test_values_that_no_comparison_holds_equal():
    """NaN is not NaN, and still the config has not changed."""
    inputs = {'configs': {'a': {'x': float('nan'), 'y': 1}}, 'files': {}}
    assert differences(inputs, json.loads(json.dumps(inputs))) == ''


def test_foreign_folders_are_left_alone(tmp_path):
    (tmp_path / 'thesis.tex').write_text('precious')
    with pytest.raises(SettingsError, match='is not empty and holds no experiment'):
        write_settings(SETTINGS, INPUTS, tmp_path)
    with pytest.raises(SettingsError, match='holds no experiment'):
        read_settings(tmp_path)
    (tmp_path / 'experiment.json').write_text('{')
    with pytest.raises(ValueError, match=r'experiment\.json: line 1: not JSON'):
        write_settings(SETTINGS, INPUTS, tmp_path)
    assert (tmp_path / 'thesis.tex').read_text() == 'precious'
    with pytest.raises(
        SettingsError, match=r'thesis\.tex is a file; it must be a fold'
    ):
        write_settings(SETTINGS, INPUTS, tmp_path / 'thesis.tex')


def test_what_is_not_known_is_refused(tmp_path):
    """An experiment of an earlier version, or one whose record was damaged."""
    write_settings(SETTINGS, INPUTS, tmp_path)
    (tmp_path / 'inputs.json').write_text('{"configs": {}}')
    with pytest.raises(SettingsError, match=r"inputs\.json: 'files'; what the results"):
        write_settings(SETTINGS, INPUTS, tmp_path)
    (tmp_path / 'inputs.json').unlink()
    with pytest.raises(SettingsError, match=r'inputs\.json: no such file; what the'):
        write_settings(SETTINGS, INPUTS, tmp_path)


@pytest.mark.parametrize('writes', [0, 1])
def test_a_full_disk_at_the_start_locks_nothing(writes, tmp_path, monkeypatch):
    """It is full at the first or the second file; later there is space again."""
    renamed = []

    def replace(source, target):
        if len(renamed) == writes:
            raise OSError(28, 'No space left on device', str(target))
        renamed.append(target)
        os.rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr('os.replace', replace)
        with pytest.raises(OSError, match='No space left'):
            write_settings(SETTINGS, changed(files={'a': 'b'}), tmp_path)
    assert not (tmp_path / 'experiment.json').exists()
    write_settings(SETTINGS, INPUTS, tmp_path)
    assert read_settings(tmp_path) == SETTINGS
    assert read_inputs(tmp_path) == INPUTS


def test_leftovers_of_a_killed_start_lock_nothing(tmp_path):
    for name in ('.experiment.json.7.tmp', '.inputs.json.7.tmp', '.lock'):
        (tmp_path / name).write_text('{')
    write_settings(SETTINGS, INPUTS, tmp_path)
    assert read_inputs(tmp_path) == INPUTS


def test_settings_are_readable_json(tmp_path):
    write_settings(SETTINGS, INPUTS, tmp_path / 'e')
    content = json.loads((tmp_path / 'e' / 'experiment.json').read_text())
    assert content['configs'] == SETTINGS.configs
