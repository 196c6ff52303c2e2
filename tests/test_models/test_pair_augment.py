"""PairAugment against OpenCV and NumPy, one image at a time."""

import cv2
import numpy as np
import pytest
import torch

from mmcomp.models.pair_augment import PairAugment, affine_crop, erase
from mmcomp.registry import MODELS

SIZE, CROP = 48, 44


def images(count, seed=0):
    """Smooth random pairs ``(B, 2, 1, 48, 48)``, uint8."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (count * 2, SIZE, SIZE)).astype(np.uint8)
    smooth = [cv2.GaussianBlur(x, (0, 0), 1.5) for x in noise]
    wide = [cv2.normalize(x, None, 0, 255, cv2.NORM_MINMAX) for x in smooth]
    return torch.from_numpy(np.stack(wide)).view(count, 2, 1, SIZE, SIZE)


def one_by_one(image, angle, scale, shift, corner, flip):
    """The same steps with OpenCV, rounding to whole gray levels."""
    matrix = cv2.getRotationMatrix2D(((SIZE - 1) / 2, (SIZE - 1) / 2), angle, scale)
    matrix[:, 2] += shift
    left, top = (int(c) for c in corner)
    moved = cv2.warpAffine(
        image, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT_101
    )
    crop = moved[top : top + CROP, left : left + CROP]
    return crop[:, ::-1] if flip else crop


def test_batch_gives_the_same_pictures_as_one_by_one():
    """To the rounding that OpenCV does: half a gray level.

    OpenCV 4 also rounds where it samples, to a 32nd of a pixel.
    """
    atol = 0.51 if int(cv2.__version__.split('.')[0]) > 4 else 2
    torch.manual_seed(0)
    pairs = images(40)
    augment = PairAugment(
        CROP, max_rotate=8, max_scale=0.08, max_shift=2, flip_prob=0.5
    )
    params = augment.random_params(pairs.float(), (4, 4))
    batch = affine_crop(pairs.float(), CROP, *params)
    for i, row in enumerate(zip(*(p.tolist() for p in params))):
        for j in range(2):
            expected = one_by_one(pairs[i, j, 0].numpy(), *row)
            np.testing.assert_allclose(batch[i, j, 0], expected, atol=atol)


def test_crop_and_flip_alone_are_exact():
    torch.manual_seed(0)
    pairs = images(20)
    augment = PairAugment(CROP, flip_prob=0.5)
    params = augment.random_params(pairs.float(), (4, 4))
    batch = affine_crop(pairs.float(), CROP, *params)
    for i, (corner, flip) in enumerate(zip(params[3].long().tolist(), params[4])):
        left, top = corner
        crop = pairs[i, :, :, top : top + CROP, left : left + CROP]
        expected = crop.flip(-1) if flip else crop
        torch.testing.assert_close(batch[i], expected.float(), atol=2e-3, rtol=0)


def test_erase_covers_a_rectangle_with_the_mean():
    pairs = images(3)
    corner, sides = torch.tensor([[3, 5], [0, 0], [7, 9]]), torch.tensor([[4, 6]] * 3)
    chosen = torch.tensor([True, False, True])
    result = erase(pairs.float(), corner, sides, chosen)
    for i in range(3):
        (left, top), (width, height) = corner[i].tolist(), sides[i].tolist()
        for j in range(2):
            expected = pairs[i, j, 0].numpy().astype(np.float32)
            if chosen[i]:
                mean = expected.mean()
                expected[top : top + height, left : left + width] = mean
            np.testing.assert_allclose(result[i, j, 0], expected, atol=1e-3)


def test_parameters_are_drawn_uniformly_from_their_ranges():
    torch.manual_seed(0)
    pairs = torch.zeros(4000, 2, 1, SIZE, SIZE)
    augment = PairAugment(
        CROP,
        max_rotate=6,
        max_scale=0.1,
        max_shift=2,
        flip_prob=0.3,
        erase_prob=0.6,
        erase_size=(4, 9),
    )
    angle, scale, shift, corner, flip = augment.random_params(pairs, (4, 4))
    for values, low, high in ((angle, -6, 6), (scale, 0.9, 1.1), (shift, -2, 2)):
        assert values.min() == pytest.approx(low, abs=0.02 * (high - low))
        assert values.max() == pytest.approx(high, abs=0.02 * (high - low))
        assert values.mean() == pytest.approx((low + high) / 2, abs=0.03 * (high - low))
    shares = torch.bincount(corner.long().flatten()) / corner.numel()
    torch.testing.assert_close(shares, torch.full((5,), 0.2), atol=0.02, rtol=0)
    assert flip.float().mean() == pytest.approx(0.3, abs=0.03)
    place, sides, chosen = augment.random_rectangle(pairs)
    assert set(sides.flatten().tolist()) == set(range(4, 10))
    assert (place + sides).max() == CROP
    assert place.min() == 0
    assert chosen.float().mean() == pytest.approx(0.6, abs=0.03)


def test_both_images_get_the_same():
    """Equal images stay equal, in colour too, and the pictures do change."""
    torch.manual_seed(0)
    image = images(8).float().expand(8, 2, 1, SIZE, SIZE)[:, :1]
    pairs = image.expand(8, 2, 3, SIZE, SIZE)
    augment = PairAugment(CROP, 6, 0.06, 1.5, 0.5, 0.5)
    first, second = augment(pairs, True), augment(pairs, True)
    torch.testing.assert_close(first[:, 0], first[:, 1])
    torch.testing.assert_close(first[:, :, 0], first[:, :, 2])
    assert not torch.allclose(first, second)


def test_without_training_the_centre_is_cropped():
    pairs = images(2).float()
    augment = PairAugment(CROP, 6, 0.06, 1.5, 0.5, 0.5)
    torch.testing.assert_close(augment(pairs, False), pairs[..., 2:46, 2:46])
    same = augment(pairs[..., :44, :44], False)
    torch.testing.assert_close(same, pairs[..., :44, :44])


def test_without_any_chance_training_crops_the_centre_too():
    pairs = images(4).float()
    still = PairAugment(CROP, random_crop=False)
    torch.testing.assert_close(
        still(pairs, True), pairs[..., 2:46, 2:46], atol=2e-3, rtol=0
    )


def test_preprocessor_augments_before_it_normalises():
    preprocessor = MODELS.build(
        dict(
            type='mmcomp.PairDataPreprocessor',
            standardize='image',
            augment=dict(type='mmcomp.PairAugment', crop_size=CROP, max_rotate=6),
        )
    )
    data = dict(inputs=images(4))
    torch.manual_seed(0)
    result = preprocessor(data, training=True)['inputs']
    torch.manual_seed(0)
    augmented = preprocessor.augment(images(4).float(), True)
    torch.testing.assert_close(result, preprocessor.normalize(augmented))
    plain = preprocessor(data, training=False)['inputs']
    center = images(4)[..., 2:46, 2:46]
    torch.testing.assert_close(plain, preprocessor.normalize(center))


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(max_rotate=-1), 'max_rotate is -1; it must be between 0 and 180'),
        (dict(max_scale=1), r'max_scale is 1; .* 0\.9'),
        (dict(max_shift=-1), 'max_shift is -1'),
        (dict(flip_prob=2), 'flip_prob is 2'),
        (dict(erase_prob=-0.1), r'erase_prob is -0\.1'),
        (dict(erase_size=(9, 4)), r'erase_size is \(9, 4\); it must be two sides'),
        (dict(erase_size=(4, 50)), 'from 1 to crop_size 44'),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        PairAugment(CROP, **kwargs)


def test_small_images_are_refused():
    with pytest.raises(ValueError, match='images are 40x48 pixels; they must be'):
        PairAugment(CROP)(torch.zeros(1, 2, 1, 40, 48), True)


def test_training_without_random_crop_has_the_centre_of_a_test():
    """With an odd margin too, which could be halved either way."""
    pairs = images(2).float()
    for size in (43, 45, 47):
        still = PairAugment(size, random_crop=False, erase_size=(4, 9))
        torch.testing.assert_close(
            still(pairs, True), still(pairs, False), atol=2e-3, rtol=0
        )
