"""Training curves."""

import json

import pytest

from mmcomp.visualization.curves import curves_figure, mean_curves, read_curves


def write_log(run, losses, time='20260101_000000', start=1, error=None, tail=''):
    """A log as MMEngine's LocalVisBackend writes it."""
    lines = [
        dict(loss=loss, lr=0.1, epoch=epoch, iter=9 * epoch, step=9 * epoch)
        for epoch, loss in enumerate(losses, start)
    ]
    if error is not None:
        lines.append({'pair/error_rate': error, 'step': start + len(losses) - 1})
    path = run / time / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text('\n'.join(map(json.dumps, lines)) + '\n' + tail)
    return path


def test_runs_of_an_experiment_are_joined_by_network(tmp_path):
    (tmp_path / 'experiment.json').touch()
    for name, shift in (('diffcnn', 0), ('compcnn_sub@1', 10)):
        for fold in (0, 1):
            run = tmp_path / 'runs' / name / f'fold{fold:02d}-seed0'
            write_log(run, [3 + fold + shift, 1 + fold + shift], error=20 + fold)
    runs = read_curves([tmp_path])
    assert (
        sorted(run.network for run in runs) == ['compcnn_sub@1'] * 2 + ['diffcnn'] * 2
    )
    means = mean_curves(runs, 'loss')
    assert means['diffcnn'].to_dict() == {1: 3.5, 2: 1.5}
    assert means['compcnn_sub@1'].to_dict() == {1: 13.5, 2: 11.5}
    assert mean_curves(runs, 'pair/error_rate')['diffcnn'].to_dict() == {2: 20.5}
    figure = curves_figure(runs, ['loss'])
    (axes,) = figure.axes
    drawn = [line.get_ydata().tolist() for line in axes.lines]
    assert len(drawn) == 4 + 2
    assert [3.5, 1.5] in drawn
    assert len({tuple(line.get_color()) for line in axes.lines}) == 2
    names = [text.get_text() for text in figure.legends[0].texts]
    assert sorted(names) == ['compcnn_sub@1', 'diffcnn']


def test_names_of_networks_are_not_parsed(tmp_path):
    """Neither to find the network of a run, nor by Matplotlib."""
    names = ['fold1-seed2', 'a+b', 'x@2-svm', 'onset-only', '_x', 'a$_b$']
    for name in names:
        write_log(tmp_path / name, [1, 2])
    runs = read_curves([tmp_path])
    assert sorted(run.network for run in runs) == sorted(names)
    figure = curves_figure(runs, ['loss'])
    assert {text.get_text() for text in figure.legends[0].texts} == {*names}
    assert not any(text.get_parse_math() for text in figure.legends[0].texts)


def test_of_a_resumed_run_the_last_log_counts(tmp_path):
    run = tmp_path / 'diffcnn'
    write_log(run, [5, 4, 3], '20260101_000000')
    write_log(run, [2, 1], '20260102_000000', start=3, error=10)
    (curves,) = read_curves([run])
    assert curves.network == 'diffcnn'
    assert curves.table['loss'].to_dict() == {1: 5, 2: 4, 3: 2, 4: 1}
    panels = [axes.get_title(loc='left') for axes in curves_figure([curves]).axes]
    assert len(panels) == 3  # loss, learning rate, error


def test_several_lines_of_an_epoch_are_averaged(tmp_path):
    path = write_log(tmp_path / 'x', [4])
    path.write_text(path.read_text() * 2 + path.read_text().replace('4', '1', 1))
    assert read_curves([tmp_path])[0].table['loss'].to_dict() == {1: 3}


def test_a_line_that_a_kill_cut_off_is_left_out(tmp_path):
    write_log(tmp_path / 'x', [2, 1], tail='{"loss": 0.5, "epo')
    assert len(read_curves([tmp_path])[0].table) == 2


@pytest.mark.parametrize('line', ['{"loss": 1', '[1]', '{"loss": 1}', 'null'])
def test_a_foreign_log_is_one_clear_error(tmp_path, line):
    path = write_log(tmp_path / 'x', [1])
    path.write_text(line + '\n' + path.read_text())
    with pytest.raises(
        ValueError, match=r'scalars.json, line 1: not a log of MMEngine'
    ):
        read_curves([tmp_path])


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(ValueError, match=r'no training log .* in or below'):
        read_curves([tmp_path])
    write_log(tmp_path / 'x', [1])
    runs = read_curves([tmp_path])
    with pytest.raises(
        ValueError, match="include 'f1'; they must be logged ones: loss, lr"
    ):
        curves_figure(runs, ['f1'])


def test_networks_have_colours_of_their_own(tmp_path):
    for index in range(14):
        write_log(tmp_path / f'net{index}', [1, 2])
    axes = curves_figure(read_curves([tmp_path]), ['loss']).axes[0]
    assert len({tuple(line.get_color()) for line in axes.lines}) == 14
