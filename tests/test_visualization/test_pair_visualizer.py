"""Pairs and predictions in TensorBoard and local files, while a network trains."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from runs import build, small_config

from mmcomp.models.inspect import class_scores
from mmcomp.visualization import PairVisualizer

pytestmark = pytest.mark.slow  # whole runs, files or clips

HOOK = dict(type='mmcomp.PairVisualizationHook', interval=2, count=4)


def train(table, folder, shows, name='compcnn_sub@1'):
    """The state of a network after two epochs, with augmentation and dropout."""
    cfg = small_config(table, folder, name)
    if shows:
        cfg.custom_hooks = [*cfg.custom_hooks, HOOK]
        backends = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
        cfg.visualizer = dict(type='mmcomp.PairVisualizer', vis_backends=backends)
    runner = build(cfg)
    runner.train()
    runner.visualizer.close()
    return runner.model.state_dict()


def test_tensorboard_holds_pairs_and_the_training_stays_the_same(table, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    shown = train(table, tmp_path / 'shown', shows=True)
    plain = train(table, tmp_path / 'plain', shows=False)
    assert all(torch.equal(shown[key], plain[key]) for key in plain)
    (events,) = (tmp_path / 'shown').rglob('events.out*')
    found = EventAccumulator(str(events)).Reload()
    assert sorted(found.Tags()['images']) == ['pairs_train', 'pairs_val']
    for tag in found.Tags()['images']:
        (image,) = found.Images(tag)
        assert image.step == 2
        data = np.frombuffer(image.encoded_image_string, np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert picture.shape[1] > 1000  # four pairs in a row
        assert picture.std() > 20
        (local,) = (tmp_path / 'shown').rglob(f'{tag}_2.png')
        assert np.array_equal(cv2.imread(str(local)), picture)


def test_a_stack_shows_its_members_before_its_svm_is_fitted(table, tmp_path):
    train(table, tmp_path, shows=True, name='compcnn_sub-svm')
    assert list(tmp_path.rglob('pairs_train_2.png'))
    assert list(tmp_path.rglob('pairs_val_2.png'))


def test_scores_leave_each_part_in_its_mode(make_model, make_inputs):
    """A frozen part in evaluation, the rest in training, as they were."""
    model = make_model('compcnn_comb@2')
    inputs = make_inputs(model)
    expected = model(inputs).softmax(1)
    model.train()
    model.backbone.trunk.stages[0].eval()
    modes = {name: module.training for name, module in model.named_modules()}
    torch.testing.assert_close(class_scores(model, inputs), expected)
    assert {name: m.training for name, m in model.named_modules()} == modes


def test_captions_tell_label_and_prediction(monkeypatch):
    from mmpretrain.structures import DataSample

    from mmcomp.visualization import pairs

    shown = {}

    def draw(images, captions, wrong):
        shown.update(images=images, captions=captions, wrong=wrong)
        return original(images, captions, wrong=wrong)

    original = pairs.pairs_figure
    monkeypatch.setattr(pairs, 'pairs_figure', draw)
    right = DataSample(metainfo=dict(sample_id='s1')).set_gt_label(1)
    right.set_pred_score(torch.tensor([0.25, 0.75]))
    wrong = DataSample().set_gt_label(1).set_pred_score(torch.tensor([0.9, 0.1]))
    unknown = DataSample().set_pred_score(torch.tensor([0.4, 0.6]))
    visualizer = PairVisualizer(name='captions')
    seen = torch.rand(3, 2, 1, 8, 8)
    visualizer.add_pairs('x', seen, [right, wrong, unknown], ('posed', 'spontaneous'))
    assert shown['captions'] == [
        ('spontaneous · s1', 'predicted spontaneous (0.75)'),
        ('spontaneous', 'predicted posed (0.90)'),
        ('', 'predicted spontaneous (0.60)'),
    ]
    assert shown['wrong'] == [False, True, False]
    visualizer.add_datasample('x', seen[0], DataSample().set_gt_label(1))
    assert shown['captions'] == [('1', '')]


def test_another_visualizer_is_refused(table, tmp_path):
    cfg = small_config(table, tmp_path)
    cfg.custom_hooks = [*cfg.custom_hooks, HOOK]
    cfg.visualizer.type = 'UniversalVisualizer'
    with pytest.raises(ValueError, match=r'visualizer is Universal.*it must be'):
        build(cfg).train()


def test_figure_is_made_when_something_is_drawn():
    visualizer = PairVisualizer(name='lazy')
    assert visualizer.fig_save is None or not hasattr(visualizer.fig_save, 'axes')
    visualizer.set_image(np.full((20, 30, 3), 200, np.uint8))
    visualizer.draw_bboxes(torch.tensor([[5, 5, 15, 15]]), edge_colors='r')
    drawn = visualizer.get_image()
    assert drawn.shape == (20, 30, 3)
    assert (drawn[5, 10] != 200).any()


@pytest.mark.slow
def test_importing_it_loads_no_drawing():
    code = (
        'import sys, mmcomp.registry, mmcomp.engine, mmcomp.visualization; '
        "heavy = {'matplotlib.figure', 'captum', 'sklearn.manifold', 'jinja2'}; "
        'sys.exit(", ".join(heavy & sys.modules.keys()) or 0)'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
