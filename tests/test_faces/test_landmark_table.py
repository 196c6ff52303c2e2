import cv2
import numpy as np
import pytest

from mmcomp.faces import landmark_table as module
from mmcomp.faces.landmark_table import find_aligned, landmark_cache, landmarks_of_table
from mmcomp.faces.landmarks import LandmarkFinder, aligned_eyes
from mmcomp.synthetic.plan import make_plan
from mmcomp.synthetic.renderer import Renderer


@pytest.fixture(scope='module')
def faces():
    """Two faces of 48 pixels."""
    plan = make_plan('nvie-subset', 'lab', seed=11)
    subject, samples = next(iter(plan.samples.items()))
    renderer = Renderer(plan.identities[subject], oversampling=2)
    return [
        renderer.render(samples[0].activations(frame), samples[0].view(frame))
        for frame in ('onset', 'apex')
    ]


@pytest.fixture
def table(tmp_path, faces):
    for i, face in enumerate(faces):
        cv2.imwrite(str(tmp_path / f'{i}.png'), face)
    noise = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    cv2.imwrite(str(tmp_path / 'noise.png'), noise)
    path = tmp_path / 'pairs.csv'
    path.write_text('sample_id,onset,apex\na,0.png,1.png\nb,0.png,noise.png\n')
    return path


@pytest.fixture
def looked_at(monkeypatch):
    """Images that the network saw."""
    seen = []
    find = LandmarkFinder.find

    def spy(self, image, eyes):
        seen.append(image)
        return find(self, image, eyes)

    monkeypatch.setattr(LandmarkFinder, 'find', spy)
    return seen


def test_points_of_a_table_are_computed_once(table, faces, looked_at):
    pairs = landmarks_of_table(table)
    assert len(looked_at) == 3  # 0.png is in both pairs
    assert [pair.sample_id for pair in pairs] == ['a', 'b']
    for found, face in zip((pairs[0].onset, pairs[0].apex), faces):
        expected = LandmarkFinder().find(face, aligned_eyes(48))
        np.testing.assert_array_equal(found.points, expected.points)
        assert found.presence == pytest.approx(expected.presence)
    assert pairs[0].fault == ''
    assert pairs[1].fault.startswith('apex: landmarks: the presence of a face is')
    looked_at.clear()
    again = landmarks_of_table(table)
    assert not looked_at
    assert again[1].fault == pairs[1].fault
    np.testing.assert_array_equal(again[0].apex.points, pairs[0].apex.points)


def test_an_image_that_changed_is_computed_anew(table, faces, looked_at):
    before = landmarks_of_table(table)
    looked_at.clear()
    mirrored = np.ascontiguousarray(faces[1][:, ::-1])
    cv2.imwrite(str(table.with_name('1.png')), mirrored)
    after = landmarks_of_table(table)
    assert len(looked_at) == 1
    np.testing.assert_array_equal(looked_at[0], mirrored)
    assert not np.array_equal(after[0].apex.points, before[0].apex.points)
    assert len(landmark_cache(table)) == 3  # the old image is forgotten


def test_the_file_is_of_one_table_and_one_network(table, monkeypatch):
    landmarks_of_table(table)
    names = {path.name for path in table.parent.glob('*.npz')}
    assert names == {f'pairs.landmarks-{module.landmarks_version()}.npz'}
    monkeypatch.setattr(module, 'landmarks_version', lambda: 'other')
    assert landmark_cache(table).path.name == 'pairs.landmarks-other.npz'
    assert not len(landmark_cache(table))


def test_rows_may_be_read_already(table, looked_at):
    rows = [
        {'sample_id': 'c', **dict.fromkeys(('onset', 'apex'), table.parent / '1.png')}
    ]
    (pair,) = landmarks_of_table(table, rows)
    assert (pair.sample_id, len(looked_at)) == ('c', 1)


def test_images_that_cannot_be_used_are_named(table):
    rows = [{'sample_id': 'c', 'onset': '0.png', 'apex': 'none.png'}]
    with pytest.raises(ValueError, match=r'none\.png: no such file'):
        landmarks_of_table(table, rows)
    rows[0]['apex'] = 'pairs.csv'
    with pytest.raises(ValueError, match=r'pairs\.csv: not an image'):
        landmarks_of_table(table, rows)
    with pytest.raises(ValueError, match=r'images are 48x40 pixels; .* square'):
        find_aligned([np.zeros((48, 40), np.uint8)])


def test_an_interruption_loses_nothing_that_was_found(table, monkeypatch):
    find = LandmarkFinder.find_each

    def stopped(self, images, eyes):
        yield next(find(self, images, eyes))
        raise KeyboardInterrupt

    monkeypatch.setattr(LandmarkFinder, 'find_each', stopped)
    with pytest.raises(KeyboardInterrupt):
        landmarks_of_table(table)
    assert len(landmark_cache(table)) == 1


def test_a_folder_that_cannot_be_written_costs_a_warning(table, monkeypatch):
    monkeypatch.setattr(module.ImageCache, 'update', _refuse)
    with pytest.warns(UserWarning, match='cannot be written .*Read-only'):
        pairs = landmarks_of_table(table)
    assert pairs[0].fault == ''


def _refuse(self, vectors):
    raise OSError('Read-only file system')


def test_faces_of_several_sizes_and_none(faces):
    large = cv2.resize(faces[0], (96, 96), interpolation=cv2.INTER_CUBIC)
    both = find_aligned([faces[0], large])
    assert [own.fault for own in both] == ['', '']
    # A pixel of the small image is two of the large one, counted from the corner.
    small = 2 * both[0].points[:, :2] + 0.5
    assert np.abs(both[1].points[:, :2] - small).mean() < 1
    assert find_aligned([]) == []
