"""Facial points and their motion, drawn."""

import cv2
import numpy as np
import pytest

from mmcomp.faces.landmark_table import PairLandmarks
from mmcomp.faces.landmarks import Landmarks
from mmcomp.features.shape import POINTS, STABLE
from mmcomp.visualization.landmarks import landmarks_figure

CORNERS = (33, 133, 362, 263)


def pair(fault='', turn=0):
    """A pair whose left corner of the mouth alone moves, by (2, -1) pixels."""
    onset = np.random.default_rng(0).uniform(10, 40, (468, 2))
    onset[list(CORNERS)] = [[10, 16], [18, 16], [30, 16], [38, 16]]
    matrix = cv2.getRotationMatrix2D((24, 24), turn, 1)
    onset = onset @ matrix[:, :2].T + matrix[:, 2]
    apex = onset.copy()
    apex[61] += (2, -1)
    own = (
        Landmarks(np.column_stack([points, np.zeros(468)]).astype(np.float32), 1.0)
        for points in (onset, apex)
    )
    made = PairLandmarks('a', *own)
    if fault:
        made = PairLandmarks('a', made.onset, Landmarks(made.apex.points, 0.1, fault))
    return made, onset


@pytest.mark.parametrize('turn', [0, 70, -120])
def test_arrows_are_the_motion_in_pixels_enlarged(turn):
    assert 61 not in STABLE
    made, onset = pair(turn=turn)
    figure = landmarks_figure(np.zeros((1, 2, 48, 48)), [made], ['caption'])
    (arrows,) = (
        collection
        for axes in figure.axes
        for collection in axes.collections
        if hasattr(collection, 'U')
    )
    expected = np.zeros((51, 2))
    expected[POINTS.index(61)] = 6, -3
    found = np.column_stack([arrows.U, arrows.V])
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(arrows.XY, onset[list(POINTS)], atol=1e-4)


def test_points_are_drawn_on_both_images_and_faults_written():
    made = [pair()[0], pair('landmarks: no face')[0], pair()[0]]
    figure = landmarks_figure(
        np.zeros((3, 2, 48, 48, 3)), made, ['one', 'two', 'three']
    )
    assert len(figure.axes) == 6
    for axes, own in zip(figure.axes[::2], made):
        drawn = axes.lines[1].get_xydata()
        np.testing.assert_allclose(drawn, own.onset.points[list(POINTS), :2])
    for axes, own in zip(figure.axes[1::2], made):
        drawn = axes.lines[1].get_xydata()
        np.testing.assert_allclose(drawn, own.apex.points[list(POINTS), :2])
    texts = [text.get_text() for text in figure.texts]
    assert texts.count('apex: no face') == 1
    assert {'one', 'two', 'three'} < set(texts)
