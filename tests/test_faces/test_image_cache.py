import numpy as np
import pytest

from mmcomp.faces.image_cache import ImageCache, image_key


@pytest.fixture
def images():
    return list(np.random.default_rng(0).integers(0, 256, (3, 4, 5), np.uint8))


def test_key_depends_on_every_pixel_and_the_shape(images):
    image = images[0]
    keys = {image_key(image), image_key(image.T), image_key(image.reshape(5, 4))}
    for index in np.ndindex(image.shape):
        changed = image.copy()
        changed[index] ^= 1
        keys.add(image_key(changed))
    assert len(keys) == 3 + image.size
    assert image_key(image) == image_key(np.asfortranarray(image))


def test_vectors_are_read_again_exactly(tmp_path, images):
    path = tmp_path / 'a.npz'
    vectors = {
        image_key(image): np.float32([i, np.nan]) for i, image in enumerate(images)
    }
    ImageCache(path).update(vectors)
    again = ImageCache(path)
    assert list(again) == list(vectors)
    for key, vector in vectors.items():
        np.testing.assert_array_equal(again[key], vector)
        assert again[key].dtype == np.float32
    assert [file.name for file in tmp_path.iterdir()] == ['a.npz']


def test_keep_forgets_all_others(tmp_path, images):
    path = tmp_path / 'a.npz'
    keys = [image_key(image) for image in images]
    cache = ImageCache(path)
    cache.update({key: np.zeros(2) for key in keys})
    cache.keep([keys[1], 'unknown'])
    assert list(cache) == list(ImageCache(path)) == [keys[1]]
    cache.keep([])
    assert not len(ImageCache(path))
    cache.update({keys[0]: np.ones(7)})  # of another length, as nothing is left
    assert ImageCache(path)[keys[0]].shape == (7,)


@pytest.mark.parametrize('content', ['empty', 'text', 'cut', 'other', 'pickle', 'npy'])
def test_a_foreign_file_is_replaced(tmp_path, images, content):
    path = tmp_path / 'a.npz'
    key = image_key(images[0])
    ImageCache(path).update({key: np.ones(50)})
    if content == 'empty':
        path.write_bytes(b'')
    elif content == 'text':
        path.write_text('sample_id,subject')
    elif content == 'cut':
        path.write_bytes(path.read_bytes()[:-100])
    elif content == 'other':
        np.savez(path, keys=np.array([key], 'S'), vectors=np.ones((2, 3), np.float32))
    elif content == 'npy':
        with path.open('wb') as file:
            np.save(file, np.ones(3))
    else:
        np.savez(path, keys=np.array([key], object), vectors=np.ones((1, 3), 'f4'))
    with pytest.warns(
        UserWarning, match=r'a\.npz: it cannot be read .* computed again'
    ):
        cache = ImageCache(path)
    assert not len(cache)
    cache.update({key: np.ones(3)})
    assert ImageCache(path)[key].shape == (3,)


def test_other_lengths_are_refused_and_destroy_nothing(tmp_path, images):
    path = tmp_path / 'a.npz'
    keys = [image_key(image) for image in images]
    cache = ImageCache(path)
    cache.update({keys[0]: np.ones(3)})
    with pytest.raises(ValueError, match=r'\(3,\), \(4,\)'):
        cache.update({keys[1]: np.ones(4)})
    assert list(cache) == list(ImageCache(path)) == [keys[0]]
