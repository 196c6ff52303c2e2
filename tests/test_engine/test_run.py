"""Whole runs through PairRunner and its hooks."""

import json
import re
import subprocess
import sys

import pandas as pd
import pytest
import torch
from runs import Interrupt, build, small_config, without_chance

from mmcomp.checkpoint import CheckpointError, load_plain_checkpoint

pytestmark = pytest.mark.slow  # whole runs, files or clips


@pytest.fixture(scope='module')
def table(make_pair_table, tmp_path_factory):
    return make_pair_table(tmp_path_factory.mktemp('pairs @ ü'), subjects=6, pairs=3)


def weights(folder, epoch):
    return load_plain_checkpoint(folder / f'epoch_{epoch}.pth')['state_dict']


def test_training_learns_and_leaves_its_results(table, tmp_path, caplog):
    cfg = small_config(table, tmp_path, epochs=6)
    build(cfg).train()
    log = next(tmp_path.glob('*/*.log')).read_text()
    line = re.findall(r'compcnn_sub@1: error rate .*', log)[-1]
    found = re.match(
        r'.*error rate ([\d.]+) % \((\d+)/18 errors\), UAR ([\d.]+) %, majority-class '
        r'error 50.00 %; checkpoint: (.*epoch_6.pth); predictions: (.*.csv)',
        line,
    )
    predictions = pd.read_csv(found[5])
    wrong = (predictions['label'] != predictions['predicted']).sum()
    assert int(found[2]) == wrong <= 3
    assert float(found[1]) == pytest.approx(100 * wrong / 18, abs=0.01)
    assert set(predictions['model']) == {'compcnn_sub@1'}
    assert set(predictions['fold']) == {0}
    split = json.loads((tmp_path / 'split.json').read_text())
    assert set(predictions['subject']) == set(split['test'])
    assert not set(split['train']) & set(split['test'])


def test_testing_the_checkpoint_gives_the_same_predictions(table, tmp_path):
    cfg = small_config(table, tmp_path / 'train')
    build(cfg).train()
    cfg.work_dir, cfg.load_from = (
        str(tmp_path / 'test'),
        str(tmp_path / 'train' / 'epoch_2.pth'),
    )
    build(cfg).test()
    assert (tmp_path / 'test' / 'predictions.csv').read_bytes() == (
        tmp_path / 'train' / 'predictions.csv'
    ).read_bytes()


def test_resumed_run_equals_an_uninterrupted_one(table, tmp_path):
    """Bit for bit, with dropout, augmentation, schedule and optimiser state."""
    schedule = dict(
        param_scheduler=[
            dict(
                type='OneCycleLR',
                eta_max=1e-3,
                total_steps=4,
                convert_to_iter_based=True,
            )
        ]
    )
    build(small_config(table, tmp_path / 'whole', epochs=4, **schedule)).train()
    cfg = small_config(table, tmp_path / 'parts', epochs=4, **schedule)
    with pytest.raises(KeyboardInterrupt):
        build(cfg, [Interrupt(2)]).train()
    assert not (tmp_path / 'parts' / 'epoch_3.pth').exists()
    cfg.resume = True
    build(cfg).train()
    whole, parts = weights(tmp_path / 'whole', 4), weights(tmp_path / 'parts', 4)
    for name, value in whole.items():
        assert torch.equal(parts[name], value), name
    assert (tmp_path / 'whole' / 'predictions.csv').read_bytes() == (
        tmp_path / 'parts' / 'predictions.csv'
    ).read_bytes()


def test_same_seed_same_weights_other_seed_other_weights(table, tmp_path):
    for name, seed in (('a', 0), ('b', 0), ('c', 1)):
        cfg = small_config(table, tmp_path / name, epochs=1, randomness__seed=seed)
        build(cfg).train()
    a, b, c = (weights(tmp_path / name, 1) for name in 'abc')
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not all(torch.equal(a[name], c[name]) for name in a)


def test_testing_refuses_weights_of_another_network(table, tmp_path):
    build(small_config(table, tmp_path / 'a', epochs=1)).train()
    cfg = small_config(table, tmp_path / 'b', 'compcnn_comb@1')
    cfg.load_from = str(tmp_path / 'a' / 'epoch_1.pth')
    with pytest.raises(CheckpointError, match=r'missing: backbone\.comparison\.alpha'):
        build(cfg).test()
    build(cfg).train()  # but training may start from what fits


def test_testing_on_trained_subjects_is_said(table, tmp_path):
    cfg = small_config(table, tmp_path, epochs=1)
    build(cfg).train()
    cfg.load_from = str(tmp_path / 'epoch_1.pth')
    cfg.test_dataloader.dataset.subset = 'all'
    cfg.work_dir = str(tmp_path / 'test')
    build(cfg).test()
    log = max(tmp_path.glob('test/*/*.log')).read_text()
    assert '3 of 6 tested subjects were trained on' in log


def test_unaligned_images_stop_before_training(make_pair_table, tmp_path):
    table = make_pair_table(tmp_path / 'photos', 2, 1, size=(60, 80))
    with pytest.raises(ValueError, match=r'60x80 pixels .* must be 48x48.*prepare'):
        build(small_config(table, tmp_path / 'run')).train()
    assert not list((tmp_path / 'run').glob('*.pth'))


PROTOCOL = [
    (dict(val_dataloader__dataset__subset='all'), '3 subjects are in the training'),
    (
        dict(val_dataloader__dataset__split__seed=1),
        'subjects are in the training and the',
    ),
    # The test set alone; the validation is as it should be.
    (
        dict(test_dataloader__dataset__subset='all'),
        '3 subjects are in the training and the test set',
    ),
    *(
        (
            {f'{loader}_dataloader__dataset__metainfo': dict(classes=classes)},
            f'classes of the {loader} set are {words}; they must be those of the '
            "training set, in its order: 'posed', 'spontaneous'",
        )
        for loader in ('val', 'test')
        for classes, words in (
            (['spontaneous', 'posed'], "'spontaneous', 'posed'"),
            (['posed', 'spontaneous', 'x'], "'posed', 'spontaneous', 'x'"),
        )
    ),
    (
        dict(
            param_scheduler=[
                dict(type='ReduceOnPlateauLR', monitor='pair/wrong', by_epoch=True)
            ]
        ),
        "is 'test', and ReduceOnPlateauLR would follow a metric of it",
    ),
    (
        dict(default_hooks__checkpoint__save_best='pair/error_rate'),
        "is 'test', and PlainCheckpointHook would choose the epoch on it",
    ),
    (
        dict(
            custom_hooks=[
                dict(type='mmcomp.ProtocolHook'),
                dict(type='EarlyStoppingHook', monitor='pair/uar', rule='greater'),
            ]
        ),
        "is 'test', and EarlyStoppingHook would choose the epoch on it",
    ),
]


@pytest.mark.parametrize(('options', 'message'), PROTOCOL)
def test_protocol_errors_stop_before_training(options, message, table, tmp_path):
    with pytest.raises(ValueError, match=message):
        build(small_config(table, tmp_path, **options)).train()
    assert not list(tmp_path.glob('*.pth'))


@pytest.mark.parametrize(
    ('databases', 'refused'),
    [(('casme2', 'samm'), False), (('samm', 'samm'), True), ((None, None), True)],
)
def test_equal_subjects_of_two_tables(databases, refused, table, tmp_path):
    """They are one person unless the tables name different databases."""
    paths = []
    for number, database in enumerate(databases):
        rows = pd.read_csv(table, dtype=str)
        if database:
            rows = rows.assign(database=database)
        paths.append(table.with_name(f'people-{database}-{number}.csv'))
        rows.to_csv(paths[-1], index=False)
    cfg = small_config(table, tmp_path, epochs=1)
    for loader, path in (('train', paths[0]), ('val', paths[1]), ('test', paths[1])):
        own = dict(ann_file=str(path), split=None, subset='all')
        cfg[f'{loader}_dataloader'].dataset.update(own)
    if refused:
        with pytest.raises(ValueError, match=r"6 subjects are in .*a column 'data"):
            build(cfg).train()
        return
    build(cfg).train()
    predictions = pd.read_csv(tmp_path / 'predictions.csv')
    assert len(predictions) == len(pd.read_csv(table))


def test_best_epoch_may_be_chosen_on_an_inner_split(table, tmp_path):
    split = dict(type='mmcomp.SubjectKFold', n_splits=3, val_folds=1)
    cfg = small_config(
        table,
        tmp_path,
        train_dataloader__dataset__split=split,
        val_dataloader__dataset__split=split,
        test_dataloader__dataset__split=split,
        val_dataloader__dataset__subset='val',
        default_hooks__checkpoint__save_best='pair/error_rate',
    )
    build(cfg).train()
    assert list(tmp_path.glob('best_pair_error_rate_epoch_*.pth'))


def test_terminal_gets_single_lines_and_the_file_gets_all(table, tmp_path, capfd):
    build(small_config(table, tmp_path, epochs=1)).train()
    captured = capfd.readouterr()
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert 'System environment' in log
    assert 'System environment' not in captured.out + captured.err
    assert 'Epoch(train)' in captured.out + captured.err


def test_tensorboard_by_config(table, tmp_path):
    backends = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
    cfg = small_config(table, tmp_path, epochs=1, visualizer__vis_backends=backends)
    build(cfg).train()
    assert list(tmp_path.glob('*/vis_data/events.out.tfevents.*'))


def test_members_of_a_config_are_free_of_chance(table, tmp_path):
    """The helper for reference runs takes out dropout and augmentation."""
    cfg = without_chance(small_config(table, tmp_path))
    runner = build(cfg)
    rates = [m.p for m in runner.model.modules() if isinstance(m, torch.nn.Dropout)]
    assert set(rates) == {0}


@pytest.mark.slow
def test_steps_use_their_memory_again():
    """Without it each of these large blocks is new to the process, page by page.

    It is the median of many steps: a busy machine takes pages back now and then.
    """
    code = """
import resource, statistics, sys, torch
from mmcomp.engine.memory import keep_freed_memory
if sys.argv[1:]:
    keep_freed_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(1 << 24).add(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(statistics.median_low(faults() for _ in range(21)))
"""
    usual, kept = (
        int(subprocess.check_output([sys.executable, '-c', code, *given]))
        for given in ([], ['keep'])
    )
    assert kept < 0.1 * usual
