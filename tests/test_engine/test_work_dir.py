"""A work folder belongs to one run."""

import json

import pytest
from runs import build, small_config

pytestmark = pytest.mark.slow  # whole runs, files or clips


@pytest.fixture(scope='module')
def tables(make_pair_table, tmp_path_factory):
    return [
        make_pair_table(tmp_path_factory.mktemp(f'table{seed}'), pairs=1, seed=seed)
        for seed in (0, 1)
    ]


@pytest.fixture(scope='module')
def trained(tables, tmp_path_factory):
    folder = tmp_path_factory.mktemp('run')
    build(small_config(tables[0], folder, epochs=1)).train()
    return folder


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(randomness__seed=1), r'randomness\.seed is 0 there, 1 now'),
        (dict(optim_wrapper__optimizer__lr=0.5), r'optimizer\.lr is .* there, 0\.5'),
        (dict(train_dataloader__batch_size=4), r'batch_size is 8 there, 4 now'),
        (dict(name='compcnn_comb@1'), r'comparison\.type is "mmcomp.Subtraction"'),
    ],
)
def test_another_run_is_refused_and_nothing_changes(options, message, tables, trained):
    before = {p: p.read_bytes() for p in trained.glob('*.*') if p.is_file()}
    with pytest.raises(ValueError, match=message) as error:
        build(small_config(tables[0], trained, epochs=1, **options)).train()
    assert 'choose another --work-dir' in str(error.value)
    assert {p: p.read_bytes() for p in trained.glob('*.*') if p.is_file()} == before


@pytest.mark.parametrize('mode', ['train', 'test'])
def test_other_data_are_refused(mode, tables, trained):
    cfg = small_config(tables[1], trained, epochs=1)
    cfg.load_from = str(trained / 'epoch_1.pth') if mode == 'test' else None
    # A long path is not shown.
    with pytest.raises(ValueError, match=r'dataset\.ann_file (is .*table0|has chang)'):
        getattr(build(cfg), mode)()


def test_a_changed_table_is_refused(make_pair_table, tmp_path):
    table = make_pair_table(tmp_path / 'data', pairs=1)
    build(small_config(table, tmp_path / 'run', epochs=1)).train()
    table.write_text(table.read_text().replace('s00,', 's09,'))
    with pytest.raises(ValueError, match='content of ann_file has changed'):
        build(small_config(table, tmp_path / 'run', epochs=1)).train()


def test_the_same_run_may_run_again_and_be_tested(tables, trained):
    table = (trained / 'predictions.csv').read_bytes()
    build(small_config(tables[0], trained, epochs=1, log_level='WARNING')).train()
    cfg = small_config(tables[0], trained, epochs=1, randomness__seed=5)
    cfg.load_from = str(trained / 'epoch_1.pth')
    build(cfg).test()
    assert sorted(json.loads((trained / 'run.json').read_text())) == ['test', 'train']
    assert len((trained / 'predictions.csv').read_bytes()) == len(table)


def test_a_training_may_follow_the_test_of_its_network(tables, trained, tmp_path):
    cfg = small_config(tables[0], tmp_path, epochs=1)
    cfg.load_from = str(trained / 'epoch_1.pth')
    build(cfg).test()
    build(small_config(tables[0], tmp_path, epochs=1)).train()
    with pytest.raises(ValueError, match='holds the results of another run'):
        build(small_config(tables[1], tmp_path, epochs=1)).train()


def test_what_is_no_record_is_named(tables, tmp_path):
    (tmp_path / 'run.json').write_text('[1]')
    with pytest.raises(ValueError, match=r'run\.json: not the record of a run'):
        build(small_config(tables[0], tmp_path, epochs=1)).train()
