"""FittedPairClassifier: features, fit, predictions, and states of strangers."""

import numpy as np
import pytest
import torch
from fitted_parts import FITTED
from mmpretrain.structures import DataSample

from mmcomp.checkpoint import CheckpointError, check_fits
from mmcomp.registry import MODELS


def pair(onset, apex, corner=0):
    """A pair of 4x4 images; the upper and the lower half have one gray level each."""
    images = np.zeros((2, 1, 4, 4), np.uint8)
    for image, (upper, lower) in zip(images, (onset, apex)):
        image[0, :2], image[0, 2:] = upper, lower
    if corner:
        images[1, 0, 0, 0] = corner
    return torch.from_numpy(images)


def batch(pairs, labels):
    samples = [
        DataSample(metainfo=dict(subject=f's{i}')).set_gt_label(label)
        for i, label in enumerate(labels)
    ]
    return dict(inputs=pairs, data_samples=samples)


TRAINED = [
    pair((10, 10), (14, 10)),  # the difference is (4, 0)
    pair((10, 10), (10, 12)),  # (0, 2)
    pair((50, 50), (52, 50)),  # (2, 0)
    pair((50, 50), (50, 54)),  # (0, 4)
]


def fitted(extra=(), labels=()):
    model = MODELS.build(FITTED).eval()
    pairs = [*TRAINED, *extra]
    model.fit([batch(pairs, [0, 1, 0, 1, *labels])], {})
    return model


def inputs_of(model, *pairs):
    return model.data_preprocessor(dict(inputs=list(pairs)))['inputs']


def test_fits_and_classifies_differences_of_descriptions():
    model = fitted()
    assert model.classifier.means.tolist() == [[3, 0], [0, 3]]
    assert model.filler.mean.tolist() == [1.5, 1.5]
    inputs = inputs_of(model, pair((10, 10), (13, 10)), pair((10, 10), (10, 13)))
    assert model.extract_feat(inputs).tolist() == [[3, 0], [0, 3]]
    distance = 18**0.5
    expected = torch.tensor([[0, -distance], [-distance, 0]])
    torch.testing.assert_close(model(inputs), expected)
    samples = model(inputs, mode='predict')
    assert [int(sample.pred_label) for sample in samples] == [0, 1]
    torch.testing.assert_close(samples[0].pred_score, expected[0].softmax(0))


def test_unknown_pairs_are_left_out_and_classified_by_the_mean():
    known = fitted()
    with pytest.warns(UserWarning, match='1 of 5 pairs are unknown; they are left out'):
        model = fitted([pair((0, 0), (90, 0), corner=255)], [0])
    assert model.classifier.means.tolist() == known.classifier.means.tolist()
    strange = pair((10, 10), (90, 0), corner=255)
    inputs = inputs_of(model, strange, pair((10, 10), (13, 10)))
    with pytest.warns(UserWarning, match='1 of 2 pairs are unknown; they are classif'):
        scores = model(inputs)
    mean = model.classifier(torch.tensor([[1.5, 1.5]]))
    torch.testing.assert_close(scores[:1], mean)
    assert scores.argmax(1)[1] == 0


def test_columns_of_unknown_pairs_are_left_out():
    model = MODELS.build(FITTED)
    pairs = [pair((0, 0), (9, 0), corner=255), *TRAINED]
    with pytest.warns(UserWarning, match='left out'):
        model.fit([batch(pairs, [0, 0, 1, 0, 1])], dict(emotion=['fear', *['joy'] * 4]))
    assert model.classifier.emotions.tolist() == [1]


def test_too_few_known_pairs_are_refused():
    model = MODELS.build(FITTED)
    white = pair((0, 0), (9, 0), corner=255)
    with (
        pytest.warns(UserWarning, match='2 of 3 pairs'),
        pytest.raises(
            ValueError, match=r'classes with known features is 1; it must be'
        ),
    ):
        model.fit([batch([TRAINED[0], white, white], [0, 1, 1])], {})


REFUSED = [
    (dict(data_preprocessor=dict(standardize='image')), 'standardize of data_prepr'),
    (dict(data_preprocessor=dict(mean=[1.0], std=[1.0])), 'mean of data_prepr'),
    (
        dict(
            data_preprocessor=dict(
                augment=dict(
                    type='mmcomp.PairAugment',
                    crop_size=9,
                    erase_prob=0,
                    erase_size=(1, 2),
                )
            )
        ),
        'augment of data_prepr',
    ),
    (dict(num_classes=1), 'num_classes is 1; it must be at least 2'),
]


@pytest.mark.parametrize(('options', 'message'), REFUSED)
def test_refused_options(options, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build({**FITTED, **options})


def test_what_it_cannot_do_is_one_sentence():
    model = fitted()
    inputs = inputs_of(model, *TRAINED)
    with pytest.raises(ValueError, match=r'has no loss.*FitLoop'):
        model(inputs, mode='loss')
    with pytest.raises(ValueError, match="mode is 'x'"):
        model(inputs, mode='x')
    with pytest.raises(ValueError, match='channels is 3; it must be 1'):
        model(inputs.expand(-1, -1, 3, -1, -1))
    with pytest.raises(ValueError, match='not fitted; train it with FitLoop'):
        MODELS.build(FITTED)(inputs)


def test_state_is_buffers_of_any_size():
    model, other = fitted(), MODELS.build(FITTED)
    assert not list(model.parameters())
    check_fits(other, model.state_dict(), 'a.pth')
    other.load_state_dict(model.state_dict())
    assert other.is_fitted
    inputs = inputs_of(model, *TRAINED)
    assert torch.equal(other(inputs), model(inputs))
    check_fits(model, MODELS.build(FITTED).state_dict(), 'new.pth')  # not fitted yet


def ones(*shape, **kwargs):
    return torch.ones(*shape, **kwargs)


STATES = {
    'dimensions': ({'classifier.means': ones(2)}, 'of means is 1; it must be 2'),
    'scalar': ({'filler.mean': ones(())}, 'of mean is 0; it must be 1'),
    'type': ({'classifier.means': ones(2, 2, dtype=torch.complex64)}, 'type of means'),
    'bits': ({'filler.mean': ones(2, dtype=torch.bool)}, 'type of mean is torch.bool'),
    'classes': ({'classifier.means': ones(3, 2)}, 'length of means is 3; it must be 2'),
    'together': ({'classifier.means': ones(2, 7)}, 'buffers do not fit together'),
    'mean': ({'filler.mean': ones(5)}, 'buffers do not fit together'),
    'empty': ({'classifier.random': ones(0)}, 'random must not be empty'),
    'huge': (
        {'classifier.means': ones(2, 2) * 1e38},
        'means holds values that',
    ),
    'nan': ({'classifier.means': ones(2, 2) * torch.nan}, 'means holds values'),
}


@pytest.mark.parametrize('name', STATES)
def test_states_of_strangers_are_refused_in_one_sentence(name):
    changed, message = STATES[name]
    model = MODELS.build(FITTED)
    with pytest.raises(CheckpointError, match=message) as caught:
        check_fits(model, {**fitted().state_dict(), **changed}, 'bad.pth')
    assert str(caught.value).startswith("checkpoint 'bad.pth': ")
    assert '\n' not in str(caught.value)
    assert not model.is_fitted  # nothing was loaded


def test_missing_and_unknown_buffers_are_named():
    state = fitted().state_dict()
    state['classifier.other'] = state.pop('classifier.means')
    with pytest.raises(CheckpointError, match=r'missing: .*means; unknown: .*other'):
        check_fits(MODELS.build(FITTED), state, 'bad.pth')


def test_a_state_of_other_features_is_refused_when_it_is_used():
    model = fitted()
    model.filler.mean, model.classifier.means = ones(3), ones(2, 3)
    with pytest.raises(ValueError, match='features is 2; it must be 3, as in training'):
        model(inputs_of(model, *TRAINED))


def test_scores_that_are_no_numbers_are_refused():
    model = fitted()
    model.classifier.means = ones(2, 2) * 1e38
    with pytest.raises(ValueError, match='scores of NearestMean are not finite'):
        model(inputs_of(model, *TRAINED))
