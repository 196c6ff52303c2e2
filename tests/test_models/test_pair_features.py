import copy
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mmcomp.faces import landmarks
from mmcomp.faces.landmarks import LandmarkFinder, aligned_eyes
from mmcomp.features import shape
from mmcomp.features.clbp import clbp
from mmcomp.features.difference import standardized
from mmcomp.features.sift import sift_at
from mmcomp.models.fitted import features as module
from mmcomp.models.fitted.features import (
    CLBP,
    DifferencePixels,
    Displacement,
    GeometricFeatures,
    SIFTAtLandmarks,
)
from mmcomp.registry import MODELS
from mmcomp.synthetic.plan import make_plan
from mmcomp.synthetic.renderer import Renderer

ALL = [
    dict(type='mmcomp.DifferencePixels'),
    dict(type='mmcomp.Displacement'),
    dict(type='mmcomp.GeometricFeatures'),
    dict(type='mmcomp.SIFTAtLandmarks', images='apex'),
    dict(type='mmcomp.SIFTAtLandmarks', images='pair'),
    dict(type='mmcomp.CLBP'),
]
WIDTHS = 576, 102, 19, 6555, 6555, 8640

SMILE = {'mouthSmileLeft': 0.8, 'mouthSmileRight': 0.8}
CLOSED = {'eyeBlinkLeft': 0.9, 'eyeBlinkRight': 0.9}


@pytest.fixture(scope='module')
def faces():
    """Onsets and apexes of 48 pixels: a smile, closed eyes, and noise as an apex."""
    plan = make_plan('nvie-subset', 'lab', seed=11)
    subject, samples = next(iter(plan.samples.items()))
    renderer = Renderer(plan.identities[subject], oversampling=2)
    view = samples[0].view('onset')
    onset, smile, closed = (renderer.render(own, view) for own in ({}, SMILE, CLOSED))
    noise = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    return np.stack([onset] * 3), np.stack([smile, closed, noise])


@pytest.fixture
def described(monkeypatch):
    """Number of images that each function described."""
    counts = {'landmarks': 0, 'sift': 0, 'clbp': 0}

    def count(owner, attribute, name):
        function = getattr(owner, attribute)

        def spy(*args):
            counts[name] += 1
            return function(*args)

        monkeypatch.setattr(owner, attribute, spy)

    count(LandmarkFinder, 'find', 'landmarks')
    count(module, '_sift', 'sift')
    count(module.clbp, 'clbp', 'clbp')
    return counts


@pytest.mark.parametrize(('config', 'width'), zip(ALL, WIDTHS))
def test_features_of_a_config(config, width, faces):
    onset, apex = faces
    features = MODELS.build(config)
    found = features(onset, apex)
    assert found.shape == (3, width)
    assert found.dtype == np.float32
    of_points = config['type'].split('.')[1] not in ('DifferencePixels', 'CLBP')
    assert np.isnan(found).all(1).tolist() == [False, False, of_points]
    assert np.isnan(found).any(1).tolist() == [False, False, of_points]
    np.testing.assert_array_equal(features(onset[1:2], apex[1:2])[0], found[1])


def test_displacement_of_a_smile_and_closed_eyes(faces):
    """Corners of the mouth move outwards and up, upper lids down."""
    smile, closed, _ = Displacement()(*faces).reshape(3, 51, 2)
    left, right = (smile[shape.POINTS.index(point)] for point in (61, 291))
    assert left[0] < -0.02 < 0.02 < right[0]
    assert max(left[1], right[1]) < -0.02
    lids = [shape.POINTS.index(point) for point in (160, 158, 385, 387)]
    assert (closed[lids, 1] > 0.02).all()


def test_geometric_features_of_a_smile_and_closed_eyes(faces):
    smile, closed, _ = GeometricFeatures()(*faces)
    assert smile[9] > 0.05  # from corner to corner
    assert (smile[[7, 8]] < -0.02).all()  # from the corners to the eyes
    assert (closed[[5, 6]] < -0.02).all()  # from lid to lid


@pytest.mark.parametrize('features', [Displacement(), GeometricFeatures()])
def test_points_are_compared_as_shape_does(features, faces):
    onset, apex = (own[:2] for own in faces)
    finder = LandmarkFinder()
    found = [finder.find(own, aligned_eyes(48)) for own in (onset[1], apex[1])]
    before, after = (own.points[:, :2] for own in found)
    function = {
        'Displacement': shape.displacement,
        'GeometricFeatures': shape.geometric_features,
    }[type(features).__name__]
    expected = function(before, after).ravel()
    np.testing.assert_allclose(features(onset, apex)[1], expected, atol=1e-6)


def test_sift_and_distances_of_the_apex_or_of_both(faces):
    onset, apex = (own[:1] for own in faces)
    parts = []
    for image in onset[0], apex[0]:
        points = LandmarkFinder().find(image, aligned_eyes(48)).points[:, :2]
        descriptors = sift_at(image, points[list(shape.POINTS)])
        parts.append(np.append(descriptors, shape.fap_distances(points)))
    np.testing.assert_allclose(SIFTAtLandmarks()(onset, apex)[0], parts[1], atol=1e-6)
    expected = parts[1] - parts[0]
    pair = SIFTAtLandmarks('pair')(onset, apex)[0]
    np.testing.assert_allclose(pair, expected, atol=1e-6)


def test_the_apex_alone_needs_no_onset(faces, described):
    apex = faces[1]
    features = SIFTAtLandmarks('apex')
    assert not features.uses_onset
    assert np.isfinite(features(apex[::-1], apex)[0]).all()  # noise is the onset
    assert described['sift'] == 3
    assert np.isnan(SIFTAtLandmarks('pair')(apex[::-1], apex)[0]).all()


def test_pictures_are_compared_as_apex_minus_onset(faces):
    onset, apex = faces
    expected = clbp(apex[0]) - clbp(onset[0])
    np.testing.assert_array_equal(CLBP()(onset, apex)[0], expected)
    expected = (standardized(apex[0], 48) - standardized(onset[0], 48)).ravel()
    np.testing.assert_array_equal(DifferencePixels(48)(onset, apex)[0], expected)


@pytest.mark.parametrize('config', ALL)
def test_what_is_kept_is_what_is_computed(config, faces, tmp_path, described):
    """A second run reads all descriptions from the files, and computes none."""
    expected = MODELS.build(config)(*faces)
    for _ in range(2):
        features = MODELS.build(config)
        features.cache_beside(tmp_path / 'pairs.csv')
        features.fill_cache(*faces)
        described.update(dict.fromkeys(described, 0))
        np.testing.assert_array_equal(features(*faces), expected)
        assert not any(described.values())
    fresh = MODELS.build(config)
    fresh.cache_beside(tmp_path / 'pairs.csv')
    np.testing.assert_array_equal(fresh(*faces), expected)
    assert not any(described.values())


def test_points_are_computed_once_for_all_features(faces, tmp_path, described):
    """Equal images too: there are four different ones here."""
    for config in ALL:
        features = MODELS.build(config)
        features.cache_beside(tmp_path / 'pairs.csv')
        features.fill_cache(*faces)
    assert described == {'landmarks': 4, 'sift': 4, 'clbp': 4}
    names = sorted(path.name.rpartition('-')[0] for path in tmp_path.glob('*.npz'))
    assert names == ['pairs.clbp', 'pairs.landmarks', 'pairs.sift']


def test_of_two_that_fill_a_cache_one_waits(faces, tmp_path, described):
    """As two folds of an experiment do that start at once."""

    def fill(_):
        features = CLBP()
        features.cache_beside(tmp_path / 'pairs.csv')
        features.fill_cache(*faces)
        return features(*faces)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(fill, range(2))
    np.testing.assert_array_equal(first, second)
    assert described['clbp'] == 4


def test_a_changed_image_is_described_anew(faces, tmp_path, described):
    onset, apex = faces
    features = Displacement()
    features.cache_beside(tmp_path / 'pairs.csv')
    features.fill_cache(onset, apex)
    brighter = apex.copy()
    brighter[0] = np.minimum(apex[0], 250) + 5
    described['landmarks'] = 0
    np.testing.assert_array_equal(
        features(onset, brighter), Displacement()(onset, brighter)
    )
    assert described['landmarks'] == 1 + 4


def test_other_settings_have_another_file(tmp_path, monkeypatch):
    def files():
        features = SIFTAtLandmarks()
        features.cache_beside(tmp_path / 'pairs.csv')
        return [vectors._path.name for vectors in features.kept]

    before = files()
    assert files() == before
    monkeypatch.setattr(module, 'landmarks_version', lambda: 'another')
    assert not set(files()) & set(before)
    monkeypatch.undo()
    source = tmp_path / 'sift.py'
    source.write_text('another')
    monkeypatch.setattr(module.sift, '__file__', str(source))
    points, descriptors = files()
    assert points == before[0]
    assert descriptors != before[1]


def test_a_folder_that_cannot_be_written_costs_a_warning(faces, tmp_path, described):
    """There is a file where the table's folder ought to be."""
    (tmp_path / 'file').write_text('')
    features = CLBP()
    features.cache_beside(tmp_path / 'file' / 'pairs.csv')
    with pytest.warns(UserWarning, match='cannot be written'):
        features.fill_cache(*faces)
    assert described['clbp'] == 4
    np.testing.assert_array_equal(features(*faces), CLBP()(*faces))
    assert described['clbp'] == 8


def test_the_network_is_loaded_once_for_each_thread_at_most(faces, monkeypatch):
    """And not for each batch, which would take longer than to find the points."""
    loaded = []
    load = landmarks._load
    monkeypatch.setattr(landmarks, '_load', lambda: loaded.append(1) or load())
    features = Displacement()
    for onset, apex in zip(*faces):
        features(onset[None], apex[None])
    assert 1 <= len(loaded) <= os.cpu_count()


def test_a_copy_has_values_of_its_own(faces):
    features = SIFTAtLandmarks()
    np.testing.assert_array_equal(copy.deepcopy(features)(*faces), features(*faces))


@pytest.mark.parametrize('config', ALL)
@pytest.mark.parametrize(
    ('images', 'message'),
    [
        (np.zeros((2, 48, 40), np.uint8), 'images are 48x40 pixels; they must be'),
        (np.zeros((2, 8, 8), np.uint8), 'images are 8x8 pixels'),
        (np.zeros((2, 48, 48)), 'of float64; they must be'),
        (np.zeros((48, 48), np.uint8), r'array \(48, 48\) of uint8'),
    ],
)
def test_images_that_are_not_allowed(config, images, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(config)(images, images)


def test_arguments_that_are_not_allowed():
    with pytest.raises(ValueError, match='size is 49; it must be 8 to 48'):
        DifferencePixels(49)
    with pytest.raises(ValueError, match="images is 'onset'; it must be one of 'apex'"):
        SIFTAtLandmarks('onset')
