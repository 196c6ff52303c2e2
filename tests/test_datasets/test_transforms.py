"""Transforms: single images against NumPy, pairs against the transform alone."""

import io
import random

import cv2
import mmpretrain.registry
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mmcomp.datasets import (
    LoadPair,
    PackPairInputs,
    SharedRandomTransforms,
    ShiftApex,
)

RNG = np.random.default_rng(0)
GRAY = RNG.integers(0, 256, (2, 18, 16), dtype=np.uint8)
COLOR = RNG.integers(0, 256, (2, 18, 16, 3), dtype=np.uint8)


def seed_all(seed):
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def random_state():
    """Of all three generators, as something that can be compared."""
    return random.getstate(), str(np.random.get_state()), str(torch.get_rng_state())


# ---------------------------------------------------------------- LoadPair


def test_load_pair(tmp_path):
    """PNG keeps every bit; gray is OpenCV's weighting of the three channels."""
    paths = {'onset': tmp_path / 'ä @.png', 'apex': tmp_path / 'apex.png'}
    for path, image in zip(paths.values(), COLOR):
        cv2.imencode('.png', image)[1].tofile(path)
    paths = {name: str(path) for name, path in paths.items()}

    results = LoadPair('color').transform(dict(paths, subject='s1'))
    np.testing.assert_array_equal(results['img'], COLOR)
    assert results['img_shape'] == results['ori_shape'] == (18, 16)
    assert (results['subject'], results['apex']) == ('s1', paths['apex'])

    gray = np.stack(LoadPair().transform(dict(paths))['img'])
    weighted = COLOR @ np.array([0.114, 0.587, 0.299])  # BGR, ITU-R BT.601
    assert gray.shape == (2, 18, 16)
    assert np.abs(gray - weighted).max() <= 1


def test_load_pair_refuses_an_unknown_color_type():
    with pytest.raises(ValueError, match="color_type is 'rgb'; it must be"):
        LoadPair('rgb')


def jpeg(**kwargs):
    """A JPEG file with a preview, which has an end marker of its own."""
    preview = cv2.imencode('.jpg', GRAY[0])[1].tobytes()
    stream = io.BytesIO()
    Image.fromarray(COLOR[0]).save(stream, 'jpeg', exif=preview, **kwargs)
    return stream.getvalue()


@pytest.mark.parametrize('tolerant', [True, False])
@pytest.mark.parametrize('kwargs', [{}, dict(progressive=True)])
def test_load_pair_refuses_any_cut_jpeg(tmp_path, monkeypatch, kwargs, tolerant):
    """Also where OpenCV fills what is missing with gray, as OpenCV 4 does."""
    if tolerant:
        monkeypatch.setattr(cv2, 'imdecode', lambda *args: GRAY[0])
    path, data = tmp_path / 'image.jpg', jpeg(**kwargs)
    assert data.count(b'\xff\xd9') == 2
    whole = [data, data + b'trailer \xff\xda', data[:2] + b'\xff\xff' + data[2:]]
    cut = [data[:n] for n in range(2, len(data), 23)] + [data[:-1]]
    cut += [d + bytes(len(data) - len(d)) for d in cut]  # as a broken copy leaves it
    for content in whole:
        path.write_bytes(content)
        assert LoadPair().load(path).shape == (18, 16)
    for content in cut:
        path.write_bytes(content)
        with pytest.raises(ValueError, match='not an image, or damaged'):
            LoadPair().load(path)


def test_load_pair_refuses_what_is_no_file(tmp_path):
    (tmp_path / 'empty.png').touch()
    with pytest.raises(ValueError, match='the file is empty'):
        LoadPair().load(tmp_path / 'empty.png')
    with pytest.raises(FileNotFoundError, match=r'none\.png'):
        LoadPair().load(tmp_path / 'none.png')


# ---------------------------------------------------------------- ShiftApex


def test_shift_moves_the_apex_by_its_distance():
    yy, xx = np.mgrid[:40, :40]
    blob = (200 * np.exp(-((yy - 20) ** 2 + (xx - 20) ** 2) / 20)).astype(np.uint8)
    angles = []
    for i in range(40):
        pair = [blob.copy(), blob.copy()]
        onset, apex = ShiftApex(3).transform(dict(img=pair, sample_id=f'p{i}'))['img']
        np.testing.assert_array_equal(onset, blob)
        weight = apex / apex.sum()
        center = np.array([(xx * weight).sum(), (yy * weight).sum()]) - 20
        assert np.hypot(*center) == pytest.approx(3, abs=0.1)
        angles.append(np.arctan2(*center))
        again = ShiftApex(3).transform(dict(img=[blob, blob], sample_id=f'p{i}'))['img']
        np.testing.assert_array_equal(again[1], apex)  # of the sample, not of chance
    assert abs(np.exp(1j * np.array(angles)).mean()) < 0.4  # in all directions


def test_shift_by_nothing_and_by_less():
    results = dict(img=list(GRAY), sample_id='p')
    np.testing.assert_array_equal(ShiftApex(0).transform(results)['img'][1], GRAY[1])
    with pytest.raises(ValueError, match='pixels is -1; it must be at least 0'):
        ShiftApex(-1)


# ---------------------------------------------------------------- PackPairInputs


@pytest.mark.parametrize('images', [GRAY, GRAY[..., None], COLOR])
@pytest.mark.parametrize('kind', ['array', 'view', 'tensor'])
def test_pack_keeps_order_of_images_and_channels(images, kind):
    expected = images.reshape(2, 18, 16, -1).transpose(0, 3, 1, 2)
    pair = list(images)
    if kind == 'view':  # mirrored, with negative strides
        pair, expected = [x[:, ::-1] for x in pair], expected[..., ::-1]
    if kind == 'tensor':
        pair = list(torch.from_numpy(expected))
    inputs = PackPairInputs().transform(dict(img=pair))['inputs']
    assert inputs.dtype == torch.uint8
    np.testing.assert_array_equal(inputs.numpy(), expected)


def test_pack_keeps_label_and_meta_keys():
    results = dict(
        img=list(GRAY), sample_id='p1', subject='s1', gt_label=1, light='left', age=7
    )
    sample = PackPairInputs(meta_keys=['light', 'subject', 'glasses']).transform(
        results
    )['data_samples']
    assert sample.gt_label.tolist() == [1]
    assert sample.metainfo == dict(sample_id='p1', subject='s1', light='left')
    unlabelled = PackPairInputs().transform(dict(img=list(GRAY)))['data_samples']
    assert 'gt_label' not in unlabelled
    assert unlabelled.metainfo == {}


@pytest.mark.parametrize(
    ('pair', 'message'),
    [
        ([GRAY[0], GRAY[1, :-1]], r'onset \(1, 18, 16\) and apex \(1, 17, 16\)'),
        ([COLOR[0], GRAY[1]], r'onset \(3, 18, 16\) and apex \(1, 18, 16\)'),
    ],
)
def test_pack_refuses_unequal_shapes(pair, message):
    results = dict(img=pair, sample_id='p1', _position='line 7')
    with pytest.raises(ValueError, match=rf"pair 'p1' \(line 7\): {message} .* differ"):
        PackPairInputs().transform(results)


# ------------------------------------------------- SharedRandomTransforms

# On gray images, as the configs load them, and on colour ones.
OURS = {
    'RandomCrop': [dict(type='RandomCrop', crop_size=12)],
    'RandomFlip': [dict(type='RandomFlip', prob=0.5)],
    'CenterCrop': [dict(type='CenterCrop', crop_size=12)],
}
OURS['all'] = [t for name in OURS for t in OURS[name]]
POLICY = [[dict(type='Rotate', angle=20.0)], [dict(type='Invert'), dict(type='Shear')]]
FILL = dict(min_area_ratio=0.1, max_area_ratio=0.4, erase_prob=0.8)
TO_TENSOR = dict(type='torchvision/ToTensor')
FOREIGN = {
    'RandomResizedCrop': [dict(type='RandomResizedCrop', scale=12)],
    'ColorJitter': [
        # MMCV's change of hue overflows with NumPy 2.
        dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4)
    ],
    'RandAugment': [
        dict(
            type='RandAugment',
            policies='timm_increasing',
            num_policies=2,
            total_level=10,
            magnitude_level=9,
            magnitude_std=0.5,
        )
    ],
    'AutoAugment': [dict(type='AutoAugment', policies='imagenet')],
    'RandomErasing, const': [dict(type='RandomErasing', mode='const', **FILL)],
    'RandomErasing, rand': [dict(type='RandomErasing', mode='rand', **FILL)],
    'Lighting': [
        dict(
            type='Lighting',
            eigval=[55.5, 4.8, 1.1],
            eigvec=[[-0.57, 0.72, 0.41], [-0.58, 0.0, -0.81], [-0.58, -0.69, 0.42]],
            alphastd=0.5,
        )
    ],
    'RandomResize': [
        dict(type='RandomResize', scale=(16, 18), ratio_range=(0.5, 2), keep_ratio=True)
    ],
    'RandomFlip, directions': [
        dict(
            type='RandomFlip',
            prob=[0.3, 0.3, 0.3],
            direction=['horizontal', 'vertical', 'diagonal'],
        )
    ],
    'RandomGrayscale': [dict(type='RandomGrayscale', prob=0.5, keep_channels=True)],
    'torchvision/RandomAffine': [
        dict(type='NumpyToPIL'),
        dict(type='torchvision/RandomAffine', degrees=30, translate=(0.2, 0.2)),
        dict(type='PILToNumpy'),
    ],
    'torchvision/ColorJitter': [
        dict(type='NumpyToPIL'),
        dict(type='torchvision/ColorJitter', brightness=0.5, contrast=0.5, hue=0.2),
        dict(type='PILToNumpy'),
    ],
    'torchvision/RandomErasing': [
        TO_TENSOR,
        dict(type='torchvision/RandomErasing', p=0.8, value='random'),
    ],
}
CASES = [
    *(pytest.param(t, GRAY, id=f'gray, {name}') for name, t in OURS.items()),
    *(
        pytest.param(t, COLOR, id=f'colour, {name}')
        for name, t in {**OURS, **FOREIGN}.items()
    ),
]


def alone(transforms, image):
    """Transforms as MMPretrain builds them, one after the other, on one image."""
    results = dict(img=image.copy(), img_shape=image.shape[:2])
    for cfg in transforms:
        results = mmpretrain.registry.TRANSFORMS.build(cfg)(results)
    return np.asarray(results['img'])


def shared(transforms, pair):
    results = dict(img=list(pair), img_shape=pair[0].shape[:2])
    return [
        np.asarray(x)
        for x in SharedRandomTransforms(transforms).transform(results)['img']
    ]


@pytest.mark.parametrize(('transforms', 'images'), CASES)
class TestSharedRandomTransforms:
    @settings(max_examples=15)
    @given(seed=st.integers(0, 2**64 - 1))
    def test_equals_the_transform_alone(self, transforms, images, seed):
        """From one random state; it leaves the state that the onset alone leaves."""
        before = images.copy()
        seed_all(seed)
        pair = shared(transforms, images)
        left = random_state()
        for image, result in zip(images, pair):
            seed_all(seed)
            np.testing.assert_array_equal(result, alone(transforms, image))
            assert random_state() == left
        np.testing.assert_array_equal(images, before)

    @settings(max_examples=5)
    @given(seed=st.integers(0, 2**64 - 1))
    def test_same_images_stay_the_same(self, transforms, images, seed):
        seed_all(seed)
        transform = SharedRandomTransforms(transforms)
        for _ in range(3):
            results = dict(img=[images[0], images[0]], img_shape=(18, 16))
            onset, apex = transform.transform(results)['img']
            np.testing.assert_array_equal(onset, apex)

    def test_does_something(self, transforms, images):
        """Results differ from seed to seed, or from the image if nothing is drawn."""
        seen = set()
        for seed in range(20):
            seed_all(seed)
            seen.add(shared(transforms, images)[1].tobytes())
        assert images[1].tobytes() not in seen or len(seen) > 1
        deterministic = [t['type'] for t in transforms] == ['CenterCrop']
        assert (len(seen) == 1) == deterministic


class Blink:
    """A transform with a random generator of its own, as Albumentations 2 has."""

    def __init__(self, prob):
        self.rng = np.random.default_rng(0)
        self.prob = prob

    def __call__(self, results):
        if self.rng.random() < self.prob:
            results['img'] = 255 - results['img']
        return results

    def __repr__(self):
        return 'Blink()'


class NoiseOnBright:
    """A transform that draws numbers only for some images."""

    def __init__(self, draw):
        self.draw = draw

    def __call__(self, results):
        if results['img'].mean() > 100:
            self.draw()
        return results

    def __repr__(self):
        return 'NoiseOnBright()'


DARK, BRIGHT = np.full((2, 6, 6), [[[50]], [[150]]], np.uint8)


def pair_of(onset, apex):
    return dict(img=[onset, apex], sample_id='p1', _position='line 3')


@pytest.mark.parametrize('prob', [0.3, 0.5, 0.7])
def test_shared_refuses_private_generators(prob):
    message = r'SharedRandomTransforms\(\[Blink\(\)\]\) has its own random generator'
    with pytest.raises(ValueError, match=message):
        SharedRandomTransforms([Blink(prob)]).transform(pair_of(DARK, BRIGHT))


@pytest.mark.parametrize('draw', [random.random, np.random.rand, lambda: torch.rand(1)])
@pytest.mark.parametrize('order', [1, -1])
def test_shared_refuses_unequal_draws(draw, order):
    transform = SharedRandomTransforms([NoiseOnBright(draw)])
    message = (
        r"pair 'p1' \(line 3\): SharedRandomTransforms\(\[NoiseOnBright\(\)\]\) "
        'drew more random numbers for one image than for the other'
    )
    with pytest.raises(ValueError, match=message):
        transform.transform(pair_of(*(DARK, BRIGHT)[::order]))
    for image in (DARK, BRIGHT):
        result = transform.transform(pair_of(image, image))['img']
        np.testing.assert_array_equal(result, [image, image])


@pytest.mark.parametrize(
    'cfg',
    [
        dict(type='RandomFlip', prob=0.5),
        dict(type='RandomCrop', crop_size=4),
        dict(type='torchvision/RandomErasing'),
    ],
)
def test_shared_refuses_random_choices_for_unequal_sizes(cfg):
    transforms = [TO_TENSOR, cfg] if cfg['type'].startswith('torchvision') else [cfg]
    message = (
        r"pair 'p1' \(line 3\): onset \(6, 6\) and apex \(6, 7\) differ in size, so "
        'the random choices of SharedRandomTransforms.* resize or align the pair first'
    )
    apex = np.zeros((6, 7), np.uint8)
    with pytest.raises(ValueError, match=message):
        SharedRandomTransforms(transforms).transform(pair_of(DARK, apex))


def test_shared_takes_unequal_sizes_where_nothing_is_drawn():
    """A first SharedRandomTransforms makes sizes equal, and a second one may draw."""
    onset, apex = GRAY[0], np.pad(GRAY[1], 3)
    resize = dict(type='Resize', scale=(8, 10))
    results = SharedRandomTransforms([resize]).transform(pair_of(onset, apex))
    for result, image in zip(results['img'], (onset, apex)):
        np.testing.assert_array_equal(result, cv2.resize(image, (8, 10)))
    seen = set()
    for seed in range(8):
        seed_all(seed)
        flip = SharedRandomTransforms([dict(type='RandomFlip', prob=0.5)])
        pair = flip.transform({**results, 'img': list(results['img'])})['img']
        flipped = [np.array_equal(a, b[:, ::-1]) for a, b in zip(pair, results['img'])]
        assert flipped[0] == flipped[1]
        seen.add(flipped[0])
    assert seen == {True, False}


def test_shared_refuses_a_transform_that_gives_nothing():
    with pytest.raises(ValueError, match=r"pair 'p1' \(line 3\): .* returned no image"):
        SharedRandomTransforms([lambda results: None]).transform(pair_of(DARK, BRIGHT))


def test_shared_keeps_what_transforms_add():
    results = SharedRandomTransforms([dict(type='CenterCrop', crop_size=4)]).transform(
        dict(pair_of(DARK, BRIGHT), img_shape=(6, 6), gt_label=1)
    )
    assert (results['gt_label'], results['sample_id']) == (1, 'p1')
    assert results['img_shape'] == (4, 4)
    np.testing.assert_array_equal(results['img'], [DARK[1:5, 1:5], BRIGHT[1:5, 1:5]])
