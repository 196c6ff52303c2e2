"""SiameseBackbone around any trunk."""

import copy
import pickle

import pytest
import torch
from torch import nn

from mmcomp.registry import MODELS


def build(**kwargs):
    torch.manual_seed(0)
    cfg = dict(
        type='mmcomp.SiameseBackbone',
        trunk=dict(type='mmcomp.CompCNNTrunk'),
        comparison=dict(type='mmcomp.Subtraction'),
        after='stages.0',
        input_shape=(1, 44, 44),
    )
    return MODELS.build({**cfg, **kwargs})


RESNET = dict(type='ResNet', depth=18, in_channels=1)
VIT = dict(
    type='VisionTransformer',
    arch=dict(embed_dims=24, num_layers=3, num_heads=3, feedforward_channels=48),
    img_size=48,
    patch_size=16,
    in_channels=1,
)
SWIN = dict(
    type='SwinTransformer',
    arch=dict(embed_dims=12, depths=[1, 1], num_heads=[2, 2]),
    img_size=32,
    in_channels=1,
    window_size=4,
    out_indices=(1,),
)
TRUNKS = [
    (RESNET, 'layer2', (1, 48, 48)),
    (RESNET, 'input', (1, 48, 48)),
    (dict(type='ConvNeXt', arch='atto', in_channels=1), 'stages.1', (1, 64, 64)),
    (VIT, 'layers.1', (1, 48, 48)),
    (SWIN, 'stages.0', (1, 32, 32)),
    (dict(type='MobileNetV2', widen_factor=0.25), 'layer3', (3, 48, 48)),
]


@pytest.mark.parametrize(('trunk', 'after', 'shape'), TRUNKS)
def test_any_trunk_equals_two_passes_by_hand(trunk, after, shape):
    """Replacing the layer's output by hand on separate passes gives the same."""
    backbone = build(
        trunk=trunk,
        after=after,
        input_shape=shape,
        comparison=dict(type='mmcomp.Subtraction', act_cfg=None),
    ).eval()
    pairs = torch.randn(3, 2, *shape)
    trunk_alone = copy.deepcopy(backbone.trunk)
    if after == 'input':
        expected = trunk_alone(pairs[:, 1] - pairs[:, 0])
    else:
        layer = trunk_alone.get_submodule(after)
        layer._forward_hooks.clear()
        seen = []
        handle = layer.register_forward_hook(lambda m, i, o: seen.append(o))
        trunk_alone(pairs[:, 0]), trunk_alone(pairs[:, 1])
        handle.remove()
        first = [o[0] if isinstance(o, tuple) else o for o in seen]
        difference = first[1] - first[0]
        rest = seen[0][1:] if isinstance(seen[0], tuple) else None
        replaced = difference if rest is None else (difference, *rest)
        layer.register_forward_hook(lambda m, i, o: replaced)
        expected = trunk_alone(pairs[:, 0])
    result = backbone(pairs)
    assert [tuple(x.shape[1:]) for x in result] == backbone.out_shapes
    for got, want in zip(result, expected):
        torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-4)


def test_pair_shares_batch_statistics():
    """One pass over the pair: a change common to all apexes survives BatchNorm."""
    backbone = build(
        trunk=dict(
            type='mmcomp.CompCNNTrunk', norm_cfg=dict(type='BN'), dropouts=(0, 0, 0)
        ),
        comparison=dict(type='mmcomp.Subtraction', act_cfg=None),
    ).train()
    seen = []
    backbone.comparison.register_forward_hook(lambda m, i, o: seen.append(o))
    onset = torch.randn(8, 1, 1, 44, 44)
    backbone(torch.cat([onset, onset + 3], 1))
    assert seen[0].mean().abs() > 0.1


COPIES = [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))]


@pytest.mark.parametrize('make', COPIES)
def test_copies_compare_with_their_own_operator(make):
    backbone = build(comparison=dict(type='mmcomp.LinearCombination')).eval()
    other = make(backbone)
    pairs = torch.randn(2, 2, 1, 44, 44)
    before = backbone(pairs)[0]
    other.comparison.alpha.data.zero_()
    torch.testing.assert_close(backbone(pairs)[0], before)
    assert not torch.allclose(other(pairs)[0], before)


def test_construction_leaves_the_trunk_as_it_was():
    trunk = MODELS.build(dict(type='mmcomp.CompCNNTrunk', norm_cfg=dict(type='BN')))
    trunk.stages[0].norm.eval()
    state = copy.deepcopy(trunk.state_dict())
    backbone = build(trunk=trunk)
    assert backbone.trunk is trunk
    assert trunk.training
    assert not trunk.stages[0].norm.training
    for name, value in trunk.state_dict().items():
        torch.testing.assert_close(value, state[name])


class Twice(nn.Module):
    """A trunk that runs one layer twice."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x):
        return self.layer(self.layer(x))


BAD = [
    (
        dict(after='stages.3'),
        r"after is 'stages.3'; it must be .*input, stages.0, drops.0",
    ),
    (dict(after='layer9', trunk=RESNET), r'input, conv1, .*layer4 and \d+ deeper'),
    (dict(after=''), "after is ''"),
    (
        dict(trunk=Twice(), after='layer'),
        "after is 'layer'; it must be a position of Twice",
    ),
    (
        dict(trunk=dict(type='mmcomp.CompCNNTrunk', in_channels=3)),
        r'CompCNNTrunk cannot take images of shape \(1, 44, 44\)',
    ),
    (
        dict(trunk=dict(type='mmcomp.CompCNNTrunk', in_channels=3), after='input'),
        "Subtraction after 'input' gives 1 channels",
    ),
    (
        dict(comparison=dict(type='mmcomp.Concatenation')),
        "Concatenation after 'stages.0' gives 64 channels, and the rest of CompCNN",
    ),
    (
        dict(comparison=dict(type='mmcomp.LinearCombination', in_channels=8)),
        r"is 8; it must be 32, as the output after 'stages.0' has shape \(32, 20, 20\)",
    ),
    (
        dict(
            trunk=VIT,
            after='layers.1',
            input_shape=(1, 48, 48),
            comparison=dict(type='mmcomp.LocalCorrelation'),
        ),
        r'it must be maps \(C, H, W\) for LocalCorrelation',
    ),
    (
        dict(trunk={**RESNET, 'out_indices': (0, 3)}, after='layer2'),
        'output 0 of ResNet is not compared',
    ),
    (dict(input_shape=(1, 8, 8)), r'cannot take images of shape \(1, 8, 8\)'),
]


@pytest.mark.parametrize(('kwargs', 'message'), BAD)
def test_what_does_not_fit_fails_when_built(kwargs, message):
    with pytest.raises(ValueError, match=message):
        build(**kwargs)


def test_concatenation_fits_after_the_last_stage():
    backbone = build(comparison=dict(type='mmcomp.Concatenation'), after='stages.2')
    assert backbone.out_shapes == [(256, 3, 3)]


@pytest.mark.parametrize('stage', [0, 1, 2])
def test_dropout_of_a_stage_comes_after_its_comparison(stage):
    """One picture twice is no change there, in training too."""
    dropouts = [0.0, 0.0, 0.0]
    dropouts[stage] = 0.5
    backbone = build(
        trunk=dict(type='mmcomp.CompCNNTrunk', dropouts=dropouts),
        after=f'stages.{stage}',
        comparison=dict(type='mmcomp.Subtraction', act_cfg=None),
    ).train()
    seen = []
    backbone.comparison.register_forward_hook(lambda m, i, o: seen.append(o))
    image = torch.randn(4, 1, 1, 44, 44)
    backbone(image.expand(4, 2, 1, 44, 44))
    assert seen[0].abs().max() == 0
