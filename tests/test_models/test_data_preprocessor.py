"""PairDataPreprocessor against NumPy, for every batch size and both collations."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmengine.dataset import default_collate, pseudo_collate
from mmpretrain.structures import DataSample

from mmcomp.models.data_preprocessor import PairDataPreprocessor, standardize

SIZES = [1, 2, 3, 7]
COLLATE = pytest.mark.parametrize('collate', [default_collate, pseudo_collate])


def make_batch(size, channels=3, seed=0, shape=(5, 6)):
    """Raw pairs as NumPy has them, and the items that a dataset gives."""
    rng = np.random.default_rng(seed)
    pairs = rng.integers(0, 256, (size, 2, channels, *shape), dtype=np.uint8)
    items = []
    for index, pair in enumerate(pairs):
        sample = DataSample().set_gt_label(index % 3)
        sample.set_metainfo(dict(sample_id=f'p{index}'))
        items.append(dict(inputs=torch.from_numpy(pair), data_samples=sample))
    return pairs.astype(np.float64), items


def check(preprocessor, size, collate, reference, channels=3, **kwargs):
    """What comes out equals ``reference`` of the raw pairs, with labels in place."""
    pairs, items = make_batch(size, channels)
    result = preprocessor(collate(items), **kwargs)
    expected = reference(pairs)
    assert result['inputs'].dtype == torch.float32
    np.testing.assert_allclose(result['inputs'].numpy(), expected, atol=1e-5)
    samples = result['data_samples']
    assert [s.sample_id for s in samples] == [f'p{i}' for i in range(size)]
    assert [s.gt_label.item() for s in samples] == [i % 3 for i in range(size)]


# ---------------------------------------------------------------- order


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('training', [True, False])
@COLLATE
def test_order_stays(size, channels, training, collate):
    check(
        PairDataPreprocessor(), size, collate, lambda x: x, channels, training=training
    )


@pytest.mark.parametrize('size', SIZES)
@COLLATE
def test_to_rgb_exchanges_channels_only(size, collate):
    preprocessor = PairDataPreprocessor(to_rgb=True)
    check(preprocessor, size, collate, lambda x: x[:, :, [2, 1, 0]])
    check(preprocessor, size, collate, lambda x: x, channels=1)


@pytest.mark.parametrize('dtype', [torch.uint8, torch.float16, torch.float64])
def test_gray_levels_of_any_type(dtype):
    pairs, items = make_batch(3)
    for item in items:
        item['inputs'] = item['inputs'].to(dtype)
    result = PairDataPreprocessor()(default_collate(items))
    assert result['inputs'].dtype == torch.float32
    np.testing.assert_array_equal(result['inputs'].numpy(), pairs)
    assert len(result['data_samples']) == 3


def test_without_data_samples():
    pairs, items = make_batch(3)
    result = PairDataPreprocessor()(dict(inputs=[x['inputs'] for x in items]))
    np.testing.assert_array_equal(result['inputs'].numpy(), pairs)
    assert result['data_samples'] is None


# ---------------------------------------------------------------- normalisation


@pytest.mark.parametrize('size', SIZES)
@COLLATE
def test_mean_and_std_follow_the_output_channels(size, collate):
    mean, std = [10, 20, 30], [1.0, 2.0, 4.0]
    shift, scale = (np.reshape(x, (1, 1, 3, 1, 1)) for x in (mean, std))
    check(
        PairDataPreprocessor(mean, std),
        size,
        collate,
        lambda x: (x - shift) / scale,
    )
    check(
        PairDataPreprocessor(mean, std, to_rgb=True),
        size,
        collate,
        lambda x: (x[:, :, ::-1] - shift) / scale,
    )


@pytest.mark.parametrize('channels', [1, 3])
def test_one_mean_for_all_channels(channels):
    preprocessor = PairDataPreprocessor([127.5], [50])
    check(preprocessor, 2, default_collate, lambda x: (x - 127.5) / 50, channels)


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize(
    ('over', 'axes'), [('image', (2, 3, 4)), ('pair', (1, 2, 3, 4))]
)
@COLLATE
def test_standardize(size, channels, over, axes, collate):
    def reference(pairs):
        mean, std = (f(axis=axes, keepdims=True) for f in (pairs.mean, pairs.std))
        return (pairs - mean) / (std + 1)

    preprocessor = PairDataPreprocessor(standardize=over)
    check(preprocessor, size, collate, reference, channels)


@given(
    st.floats(0.5, 2), st.floats(-40, 40), st.sampled_from(['image', 'pair']), st.data()
)
def test_standardize_takes_exposure_and_gain_out(gain, exposure, over, data):
    """Of each image by itself, or of both at once where they share it."""
    seed = data.draw(st.integers(0, 2**32 - 1))
    pairs = torch.from_numpy(make_batch(2, 1, seed)[0])
    changed = pairs.clone()
    changed[:, 0 if over == 'image' else slice(None)] *= gain
    changed[:, 0 if over == 'image' else slice(None)] += exposure
    torch.testing.assert_close(
        standardize(changed, over, eps=0), standardize(pairs, over, eps=0)
    )


def test_standardize_of_a_pair_keeps_the_sign_of_a_difference():
    pairs = torch.from_numpy(make_batch(4)[0])
    pairs[:, 1] += 30
    result = standardize(pairs, 'pair')
    raw, kept = (x[:, 1] - x[:, 0] for x in (pairs, result))
    assert torch.equal(raw.sign(), kept.sign())
    torch.testing.assert_close(
        standardize(pairs, 'image').mean((2, 3, 4)),
        torch.zeros(4, 2, dtype=torch.float64),
    )


@pytest.mark.parametrize('level', [0, 77, 255])
@pytest.mark.parametrize('over', ['image', 'pair'])
def test_flat_images_become_zero(level, over):
    """Both images flat, or one beside a textured one."""
    flat = torch.full((3, 2, 1, 5, 6), level, dtype=torch.uint8)
    preprocessor = PairDataPreprocessor(standardize=over)
    assert torch.equal(
        preprocessor(dict(inputs=flat))['inputs'], torch.zeros(3, 2, 1, 5, 6)
    )
    flat[:, 1] = torch.from_numpy(make_batch(3, 1)[0])[:, 1]
    mixed = preprocessor(dict(inputs=flat))['inputs']
    assert mixed.isfinite().all()
    if over == 'image':
        assert torch.equal(mixed[:, 0], torch.zeros(3, 1, 5, 6))


# ---------------------------------------------------------------- batch augments


def augmented(augment, size=7, seed=0, training=True):
    """Items, and what MMPretrain's augmentation makes of them."""
    preprocessor = PairDataPreprocessor(
        num_classes=3, batch_augments=dict(augments=augment)
    )
    pairs, items = make_batch(size, shape=(10, 12), seed=1)
    torch.manual_seed(seed)
    np.random.seed(seed)
    result = preprocessor(default_collate(items), training=training)
    return pairs, result['inputs'].numpy(), result['data_samples']


@pytest.mark.parametrize('seed', range(5))
def test_mixup_mixes_both_images_and_the_scores_alike(seed):
    pairs, mixed, samples = augmented(dict(type='Mixup', alpha=1.0), seed=seed)
    # The random numbers that Mixup draws, in its order.
    np.random.seed(seed)
    torch.manual_seed(seed)
    lam = np.random.beta(1, 1)
    partner = torch.randperm(7).numpy()
    one_hot = np.eye(3)[np.arange(7) % 3]
    np.testing.assert_allclose(
        mixed, lam * pairs + (1 - lam) * pairs[partner], rtol=1e-5, atol=1e-3
    )
    scores = np.stack([s.gt_score.numpy() for s in samples])
    np.testing.assert_allclose(
        scores, lam * one_hot + (1 - lam) * one_hot[partner], atol=1e-6
    )
    assert [s.gt_label.item() for s in samples] == [i % 3 for i in range(7)]
    assert not np.allclose(mixed, pairs)


@pytest.mark.parametrize('seed', range(5))
def test_cutmix_cuts_one_box_from_both_images_and_all_channels(seed):
    """Each pixel is the pair's own or its partner's; their share is the score."""
    pairs, mixed, samples = augmented(dict(type='CutMix', alpha=1.0), seed=seed)
    torch.manual_seed(seed)
    partner = torch.randperm(7).numpy()  # the only number that torch draws
    foreign = (mixed != pairs).any(axis=(0, 1, 2))  # (H, W)
    rows, columns = (np.flatnonzero(foreign.any(axis)) for axis in (1, 0))
    box = np.zeros_like(foreign)
    if len(rows):
        box[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    np.testing.assert_array_equal(foreign, box)
    np.testing.assert_array_equal(mixed, np.where(box, pairs[partner], pairs))
    one_hot = np.eye(3)[np.arange(7) % 3]
    share = box.mean()
    expected = (1 - share) * one_hot + share * one_hot[partner]
    scores = np.stack([s.gt_score.numpy() for s in samples])
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_resizemix_treats_both_images_alike():
    preprocessor = PairDataPreprocessor(
        num_classes=3, batch_augments=dict(augments=dict(type='ResizeMix', alpha=1.0))
    )
    pairs, items = make_batch(4, 1, shape=(10, 12))
    for item in items:
        item['inputs'][1] = item['inputs'][0]
    np.random.seed(1)
    mixed = preprocessor(default_collate(items), training=True)['inputs']
    assert torch.equal(mixed[:, 0], mixed[:, 1])
    assert not np.allclose(mixed[:, 0], pairs[:, 0])


def test_batch_augments_are_for_training_only():
    pairs, inputs, samples = augmented(dict(type='Mixup', alpha=1.0), training=False)
    np.testing.assert_array_equal(inputs, pairs)
    assert not any('gt_score' in sample for sample in samples)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(mean=[1]), r'mean is \[1\] and std is None; give both or neither'),
        (dict(std=[1]), r'mean is None and std is \[1\]; give both or neither'),
        (
            dict(mean=[1, 2, 3], std=[1]),
            r'std is \[1\]; they must have the same length',
        ),
        (dict(mean=[1], std=[0]), r'std is \[0\]; it must be above 0'),
        (
            dict(standardize='batch'),
            "standardize is 'batch'; it must be one of 'image', 'pair', None",
        ),
        (
            dict(mean=[1], std=[1], standardize='pair'),
            "standardize is 'pair'; it must be None if mean",
        ),
        (
            dict(batch_augments=dict(augments=dict(type='Mixup', alpha=0.8))),
            'num_classes is None; batch_augments needs it',
        ),
    ],
)
def test_bad_parameters_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        PairDataPreprocessor(**kwargs)


@pytest.mark.parametrize(
    ('inputs', 'message'),
    [
        (
            torch.zeros(2, 1, 5, 6),
            r'inputs is \(2, 1, 5, 6\); it must be \(B, 2, C, H, W\)',
        ),
        (torch.zeros(3, 1, 5, 5, 6), r'inputs is \(3, 1, 5, 5, 6\)'),
        ([torch.zeros(1, 5, 6)] * 3, r'inputs is \(3, 1, 5, 6\)'),
        (
            [torch.zeros(2, 1, 5, 6), torch.zeros(2, 1, 5, 7)],
            r'one batch are \[\(2, 1, 5, 6\), \(2, 1, 5, 7\)\]; they must',
        ),
    ],
)
def test_bad_input_is_refused(inputs, message):
    with pytest.raises(ValueError, match=message):
        PairDataPreprocessor()(dict(inputs=inputs))


def test_mean_of_other_channels_is_refused():
    """Broadcasting would silently make three channels of a gray image."""
    preprocessor = PairDataPreprocessor([1, 2, 3], [1, 1, 1])
    message = 'mean and std is 3; it must be 1 or the number of channels, 1'
    with pytest.raises(ValueError, match=message):
        preprocessor(dict(inputs=torch.zeros(2, 2, 1, 5, 6)))


# ---------------------------------------------------------------- augmentation


@COLLATE
def test_only_training_is_augmented(collate):
    """Pairs that are tested keep their centre, and nothing is drawn for them."""
    augment = dict(type='mmcomp.PairAugment', crop_size=4, erase_size=(1, 3))
    augment.update(max_rotate=90, max_shift=2, flip_prob=0.5, erase_prob=0.9)
    preprocessor = PairDataPreprocessor(augment=augment)
    pairs, items = make_batch(6, shape=(6, 8))
    centre = pairs[..., 1:5, 2:6]
    state = torch.get_rng_state()
    tested = preprocessor(collate(items), training=False)['inputs']
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(tested, centre)
    trained = preprocessor(collate(items), training=True)['inputs']
    assert trained.shape == centre.shape
    assert (np.abs(trained.numpy() - centre).mean((1, 2, 3, 4)) > 1).all()
