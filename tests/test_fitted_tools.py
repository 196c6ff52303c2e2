"""What users do with a model that is fitted at once, and what they cannot."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from fitted_parts import FITTED
from mmengine.config import Config
from runs import REPOSITORY, build, fit_config
from test_checkpoint import Hostile

from mmcomp.apis import PairInferencer
from mmcomp.apis.model import load_model
from mmcomp.checkpoint import CheckpointError, load_plain_checkpoint
from mmcomp.cli import cross_validate, export, visualize
from mmcomp.export import FORMATS, export_model, real_pairs

pytestmark = pytest.mark.slow  # whole runs, files or clips


@pytest.fixture(scope='module')
def table(make_pair_table, tmp_path_factory):
    return make_pair_table(tmp_path_factory.mktemp('pairs'), subjects=6, pairs=2)


@pytest.fixture(scope='module')
def trained(table, tmp_path_factory):
    """Paths of a config and a checkpoint, and the folder of the run."""
    folder = tmp_path_factory.mktemp('fitted')
    build(fit_config(folder, table)).train()
    return folder / 'peer.py', folder / 'peer' / 'epoch_1.pth', folder / 'peer'


@pytest.fixture(scope='module')
def expected(trained):
    return pd.read_csv(trained[2] / 'predictions.csv').set_index('sample_id')


def test_inferencer_gives_the_scores_of_the_test(trained, table, expected, tmp_path):
    config, checkpoint, _ = trained
    infer = PairInferencer(str(config), str(checkpoint), 'cpu', aligned=True)
    results = infer(str(table), batch_size=5, out_dir=tmp_path)
    found = {result['input']: result for result in results}
    assert len(found) == 24
    for sample, row in expected.iterrows():
        scores = found[sample]['pred_scores']
        assert scores['posed'] == pytest.approx(row['score_posed'], abs=1e-5)
    assert len(list(tmp_path.glob('*.png'))) == 24


@pytest.mark.parametrize('fmt', [f for f in FORMATS if f != 'safetensors'])
def test_export_of_a_program_is_refused_at_once(fmt, trained, tmp_path, monkeypatch):
    monkeypatch.setattr('mmcomp.export.real_pairs', lambda cfg: pytest.fail('too late'))
    config, checkpoint, _ = trained
    out = tmp_path / 'model.onnx'
    with pytest.raises(ValueError, match=f'export to {fmt} is not possible with Half'):
        export.main([str(config), str(checkpoint), '--format', fmt, '--out', str(out)])
    assert not list(tmp_path.iterdir())


def test_weights_alone_are_exported_and_hold_their_config(
    trained, table, expected, tmp_path
):
    config, checkpoint, _ = trained
    model = load_model(config, checkpoint, 'cpu')
    out = tmp_path / 'model.safetensors'
    pairs = real_pairs(Config.fromfile(config))
    assert export_model(model, out, 'safetensors', pairs)['difference'] == 0
    infer = PairInferencer(str(out), device='cpu', aligned=True)
    for result in infer(str(table)):
        if result['input'] in expected.index:
            score = expected.loc[result['input'], 'score_posed']
            assert result['pred_scores']['posed'] == pytest.approx(score, abs=1e-5)


@pytest.mark.parametrize(
    ('command', 'what'),
    [('features', 'a picture of feature maps'), ('explain', 'an explanation')],
)
def test_pictures_of_what_it_does_not_have_are_refused(
    command, what, trained, table, tmp_path
):
    config, checkpoint, _ = trained
    for weights in (str(checkpoint), '--random'):
        with pytest.raises(ValueError, match=f'{what} is not possible with HalfMeans'):
            visualize.main(
                [command, str(config), weights, '--out', str(tmp_path / 'a.png')]
            )


def test_other_pictures_are_drawn(trained, table, tmp_path):
    config, checkpoint, folder = map(str, trained)
    for arguments in (
        ['pairs', config],
        ['embedding', config, checkpoint, '--perplexity', '2'],
        ['curves', folder],
    ):
        out = tmp_path / f'{arguments[0]}.png'
        visualize.main([*arguments, '--out', str(out)])
        assert out.stat().st_size > 1000
    with pytest.raises(ValueError, match='FittedPairClassifier is not fitted'):
        visualize.main(
            ['embedding', config, '--random', '--out', str(tmp_path / 'random.png')]
        )


def test_the_demo_shows_where_it_counted(trained, table):
    pytest.importorskip('captum', reason='Captum is not installed')
    from mmcomp.demo.analysis import Analyst
    from mmcomp.faces import FacePair, read_image

    config, checkpoint, _ = trained
    analyst = Analyst(str(config), str(checkpoint), 'cpu')
    images = [
        read_image(table.parent / f'images/s00-posed-0-{moment}.png')[..., 0]
        for moment in ('onset', 'apex')
    ]
    pair = FacePair(success=True, onset=images[0], apex=images[1])
    counted = analyst._where_it_counted(pair, 'posed')
    assert counted.shape == (48, 48)
    assert counted[:20].mean() > 3 * abs(counted[28:].mean())  # the bar of its class


def test_hostile_checkpoints_run_nothing(trained, table, tmp_path):
    config, checkpoint, _ = trained
    victim, bad = tmp_path / 'victim', tmp_path / 'bad.pth'
    content = load_plain_checkpoint(checkpoint)
    state = {**content['state_dict'], 'classifier.means': Hostile(victim)}
    torch.save({**content, 'state_dict': state}, bad)
    test = fit_config(tmp_path, table)
    test.load_from = str(bad)
    resumed = fit_config(tmp_path, table, 'resumed')
    resumed.load_from, resumed.resume = str(bad), True
    for use in (
        lambda: load_model(config, bad, 'cpu'),
        lambda: PairInferencer(str(bad)),
        lambda: build(test).test(),
        lambda: build(resumed).train(),
    ):
        with pytest.raises(CheckpointError, match=r'bad\.pth: refused.* run code'):
            use()
    assert not victim.exists()


def test_a_stranger_s_config_in_a_checkpoint_builds_what_is_registered(
    trained, tmp_path
):
    _, checkpoint, _ = trained
    content = load_plain_checkpoint(checkpoint)
    bad = {**FITTED, 'features': dict(type='os.system', command='touch victim')}
    content['meta']['cfg'] = f'model = {bad!r}'
    torch.save(content, tmp_path / 'bad.pth')
    with pytest.raises(CheckpointError, match=r'os\.system is not in the'):
        load_model(None, tmp_path / 'bad.pth', 'cpu')


def test_an_experiment_with_everything(table, tmp_path, capsys):
    """Folds, a learning curve, controls, shifts; a second start has nothing to do."""
    fit_config(tmp_path, table)
    arguments = [
        *(str(tmp_path / 'peer.py'), '--work-dir', str(tmp_path / 'work')),
        *('--n-splits', '2', '--train-subjects', '2', '3', '--shift', '0', '2'),
        *('--controls', 'onset-only', 'shuffled-labels', '--every-epoch'),
    ]
    cross_validate.main(arguments)
    tables = sorted((tmp_path / 'work').glob('runs/*/*/predictions*.csv'))
    assert len(tables) == 2 * 2 * 3 * 3
    frames = {path: pd.read_csv(path) for path in tables}
    for frame in frames.values():
        assert len(frame) == 12
        assert np.isfinite(frame['score_posed']).all()
    for path in tables:
        if path.name == 'predictions-shift0px.csv':
            plain = frames[path.with_name('predictions.csv')]
            pd.testing.assert_series_equal(
                frames[path]['score_posed'], plain['score_posed']
            )
    assert list((tmp_path / 'work').glob('**/costs.json'))
    times = {path: path.stat().st_mtime_ns for path in tables}
    cross_validate.main(arguments)
    assert {path: path.stat().st_mtime_ns for path in tables} == times


@pytest.mark.parametrize(
    'options', [['--amp'], ['--no-validate'], ['--auto-scale-lr'], ['--resume']]
)
def test_options_of_train(options, trained, table, tmp_path):
    fit_config(tmp_path, table)
    command = [sys.executable, REPOSITORY / 'tools' / 'train.py', tmp_path / 'peer.py']
    env_path = ':'.join(sys.path)
    done = subprocess.run(
        [*map(str, command), *options],
        env={'PYTHONPATH': env_path, 'PATH': '/usr/bin:/bin', 'OMP_NUM_THREADS': '1'},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = load_plain_checkpoint(tmp_path / 'peer' / 'epoch_1.pth')['state_dict']
    for name, value in load_plain_checkpoint(trained[1])['state_dict'].items():
        assert torch.equal(found[name], value)
