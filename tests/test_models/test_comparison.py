"""Comparison operators against plain PyTorch, NumPy and cases by hand.

``OPERATORS`` is read from the registry: what holds of every operator is tested for a
new one without a line here. That one then asks for its entry in ``REFERENCES``.
"""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.stats import pearsonr

from mmcomp.models import Comparison
from mmcomp.registry import MODELS

OPERATORS = sorted(
    name
    for name, cls in MODELS.module_dict.items()
    if issubclass(cls, Comparison) and cls.__module__.startswith('mmcomp.')
)


def build(name, channels=3, **kwargs):
    torch.manual_seed(0)
    return MODELS.build(dict(type=f'mmcomp.{name}', in_channels=channels, **kwargs))


def maps(*shape, dtype=torch.double):
    """Onset and apex of one shape."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, *shape, dtype=dtype, generator=generator).unbind()


def window_correlation(onset, apex, size, eps=1e-4):
    """Normalised correlation of each window in NumPy, cut off at the border."""
    result = np.empty(onset.shape)
    half = size // 2
    for *plane, i, j in np.ndindex(onset.shape):
        rows, columns = (slice(max(k - half, 0), k + half + 1) for k in (i, j))
        a, b = (x[(*plane, rows, columns)].ravel() for x in (onset, apex))
        covariance = np.mean((a - a.mean()) * (b - b.mean()))
        result[(*plane, i, j)] = covariance / np.sqrt((a.var() + eps) * (b.var() + eps))
    return result


def nonlinear(operator, onset, apex):
    """Two fully connected layers at each position."""
    first, second = (
        [p.flatten(1) if p.ndim > 1 else p for p in layer.parameters()]
        for layer in operator.mix
        if list(layer.parameters())
    )
    both = torch.cat([onset, apex], 1).movedim(1, -1)
    return F.linear(F.linear(both, *first).relu(), *second).movedim(-1, 1)


#: What each operator computes before its activation, written a second time.
REFERENCES = {
    'AbsoluteDifference': lambda _, onset, apex: torch.maximum(
        onset - apex, apex - onset
    ),
    'Concatenation': lambda _, onset, apex: torch.stack(
        [*onset.unbind(1), *apex.unbind(1)], 1
    ),
    'LinearCombination': lambda operator, onset, apex: (
        torch.einsum('rk,bkhw->brhw', operator.alpha, apex)
        + torch.einsum('rk,bkhw->brhw', operator.beta, onset)
    ),
    'LocalCorrelation': lambda operator, onset, apex: (
        1
        - torch.from_numpy(
            window_correlation(onset.numpy(), apex.numpy(), operator.kernel_size)
        )
    ),
    'NonlinearCombination': nonlinear,
    'Product': lambda _, onset, apex: (onset.log() + apex.log()).exp(),
    'Subtraction': lambda _, onset, apex: apex + -1 * onset,
}


def test_every_operator_has_a_reference():
    assert set(OPERATORS) == REFERENCES.keys()


@pytest.mark.parametrize('name', OPERATORS)
def test_values_equal_the_reference(name):
    operator = build(name, act_cfg=None).double()
    onset, apex = maps(2, 3, 6, 5)
    if name == 'Product':
        onset, apex = onset.abs() + 0.1, apex.abs() + 0.1
    with torch.no_grad():
        expected = REFERENCES[name](operator, onset, apex)
        torch.testing.assert_close(operator(onset, apex), expected)


@pytest.mark.parametrize('name', OPERATORS)
def test_gradients_of_inputs_and_weights(name):
    """Against finite differences; neither image and no weight is left out."""
    operator = build(name, channels=2, act_cfg=None).double()
    onset, apex = (x.requires_grad_() for x in maps(2, 2, 4, 3))
    names = [key for key, _ in operator.named_parameters()]
    weights = tuple(operator.parameters())

    def compare(onset, apex, *weights):
        state = dict(zip(names, weights))
        return torch.func.functional_call(operator, state, (onset, apex))

    assert torch.autograd.gradcheck(compare, (onset, apex, *weights))
    (operator(onset, apex) ** 2).sum().backward()
    for tensor in (onset, apex, *weights):
        assert tensor.grad.abs().sum() > 0


@pytest.mark.parametrize('channels', [1, 4])
@pytest.mark.parametrize('name', OPERATORS)
def test_out_channels_are_those_of_the_result(name, channels):
    operator = build(name, channels)
    result = operator(*maps(2, channels, 7, 5, dtype=torch.float32))
    assert result.shape == (2, operator.out_channels, 7, 5)
    assert f'{channels} -> {operator.out_channels}' in repr(operator)


@pytest.mark.parametrize('name', OPERATORS)
def test_activation_follows_the_comparison(name):
    onset, apex = maps(2, 3, 6, 5)
    plain = build(name, act_cfg=None).double()(onset, apex)
    default = build(name).double()(onset, apex)
    torch.testing.assert_close(default, plain.clamp_min(0))
    other = build(name, act_cfg=dict(type='Tanh')).double()(onset, apex)
    torch.testing.assert_close(other, plain.tanh())


#: Exchanging onset and apex gives the same, the negative, or something else.
SWAPPED = {
    'AbsoluteDifference': 1,
    'LocalCorrelation': 1,
    'Product': 1,
    'Subtraction': -1,
}


@pytest.mark.parametrize('name', REFERENCES)
def test_swapping_onset_and_apex(name):
    operator = build(name, act_cfg=None).double()
    onset, apex = maps(2, 3, 6, 5)
    result, swapped = operator(onset, apex), operator(apex, onset)
    same = [sign for sign in (1, -1) if torch.allclose(swapped, sign * result)]
    assert same == ([SWAPPED[name]] if name in SWAPPED else [])


@pytest.mark.parametrize('name', OPERATORS)
def test_inputs_stay_and_samples_do_not_mix(name):
    operator = build(name).eval()
    onset, apex = maps(3, 3, 6, 5, dtype=torch.float32)
    before = onset.clone(), apex.clone()
    together = operator(onset, apex)
    assert torch.equal(onset, before[0])
    assert torch.equal(apex, before[1])
    for i in range(3):
        alone = operator(onset[i : i + 1], apex[i : i + 1])
        torch.testing.assert_close(together[i : i + 1], alone)


@pytest.mark.parametrize('name', OPERATORS)
def test_tokens_are_compared_one_by_one(name):
    """Tokens ``(B, C, N, 1)`` as the map they come from, in any order.

    An operator that looks at neighbours says so by ``spatial``, and
    ``SiameseBackbone`` refuses tokens for it.
    """
    operator = build(name, act_cfg=None).double()
    onset, apex = maps(2, 3, 4, 5)
    as_map = operator(onset, apex)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(2))
    tokens = [x.flatten(2)[:, :, order, None] for x in (onset, apex)]
    result = operator(*tokens)
    assert result.shape == (2, operator.out_channels, 20, 1)
    in_order = as_map.flatten(2)[:, :, order, None]
    assert torch.allclose(result, in_order) != type(operator).spatial


@pytest.mark.parametrize('name', OPERATORS)
@pytest.mark.parametrize('channels', [0, -1, 2.0, None])
def test_channels_are_checked_when_built(name, channels):
    with pytest.raises(ValueError, match=f'in_channels is {channels}; it must be'):
        build(name, channels)


@pytest.mark.parametrize('name', OPERATORS)
def test_unknown_activation_fails_when_built(name):
    with pytest.raises(KeyError, match='Nope'):
        build(name, act_cfg=dict(type='Nope'))


def test_subtraction_by_hand():
    """Apex minus onset, by ReLU what grew; ``reverse`` turns it round."""
    onset = torch.tensor([5.0, 2.0, -1.0]).view(1, 1, 1, 3)
    apex = torch.tensor([1.0, 9.0, -1.0]).view(1, 1, 1, 3)
    cases = {
        (False, None): [-4, 7, 0],
        (True, None): [4, -7, 0],
        (False, 'ReLU'): [0, 7, 0],
        (True, 'ReLU'): [4, 0, 0],
    }
    for (reverse, act), expected in cases.items():
        act = act and dict(type=act)
        operator = build('Subtraction', 1, reverse=reverse, act_cfg=act)
        assert operator(onset, apex).flatten().tolist() == expected


def test_linear_combination_by_hand():
    """One position, two channels: alpha is of the apex, beta of the onset."""
    operator = build('LinearCombination', 2, act_cfg=None)
    operator.alpha.data = torch.tensor([[1.0, 2.0], [0.0, 3.0]])
    operator.beta.data = torch.tensor([[0.0, 10.0], [-1.0, 0.0]])
    onset = torch.tensor([5.0, 7.0]).view(1, 2, 1, 1)
    apex = torch.tensor([1.0, 4.0]).view(1, 2, 1, 1)
    expected = [1 * 1 + 2 * 4 + 10 * 7, 3 * 4 - 1 * 5]
    assert operator(onset, apex).flatten().tolist() == expected


def test_linear_combination_of_identities_is_subtraction():
    onset, apex = maps(2, 3, 6, 5, dtype=torch.float32)
    operator = build('LinearCombination')
    operator.alpha.data = torch.eye(3)
    operator.beta.data = -torch.eye(3)
    expected = build('Subtraction')(onset, apex)
    torch.testing.assert_close(operator(onset, apex), expected)
    torch.testing.assert_close(
        build('LinearCombination', init_std=0.0)(onset, apex), expected
    )


def test_linear_combination_is_a_1x1_convolution_of_the_concatenation():
    onset, apex = maps(2, 3, 6, 5)
    operator = build('LinearCombination', act_cfg=None).double()
    convolution = torch.nn.Conv2d(6, 3, 1, bias=False).double()
    weight = torch.cat([operator.beta, operator.alpha], 1)
    convolution.weight.data = weight.data[:, :, None, None]
    both = build('Concatenation', act_cfg=None)(onset, apex)
    torch.testing.assert_close(operator(onset, apex), convolution(both))
    assert operator(0 * onset, 0 * apex).abs().sum() == 0, 'there is no bias'


@pytest.mark.parametrize('std', [0.01, 0.2])
def test_linear_combination_starts_at_subtraction_plus_noise(std):
    operator = build('LinearCombination', 200, init_std=std)
    noises = operator.alpha.detach() - torch.eye(200), operator.beta.detach()
    noises = noises[0], noises[1] + torch.eye(200)
    for noise in noises:
        assert noise.std().item() == pytest.approx(std, rel=0.02)
        assert noise.mean().item() == pytest.approx(0, abs=0.02 * std)
        assert noise.diagonal().std().item() == pytest.approx(std, rel=0.2)
    assert not torch.equal(*noises)


def test_linear_combination_is_reset_by_the_same_seed():
    operator = build('LinearCombination')
    start = copy.deepcopy(operator.state_dict())
    operator.alpha.data.zero_()
    operator.beta.data.zero_()
    torch.manual_seed(0)
    operator.reset_parameters()
    assert all(torch.equal(v, start[k]) for k, v in operator.state_dict().items())


@pytest.mark.parametrize(('given', 'hidden'), [(None, 6), (5, 5)])
def test_nonlinear_combination_has_the_width_asked_for(given, hidden):
    operator = build('NonlinearCombination', hidden_channels=given)
    shapes = [tuple(p.shape) for p in operator.parameters()]
    assert shapes == [(hidden, 6, 1, 1), (hidden,), (3, hidden, 1, 1), (3,)]


@pytest.mark.parametrize('size', [3, 5, 7])
def test_local_correlation_window_by_window(size):
    """The whole window inside: scipy's Pearson, where the variance is large."""
    onset, apex = maps(1, 2, 7, 8)
    onset, apex = 100 * onset, 100 * apex
    operator = build('LocalCorrelation', 2, kernel_size=size, act_cfg=None)
    result = 1 - operator(onset, apex)
    half = size // 2
    for _, channel, i, j in np.ndindex(1, 2, 7, 8):
        window = (
            slice(max(i - half, 0), i + half + 1),
            slice(max(j - half, 0), j + half + 1),
        )
        a, b = (x[0, channel][window].flatten().numpy() for x in (onset, apex))
        assert float(result[0, channel, i, j]) == pytest.approx(
            pearsonr(a, b).statistic, abs=1e-6
        )


def test_local_correlation_of_known_patterns():
    """0 for the same pattern, gain and offset aside; 2 reversed; 1 where flat."""
    onset, _ = maps(1, 1, 6, 6)
    operator = build('LocalCorrelation', 1, act_cfg=None)
    everywhere = torch.ones_like(onset)
    for apex, expected in (
        (onset, 0),
        (50 * onset + 3, 0),
        (-50 * onset + 3, 2),
        (0 * onset + 7, 1),
    ):
        torch.testing.assert_close(
            operator(100 * onset, apex), expected * everywhere, atol=1e-2, rtol=0
        )


@pytest.mark.parametrize('scale', [1e-3, 1.0, 10.0])
def test_local_correlation_is_bounded(scale):
    onset, apex = (scale * x for x in maps(2, 3, 12, 12, dtype=torch.float32))
    pairs = [(onset, apex), (onset, -onset), (onset, onset), (onset.relu(), apex)]
    for pair in pairs:
        result = build('LocalCorrelation', act_cfg=None)(*pair)
        assert result.min() > -1e-4
        assert result.max() < 2 + 1e-4


@pytest.mark.parametrize('size', [-3, 0, 1, 2, 4])
def test_local_correlation_needs_an_odd_window(size):
    with pytest.raises(ValueError, match=f'kernel_size is {size}; it must be'):
        build('LocalCorrelation', kernel_size=size)


def test_local_correlation_of_bright_flat_images_does_not_cancel():
    """Gray levels 200 to 201 in float32: as in float64, window by window."""
    noise = np.random.default_rng(0).random((2, 6, 7))
    onset, apex = (200 + noise).astype(np.float32)
    operator = build('LocalCorrelation', 1, act_cfg=None)
    inputs = (torch.from_numpy(image)[None, None] for image in (onset, apex))
    found = 1 - operator(*inputs)[0, 0]
    for i, j in np.ndindex(4, 5):  # windows inside
        a, b = (x[i : i + 3, j : j + 3].astype(np.float64) for x in (onset, apex))
        covariance = ((a - a.mean()) * (b - b.mean())).mean()
        expected = covariance / np.sqrt((a.var() + 1e-4) * (b.var() + 1e-4))
        assert float(found[i + 1, j + 1]) == pytest.approx(expected, abs=1e-4)
    assert found.abs().max() <= 1
