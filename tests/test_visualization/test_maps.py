"""Feature maps, and the picture of them."""

import numpy as np
import pytest
import torch
from runs import NETWORKS

from mmcomp.models.inspect import members_of
from mmcomp.visualization.features import features_figure
from mmcomp.visualization.maps import StageMaps, positions, stage_maps


@pytest.mark.parametrize('name', NETWORKS)
def test_every_network_shows_onset_apex_and_compared(name, make_model, make_inputs):
    model = make_model(name)
    inputs = make_inputs(model)
    for member in members_of(model).values():
        maps = stage_maps(member.backbone, inputs)
        assert maps.stage == member.backbone.after
        assert maps.onset.shape == maps.apex.shape == maps.compared.shape
        # The comparison itself, on maps with another layout for tokens.
        expected = member.backbone.comparison(maps.onset, maps.apex)
        torch.testing.assert_close(maps.compared, expected)
        alone = stage_maps(member.backbone, inputs[1:2])
        torch.testing.assert_close(alone.apex, maps.apex[1:2], rtol=1e-4, atol=1e-5)


def test_stages_before_at_and_behind_the_comparison(make_model, make_inputs):
    model = make_model('compcnn_sub@2')
    inputs, backbone = make_inputs(model), model.backbone
    first, second, third = backbone.trunk.stages
    before = stage_maps(backbone, inputs, 'stages.0')
    torch.testing.assert_close(before.onset, first(inputs[:, 0]))
    torch.testing.assert_close(before.compared, before.apex - before.onset)
    at = stage_maps(backbone, inputs, 'stages.1')
    second._forward_hooks.clear()  # the trunk alone, as a reference
    apex, onset = (second(first(inputs[:, i])) for i in (1, 0))
    torch.testing.assert_close(at.compared, (apex - onset).relu())
    backbone = make_model('compcnn_sub@2').backbone
    behind = stage_maps(backbone, inputs, 'stages.2')
    assert behind.onset is None
    assert behind.apex is None
    torch.testing.assert_close(behind.compared, third((apex - onset).relu()))
    images = stage_maps(backbone, inputs, 'input')
    torch.testing.assert_close(images.compared, inputs[:, 1] - inputs[:, 0])


def test_an_unknown_stage_names_those_that_exist(make_model, make_inputs):
    model = make_model()
    with pytest.raises(ValueError, match=r"'stages.7'.*input, stages.0, .*deeper"):
        stage_maps(model.backbone, make_inputs(model), 'stages.7')


def test_tokens_form_the_grid_of_the_image(make_model):
    backbone = make_model('siamese-vit_comb@layer2').backbone
    assert positions(backbone)['layers.2'] == (96, 11, 11)
    pairs = torch.zeros(1, 2, 1, 44, 44)
    pairs[0, 1, 0, 3 * 4 : 4 * 4, 8 * 4 : 9 * 4] = 1  # the patch in row 3, column 8
    maps = stage_maps(backbone, pairs, 'patch_embed.projection')
    assert maps.compared[0].abs().sum(0).nonzero().tolist() == [[3, 8]]
    tokens = stage_maps(backbone, pairs, 'drop_after_pos')  # with a class token
    torch.testing.assert_close(tokens.compared, maps.compared, rtol=1e-4, atol=1e-5)


@pytest.fixture
def drawn():
    """Maps of four channels with known energies, and their figure."""
    generator = torch.Generator().manual_seed(0)
    strength = torch.tensor([1.0, 3.0, 0.0, 2.0]).view(1, 4, 1, 1)
    onset, apex, compared = torch.rand(3, 2, 4, 5, 5, generator=generator) + 0.1
    maps = StageMaps('x', onset, apex * 9, compared * strength, 'compared')
    images = np.random.default_rng(0).random((2, 2, 44, 44))
    figure = features_figure(maps, images, ['first', 'second'], [[0], [1]], channels=3)
    return maps, figure


def test_channels_are_ordered_by_energy(drawn):
    maps, figure = drawn
    assert maps.order.tolist() == [1, 3, 0, 2]
    energies = maps.compared.numpy().astype(float) ** 2
    share = energies.mean((0, 2, 3)) / energies.mean((0, 2, 3)).sum()
    heads = [t.get_text() for t in figure.texts if t.get_text()[:1] == '#']
    expected = [f'#{i}\n{100 * share[i]:.0f} %' for i in (1, 3, 0)]
    assert heads == expected * 2
    # What is drawn: the first map of the compared row of the first pair is channel 1.
    compared = strips(figure)[2]
    np.testing.assert_allclose(compared[:40:8, :40:8], maps.compared[0, 1])


def strips(figure):
    """The drawn rows of maps."""
    images = [axes.images[0] for axes in figure.axes if axes.images]
    return [i.get_array() for i in images if i.get_array().shape[0] == 40]


def test_rows_share_their_scale_over_pairs(drawn):
    maps, figure = drawn
    images = [axes.images[0] for axes in figure.axes if axes.images]
    limits = [i.get_clim() for i in images if i.get_array().shape[0] == 40]
    onset, apex, compared, *second = limits
    assert onset == apex  # though the apex is nine times as strong
    assert compared != onset
    assert second == [onset, apex, compared]
    both = torch.cat([maps.onset, maps.apex])[:, maps.order[:3]]
    assert onset == (0, pytest.approx(np.percentile(both, 99.7)))
