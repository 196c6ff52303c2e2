"""Landmarks, against the projected mesh of rendered heads."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from mmcomp.faces import landmarks as module
from mmcomp.faces.landmarks import LandmarkFinder, aligned_eyes, eyes_of
from mmcomp.synthetic import EyeCrop
from mmcomp.synthetic.plan import make_plan
from mmcomp.synthetic.renderer import Renderer

#: Points of the network at landmarks of the mesh. The mesh's outer corners of the eyes
#: and the chin are other places than the network's.
PLACES = {
    'eye_inner_right': 133,
    'eye_inner_left': 362,
    'mouth_corner_right': 61,
    'mouth_corner_left': 291,
    'lip_seam_upper': 13,
    'lip_seam_lower': 14,
}
SIZES = 48, 160


@pytest.fixture(scope='module')
def rendered():
    """Onset and apex of four subjects: images and true positions, by size."""
    plan = make_plan('nvie-subset', 'lab', seed=11)
    shown = [plan.samples[subject][0] for subject in list(plan.samples)[:4]]
    made = {size: [] for size in SIZES}
    for sample in shown:
        renderer = Renderer(plan.identities[sample.subject], oversampling=2)
        for frame in ('onset', 'apex'):
            for size in SIZES:
                what = sample.activations(frame), sample.view(frame), EyeCrop(size)
                noise = np.random.default_rng(0)
                image = renderer.render(*what, noise)
                made[size].append((image, renderer.locate(*what)))
    return made


@pytest.fixture(scope='module')
def finder():
    return LandmarkFinder()


@pytest.mark.parametrize(
    ('size', 'largest', 'largest_moved'), [(48, 3.5, 3.5), (160, 2.5, 3.0)]
)
def test_points_are_those_of_the_mesh(rendered, finder, size, largest, largest_moved):
    images, truth = zip(*rendered[size])
    found = finder.find_many(images, aligned_eyes(size))
    assert not any(own.fault for own in found)
    distance = 0.44 * size
    points = np.array([own.points[list(PLACES.values()), :2] for own in found])
    true = np.array([[own[name] for name in PLACES] for own in truth])
    error = 100 * np.hypot(*(points - true).transpose(2, 0, 1)) / distance
    moved = (points[1::2] - points[::2]) - (true[1::2] - true[::2])
    moved = 100 * np.hypot(*moved.transpose(2, 0, 1)) / distance
    print(f'{size}: {error.mean():.1f} %, moved {moved.mean():.1f} %')
    assert error.mean() < largest
    assert moved.mean() < largest_moved


def test_a_mirrored_face_has_mirrored_points(rendered, finder):
    pairs = np.array([[33, 263], [133, 362], [61, 291], [13, 13], [168, 168]])
    sums = []
    for image, _ in rendered[160]:
        mirrored = np.ascontiguousarray(image[:, ::-1])
        own, other = finder.find_many([image, mirrored], aligned_eyes(160))
        sums.append(own.points[pairs[:, 0], 0] + other.points[pairs[:, 1], 0])
    # Counted from pixel centres, a point and its mirror image add up to the last one.
    assert np.mean(sums) == pytest.approx(159, abs=0.6)


def test_points_follow_a_turned_and_enlarged_picture(rendered, finder):
    image, _ = rendered[160][0]
    eyes = aligned_eyes(160)
    points = finder.find(image, eyes).points
    matrix = cv2.getRotationMatrix2D((80, 80), 70, 1.5)
    matrix[:, 2] += 80
    turned = cv2.warpAffine(image, matrix, (320, 320), borderMode=cv2.BORDER_REPLICATE)
    moved = finder.find(turned, eyes @ matrix[:, :2].T + matrix[:, 2])
    assert moved.fault == ''
    expected = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    error = np.hypot(*(moved.points[:, :2] - expected).T) / (1.5 * 0.44 * 160)
    assert error.mean() < 0.02
    depth = np.std(moved.points[:, 2]) / np.std(points[:, 2])
    assert depth == pytest.approx(1.5, rel=0.05)


def test_a_face_is_followed_from_the_frame_before(rendered, finder):
    image, _ = rendered[160][0]
    eyes = aligned_eyes(160)
    found = finder.find(image, eyes)
    shift = np.array([4.0, 3.0])
    matrix = np.column_stack([np.eye(2), shift])
    moved = cv2.warpAffine(image, matrix, (160, 160), borderMode=cv2.BORDER_REPLICATE)
    followed = finder.follow(moved, found.points)
    assert followed.fault == ''
    still = finder.follow(image, found.points)
    error = followed.points[:, :2] - still.points[:, :2] - shift
    assert np.hypot(*error.T).mean() < 0.02 * 0.44 * 160
    gone = finder.follow(np.full_like(image, 128), found.points)
    assert 'presence of a face is' in gone.fault
    elsewhere = finder.follow(image, found.points + np.float32([22, 0, 0]))
    assert 'eye distances from its position' in elsewhere.fault


def test_color_and_gray_are_the_same_face(rendered, finder):
    image = rendered[48][0][0]
    gray = finder.find(image, aligned_eyes(48))
    for other in (image[..., None], cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)):
        np.testing.assert_array_equal(
            finder.find(other, aligned_eyes(48)).points, gray.points
        )


def test_color_is_red_first(astronaut, finder):
    eyes = [[205, 102], [247, 105]]
    right = finder.find(astronaut, eyes)
    wrong = finder.find(np.ascontiguousarray(astronaut[..., ::-1]), eyes)
    assert right.fault == ''
    assert right.presence > wrong.presence


def test_eyes_elsewhere_are_a_fault(rendered, finder):
    for size in SIZES:
        image, _ = rendered[size][0]
        eyes = aligned_eyes(size)
        assert finder.find(image, eyes).fault == ''
        moved = finder.find(image, eyes + [0.3 * 0.44 * size, 0])
        assert 'eye distances from its position' in moved.fault


def test_no_face_is_a_fault(finder):
    noise = np.random.default_rng(0).integers(0, 256, (2, 48, 48), np.uint8)
    for image in (*noise, np.zeros((48, 48), np.uint8)):
        found = finder.find(image, aligned_eyes(48))
        assert 'presence of a face is' in found.fault
        assert found.points.shape == (468, 3)
        assert np.isfinite(found.points).all()


def test_judge_says_which_eye_is_off(finder, rendered):
    image, _ = rendered[48][0]
    found = finder.find(image, aligned_eyes(48))
    own = eyes_of(found.points)
    assert finder.judge(found, own).fault == ''
    distance = np.hypot(*(own[1] - own[0]))
    # The second eye is moved to the side: by .3 of the new distance of 1.3.
    other = own + [[0, 0], 0.3 * (own[1] - own[0])]
    assert f'{0.3 / 1.3:.2f} eye distances' in finder.judge(found, other).fault
    near = own + [[0, 0], [0, 0.19 * distance]]
    assert finder.judge(found, near).fault == ''


def test_many_are_the_same_as_one_in_any_thread(rendered, finder):
    images = [image for image, _ in rendered[48]]
    eyes = aligned_eyes(48)
    many = finder.find_many(images, eyes)
    with ThreadPoolExecutor(3) as pool:
        threads = list(pool.map(lambda image: finder.find(image, eyes), images))
    again = pickle.loads(pickle.dumps(finder))
    for i, image in enumerate(images):
        one = again.find(image, eyes)
        np.testing.assert_array_equal(one.points, many[i].points)
        np.testing.assert_array_equal(one.points, threads[i].points)
        assert one.presence == many[i].presence
    assert finder.find_many([], eyes) == []


def test_each_image_is_looked_at_by_its_own_eyes(rendered, finder):
    image, _ = rendered[160][0]
    wider = np.pad(image, ((30, 0), (60, 0)), mode='edge')
    eyes = aligned_eyes(160)
    both = finder.find_many([image, wider], [eyes, eyes + (60, 30)])
    assert both[0].fault == both[1].fault == ''
    np.testing.assert_allclose(
        both[1].points[:, :2], both[0].points[:, :2] + (60, 30), atol=1.5
    )


def test_arguments(finder):
    image = np.zeros((48, 48), np.uint8)
    with pytest.raises(ValueError, match='min_presence is 2; it must be 0 to 1'):
        LandmarkFinder(min_presence=2)
    with pytest.raises(ValueError, match='max_eye_error is 0; it must be above 0'):
        LandmarkFinder(max_eye_error=0)
    with pytest.raises(ValueError, match='at least one pixel apart'):
        finder.find(image, [[1, 1], [1, 1]])
    with pytest.raises(ValueError, match='uint8'):
        finder.find(image.astype(float), aligned_eyes(48))


def test_it_is_silent(rendered, capfd):
    image, _ = rendered[48][0]
    LandmarkFinder().find(image, aligned_eyes(48))
    assert capfd.readouterr() == ('', '')


def test_an_older_opencv_is_named(monkeypatch):
    monkeypatch.delattr(cv2.dnn, 'readNetFromTFLite')
    monkeypatch.setattr(cv2, '__version__', '4.6.0')
    with pytest.raises(
        ImportError, match=r'OpenCV is 4\.6\.0; .* pip install'
    ) as error:
        LandmarkFinder()
    assert '\n' not in str(error.value)


def test_version_names_the_network(monkeypatch, tmp_path):
    version = module.landmarks_version()
    other = tmp_path / 'net.tflite'
    other.write_bytes(module.MODEL.read_bytes() + b'0')
    monkeypatch.setattr(module, 'MODEL', other)
    module.landmarks_version.cache_clear()
    assert module.landmarks_version() != version
    monkeypatch.undo()
    module.landmarks_version.cache_clear()
