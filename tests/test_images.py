"""Decoding of image files, and figures as files."""

import struct
import time
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from mmcomp.datasets import LoadPair
from mmcomp.faces import UnreadableError, read_image
from mmcomp.figures import FORMATS, check_format, encode_figure
from mmcomp.images import MAX_PIXELS, decode_image


def png_of_zeros(width, height, rows=None):
    """A PNG whose pixels are all black, of which only some rows may be there."""

    def chunk(kind, data):
        whole = kind + data
        return (
            struct.pack('>I', len(data)) + whole + struct.pack('>I', zlib.crc32(whole))
        )

    header = struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)
    packer, row = zlib.compressobj(9), bytes(width + 1)
    data = b''.join(
        [
            *(packer.compress(row) for _ in range(height if rows is None else rows)),
            packer.flush(),
        ]
    )
    parts = (b'IHDR', header), (b'IDAT', data), (b'IEND', b'')
    return b'\x89PNG\r\n\x1a\n' + b''.join(chunk(*part) for part in parts)


@pytest.mark.parametrize('suffix', ['.bmp', '.jpg', '.pgm', '.png', '.tif', '.webp'])
@pytest.mark.parametrize('color', [True, False])
def test_decoding_is_that_of_opencv(suffix, color):
    image = np.random.default_rng(0).integers(0, 256, (9, 12, 3)).astype(np.uint8)
    image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if suffix == '.pgm' else image
    data = cv2.imencode(suffix, image)[1]
    flag = cv2.IMREAD_COLOR if color else cv2.IMREAD_GRAYSCALE
    found = decode_image(data.tobytes(), color)
    np.testing.assert_array_equal(found, cv2.imdecode(data, flag))


def test_too_many_pixels_are_refused_before_memory_is_taken(tmp_path):
    """30,000 x 30,000 pixels in a file of less than a megabyte."""
    file = tmp_path / 'large.png'
    file.write_bytes(png_of_zeros(30_000, 30_000, rows=1))
    tracemalloc.start()
    start = time.process_time()
    with pytest.raises(
        UnreadableError, match=r"'large.png': the image has more than 1"
    ):
        read_image(file)
    with pytest.raises(ValueError, match='more than 100 million pixels; make it'):
        LoadPair().load(str(file))
    assert time.process_time() - start < 1
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_the_limit_of_pixels(monkeypatch):
    data = png_of_zeros(20, 10)
    monkeypatch.setattr('mmcomp.images.MAX_PIXELS', 200)
    assert decode_image(data, color=False).shape == (10, 20)
    monkeypatch.setattr('mmcomp.images.MAX_PIXELS', 199)
    with pytest.raises(ValueError, match='more than'):
        decode_image(data)
    assert MAX_PIXELS > 12_000 * 8_000  # a photo of the largest phones


@pytest.mark.parametrize('data', [b'', b'no image', png_of_zeros(9, 9)[:40]])
def test_what_is_no_image(data):
    with pytest.raises(ValueError, match=r'empty|not an image, or damaged'):
        decode_image(data)


def test_a_cut_jpeg_is_refused_wherever_it_is_read(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    data = cv2.imencode('.jpg', noise)[1].tobytes()
    file = tmp_path / 'cut.jpg'
    file.write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableError, match=r"'cut.jpg': not an image, or damaged"):
        read_image(file)


@pytest.mark.parametrize(('suffix', 'start'), [
    ('.png', b'\x89PNG'), ('.pdf', b'%PDF'), ('.svg', b'<?xml'),
])  # fmt: skip
def test_formats_of_figures(suffix, start):
    assert suffix in FORMATS
    figure = Figure()
    figure.subplots().plot([0, 1])
    found = [encode_figure(figure, suffix) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0].startswith(start)


def test_other_formats_are_refused():
    message = r"out is 'a.gif'; it must end in one of .png, .pdf, .svg, .html"
    with pytest.raises(ValueError, match=message):
        check_format('a.gif', ('.html',))
