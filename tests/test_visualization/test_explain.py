"""Explanations: where a change is, what adds up, what random weights give."""

import sys

import numpy as np
import pytest
import torch
from torch import nn

from mmcomp.compat import config_of
from mmcomp.visualization.explain import (
    BOTH,
    EACH,
    GRADIENTS,
    explain,
    integrated_gradients,
    margins,
    occlusion,
    rank_correlations,
)
from mmcomp.visualization.explanations import explanation_figure
from mmcomp.visualization.networks import random_model

PLACE = slice(20, 26), slice(30, 36)  # the only change


@pytest.fixture
def changed(make_model, make_inputs):
    """A network, and one pair of equal images but for a bright square."""
    model = make_model('compcnn_sub@1')
    pairs = make_inputs(model, 1)
    pairs[:, 1] = pairs[:, 0]
    pairs[0, 1, 0][PLACE] += 3
    return model, pairs


class ChangeCounter(nn.Module):
    """Scores: none, and the sum of squared changes."""

    def forward(self, pairs):
        change = (pairs[:, 1] - pairs[:, 0]).square().sum((1, 2, 3))
        return torch.stack([torch.zeros_like(change), change], 1)


def test_occlusion_is_highest_where_the_change_is(changed):
    _, pairs = changed
    maps = explain(ChangeCounter(), pairs, torch.tensor([1]), patch=6)
    for own in (maps[BOTH][0], *maps[EACH][0]):
        row, column = np.unravel_index(own.argmax(), own.shape)
        assert 20 <= row < 26
        assert 30 <= column < 36
    gradients = maps[GRADIENTS][0]
    assert gradients[(slice(None), *PLACE)].sum() == pytest.approx(gradients.sum())
    # The margin: 36 pixels that changed by 3.
    assert float(gradients.sum()) == pytest.approx(36 * 9, rel=1e-3)
    assert 0 < float(maps[BOTH][0].max()) <= 36 * 9 + 1e-3


def test_a_still_cover_changes_nothing_where_nothing_moves(changed):
    model, pairs = changed
    both = explain(model, pairs, torch.tensor([0]), patch=4)[BOTH][0]
    reach = torch.zeros_like(both)
    reach[16:30, 26:40] = 1  # a patch of 4 that touches the square
    assert both.abs().max() > 0
    assert (both * (1 - reach)).abs().max() < 1e-5


def test_occlusion_equals_covering_by_hand(make_model, make_inputs):
    model = make_model()
    pairs, target = make_inputs(model, 2), torch.tensor([1, 0])
    forward = margins(model)
    found = occlusion(forward, pairs, target, 44, both=True, baseline='flat')
    flat = pairs.mean((-2, -1), keepdim=True).expand_as(pairs)
    with torch.no_grad():
        fall = (forward(pairs) - forward(flat)).gather(1, target[:, None])
    torch.testing.assert_close(found[:, 5, 7], fall[:, 0], rtol=1e-4, atol=1e-5)
    one = occlusion(forward, pairs, target, 44, both=False)
    still = pairs[:, :1].expand_as(pairs)  # the apex covered by the onset
    with torch.no_grad():
        fall = (forward(pairs) - forward(still)).gather(1, target[:, None])
    torch.testing.assert_close(one[:, 1, 0, 0], fall[:, 0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('name', ['diffcnn', 'compcnn_sub-svm', 'compcnn_comb@3'])
def test_gradients_add_up_to_the_margin(name, make_model, make_inputs):
    model = make_model(name)
    pairs = make_inputs(model, 2)
    target = torch.tensor([0, 1])
    forward = margins(model)
    maps = integrated_gradients(forward, pairs, target)
    still = pairs.mean(1, keepdim=True).expand_as(pairs)
    with torch.no_grad():
        gap = (forward(pairs) - forward(still)).gather(1, target[:, None])[:, 0]
    size = maps.abs().sum((1, 2, 3)).max()
    assert (maps.sum((1, 2, 3)) - gap).abs().max() < 0.05 * size
    if name == 'diffcnn':  # it sees the difference alone: both images count alike
        torch.testing.assert_close(maps[:, 0], maps[:, 1])


def test_margins_are_log_odds_for_two_classes():
    scores = torch.tensor([[2.0, -1.0]])
    torch.testing.assert_close(
        margins(lambda pairs: scores)(None), torch.tensor([[3.0, -3.0]])
    )


def test_networks_of_random_weights_give_other_maps(changed):
    model, pairs = changed
    target = torch.tensor([0])
    own = explain(model, pairs, target, patch=8)
    assert rank_correlations(own, [own])[BOTH] == pytest.approx((1, 1))
    others = [
        explain(random_model(config_of(model), seed, 'cpu'), pairs, target, 8)
        for seed in (1, 2)
    ]
    found = rank_correlations(own, others)
    assert found.keys() == {GRADIENTS, BOTH, EACH}
    assert all(abs(signed) < 0.9 for signed, _ in found.values())
    flat = {name: torch.zeros_like(maps) for name, maps in own.items()}
    assert np.isnan(rank_correlations(flat, others)[BOTH]).all()


def test_the_picture_has_one_scale_for_all_pairs(changed):
    model, pairs = changed
    pairs = torch.cat([pairs, pairs])
    maps = explain(model, pairs, torch.tensor([0, 0]), patch=8)
    maps = {k: v * torch.tensor([1.0, 0.0]).view(-1, *[1] * (v.ndim - 1))
            for k, v in maps.items()}  # fmt: skip
    images = np.full((2, 2, 44, 44), 0.5)
    figure = explanation_figure(maps, images, [('a', ''), ('b', '')])
    pictures = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert len(pictures) == 2 * 7
    first, second = pictures[:7], pictures[7:]
    assert np.ptp(first[4]) > 0.2  # colours where the map is strong
    assert all(np.ptp(picture) < 1e-6 for picture in second)  # bare images elsewhere


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(patch=45), 'patch is 45; it must be between 1 and 44'),
        (dict(baseline='black'), "'black'; it must be one of 'still', 'flat'"),
    ],
)
def test_impossible_options_are_refused(changed, options, message):
    model, pairs = changed
    with pytest.raises(ValueError, match=message):
        explain(model, pairs, torch.tensor([0]), **options)


def test_without_captum_a_user_hears_how_to_get_it(changed, monkeypatch):
    monkeypatch.setitem(sys.modules, 'captum.attr', None)
    model, pairs = changed
    with pytest.raises(ValueError, match=r"pip install 'mmcomp\[vis\]'"):
        explain(model, pairs, torch.tensor([0]))
