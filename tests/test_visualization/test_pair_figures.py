"""Pairs as the network sees them."""

import random

import numpy as np
import torch

from mmcomp.models.pair_augment import affine_crop, erase
from mmcomp.visualization.examples import from_dataset, load_dataset, spread
from mmcomp.visualization.pairs import displayable, pairs_figure, seen_pairs
from mmcomp.visualization.style import ALARM


def test_the_parameters_are_those_that_made_the_picture(make_model):
    preprocessor = make_model().data_preprocessor
    pairs = list(torch.randint(0, 256, (6, 2, 1, 48, 48)).byte())
    seen, drawn = seen_pairs(preprocessor, pairs, seed=3)

    def values(name):
        return torch.tensor([one[name] for one in drawn])

    covered = [one['erased'] or (0, 0, 1, 1) for one in drawn]
    again = affine_crop(
        torch.stack(pairs).float(),
        44,
        *(values(k) for k in ('rotate', 'scale', 'shift', 'corner', 'flip')),
    )
    again = erase(
        again,
        torch.tensor(covered)[:, :2],
        torch.tensor(covered)[:, 2:],
        torch.tensor([one['erased'] is not None for one in drawn]),
    )
    torch.testing.assert_close(seen, preprocessor.normalize(again))
    assert any(one['erased'] for one in drawn)
    assert not all(one['erased'] for one in drawn)


def test_looking_draws_no_random_numbers_of_the_training(make_model):
    preprocessor = make_model().data_preprocessor
    pairs = list(torch.zeros(2, 2, 1, 48, 48).byte())

    def numbers():
        torch.manual_seed(0)
        random.seed(0)
        np.random.seed(0)
        seen_pairs(preprocessor, pairs, seed=9)
        return float(torch.rand(())), random.random(), np.random.rand()

    first = numbers()
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)
    assert first == (float(torch.rand(())), random.random(), np.random.rand())


def test_a_test_sees_the_centre_and_nothing_random(make_model):
    preprocessor = make_model().data_preprocessor
    pairs = torch.randint(0, 256, (2, 2, 1, 48, 48)).byte()
    seen, drawn = seen_pairs(preprocessor, list(pairs), training=False)
    centre = pairs[..., 2:46, 2:46].float()
    torch.testing.assert_close(seen, preprocessor.normalize(centre))
    assert drawn == [{}, {}]


def test_all_pairs_share_a_scale_of_brightness():
    pairs = torch.zeros(2, 2, 1, 10, 10)
    pairs[0] = torch.linspace(0, 50, 10)
    pairs[1] = torch.linspace(0, 100, 10)
    images = displayable(pairs)
    assert images[1].max() == 1
    np.testing.assert_allclose(images[0].max(), 0.5, atol=0.01)
    color = torch.zeros(1, 2, 3, 4, 4)
    color[:, :, 2] = 1  # red in BGR
    assert displayable(color)[0, 0, 0, 0].tolist() == [1, 0, 0]


def test_onset_is_left_and_wrong_captions_are_red():
    images = np.zeros((2, 2, 4, 4))
    images[:, 1] = 1
    figure = pairs_figure(images, [('a', 'x'), ('b', 'y')], wrong=[False, True])
    strip = figure.axes[0].images[0].get_array()
    assert strip[:, :4].max() == 0
    assert strip[:, -4:].min() == 1
    colors = {text.get_text(): text.get_color() for text in figure.texts}
    assert colors['b'] == ALARM != colors['a']


def test_examples_alternate_between_classes(make_model):
    assert spread([0] * 9 + [1] * 3, 4) == [0, 9, 8, 11]
    cfg = make_model()._config
    dataset = load_dataset(cfg, 'all')
    labels = [example.label for example in from_dataset(dataset, count=4)]
    assert labels == ['posed', 'spontaneous', 'posed', 'spontaneous']
    (one,) = from_dataset(dataset, ['s02-posed-1'])
    assert one.info['subject'] == 's02'
    index = [info['sample_id'] for info in dataset.data_list].index('s02-posed-1')
    assert torch.equal(one.pair, dataset[index]['inputs'])
