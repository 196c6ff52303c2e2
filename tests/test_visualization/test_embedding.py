"""The embedding of pre_logits."""

import numpy as np
import pytest
import torch

from mmcomp.visualization.embedding import (
    embedding_figure,
    lay_out,
    neighbour_share,
    pre_logits,
)


def blobs():
    rng = np.random.default_rng(0)
    features = rng.normal(0, 0.1, (24, 6))
    features[12:, :3] += 5
    return features, ['a'] * 12 + ['b'] * 12


def test_groups_stay_apart_and_are_counted():
    features, names = blobs()
    places = lay_out(features)
    assert places.shape == (24, 2)
    assert neighbour_share(places, names)[0] == 1
    # By chance: of the 23 others 11 have the same name.
    assert neighbour_share(features, names) == (1, pytest.approx(11 / 23))
    mixed = ['a', 'b'] * 12
    assert neighbour_share(features, mixed)[0] < 0.9
    np.testing.assert_array_equal(places, lay_out(features))


def test_a_copy_of_a_pair_is_a_neighbour_but_not_the_pair_itself():
    features = np.array([[0.0], [1.0], [10.0], [12.0]])
    assert neighbour_share(features, ['a', 'b', 'c', 'd'])[0] == 0
    assert neighbour_share(features, ['a', 'a', 'c', 'd'])[0] == 0.5


def test_too_few_pairs_are_refused():
    with pytest.raises(ValueError, match='number of pairs is 3; it must be at least 4'):
        lay_out(np.zeros((3, 2)))


@pytest.mark.parametrize('name', ['compcnn_comb@2', 'compcnn_comb-svm'])
def test_features_are_what_the_last_layer_takes(name, make_model):
    model = make_model(name)
    pairs = list(torch.randint(0, 256, (5, 2, 1, 48, 48)).byte())
    features = pre_logits(model, pairs, batch_size=2)
    inputs = model.data_preprocessor(dict(inputs=pairs))['inputs']
    with torch.no_grad():
        scores = model(inputs)
        last = model.svms[0] if name[-3:] == 'svm' else model.head.fc
        found = last(torch.from_numpy(features))
    torch.testing.assert_close(found, scores, rtol=1e-4, atol=1e-5)


def test_each_panel_shows_its_values():
    features, names = blobs()
    subjects = [f's{i:02d}' for i in range(12)] * 2
    values = dict(label=names, subject=subjects)
    shares = {column: neighbour_share(features, own) for column, own in values.items()}
    figure = embedding_figure(features[:, :2], values, shares, {'mine': 3})
    label, subject = figure.axes
    assert [t.get_text() for t in label.get_legend().texts] == ['a', 'b']
    assert subject.get_legend() is None  # twelve are too many to name
    assert 'same: 100 % (by chance 48 %)' in label.get_title(loc='left')
    drawn = np.concatenate([own.get_offsets() for own in label.collections[1:3]])
    np.testing.assert_allclose(drawn, features[:, :2])


def test_long_names_stay_below_their_own_panel():
    names = ['overwhelmed by unexpected joy', 'fearfully disgusted', 'appalled', 'x']
    values = dict(label=names * 5, emotion=names * 5)
    points = np.random.default_rng(0).normal(size=(20, 2))
    figure = embedding_figure(points, values, dict.fromkeys(values, (0.5, 0.2)))
    figure.draw_without_rendering()
    for axes in figure.axes:
        legend = axes.get_legend()
        assert [text.get_text() for text in legend.get_texts()] == sorted(names)
        inside, own = axes.get_window_extent(), legend.get_window_extent()
        assert inside.x0 <= own.x0 < own.x1 <= inside.x1
