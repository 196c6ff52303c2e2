"""Pages and PNG files."""

import base64
import re

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from mmcomp.visualization.page import Page, Picture, check_out, write_page


@pytest.fixture
def page():
    figures = [Figure(figsize=(2, 1), facecolor=color) for color in ('red', 'blue')]
    pictures = [
        Picture(name, figure, f'<{name}>') for name, figure in zip('ab', figures)
    ]
    return Page('a & b', pictures, ['a <note>'])


def decoded(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def test_an_html_page_holds_all_pictures_and_needs_no_other_file(page, tmp_path):
    (path,) = write_page(page, tmp_path / 'new' / 'page.html')
    text = path.read_text(encoding='utf-8')
    images = re.findall(r'src="data:image/png;base64,([^"]+)"', text)
    colors = [decoded(base64.b64decode(image))[5, 5].tolist() for image in images]
    assert colors == [[0, 0, 255], [255, 0, 0]]  # BGR
    assert text.count('src=') == 2
    assert 'http' not in text
    assert 'a &lt;note&gt;' in text
    assert '<note>' not in text


def test_several_pictures_get_names(page, tmp_path):
    paths = write_page(page, tmp_path / 'x.png')
    assert [path.name for path in paths] == ['x-a.png', 'x-b.png']
    assert decoded(paths[1].read_bytes())[5, 5].tolist() == [255, 0, 0]
    alone = Page('a', page.pictures[:1])
    assert write_page(alone, tmp_path / 'x.png') == [tmp_path / 'x.png']


def test_other_suffixes_are_refused():
    message = r"'x.gif'; it must end in one of .png, .pdf, .svg, .html"
    with pytest.raises(ValueError, match=message):
        check_out('x.gif')


@pytest.mark.parametrize(('suffix', 'start'), [('.pdf', b'%PDF'), ('.svg', b'<?xml')])
def test_pictures_for_print(page, tmp_path, suffix, start):
    paths = write_page(page, tmp_path / f'x{suffix}')
    assert [path.name for path in paths] == [f'x-a{suffix}', f'x-b{suffix}']
    assert all(path.read_bytes().startswith(start) for path in paths)
