"""The picture of a prediction."""

from itertools import pairwise

import numpy as np
import pytest

from mmcomp.apis.picture import prediction_figure, prediction_picture

NAMES = ['overwhelmed by $ and $ of joy', 'fearfully disgusted', 'neutral', 'awed']


@pytest.mark.parametrize('count', [2, 3, 8])
def test_names_of_classes_are_whole_and_cover_nothing(count):
    names = [*NAMES, 'sadly angry', 'appalled', 'happily surprised', 'other'][:count]
    face = np.zeros((48, 48), np.uint8)
    scores = dict.fromkeys(names, 1 / count)
    figure = prediction_figure(face, face, np.ones((9, 9)), scores, 'a.mp4')
    figure.draw_without_rendering()
    labels = figure.axes[4].get_yticklabels()
    assert [label.get_text() for label in labels] == names
    boxes = [label.get_window_extent() for label in labels]
    assert not any(a.overlaps(b) for a, b in pairwise(boxes))
    left = min(box.x0 for box in boxes)
    assert left > figure.axes[3].get_window_extent().x1


def test_picture_is_bgr():
    face = np.zeros((48, 48, 3), np.uint8)
    face[..., 2] = 255
    picture = prediction_picture(face, face, None, dict(posed=0.4, other=0.6), 'a')
    middle = picture[picture.shape[0] // 2, 60]
    np.testing.assert_array_equal(middle, [0, 0, 255])
