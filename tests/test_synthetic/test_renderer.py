"""Pictures: geometry, sides, and traps that would tell the class."""

from dataclasses import replace

import numpy as np
import pytest

from mmcomp.synthetic import EyeCrop, WideFrame, make_plan
from mmcomp.synthetic.framing import EYES
from mmcomp.synthetic.head import load_head
from mmcomp.synthetic.raster import rasterize
from mmcomp.synthetic.renderer import Renderer, lip_opening

BIG = EyeCrop(96)


@pytest.fixture(scope='module')
def renderer(identity):
    return Renderer(identity, oversampling=2)


def both(muscle, amount=1.0):
    return {f'{muscle}Left': amount, f'{muscle}Right': amount}


def test_rasterizer_agrees_with_brute_force():
    rng = np.random.default_rng(0)
    xy = rng.uniform(-3, 15, (30, 2)).round(1)
    nearness = rng.uniform(0.05, 0.1, 30)
    triangles = rng.integers(0, 30, (40, 3))
    found = rasterize(xy, nearness, triangles, (10, 12))
    best = np.zeros((10, 12))
    for corners in triangles:
        (ax, ay), (bx, by), (cx, cy) = xy[corners]
        matrix = np.array([[ax, bx, cx], [ay, by, cy], [1, 1, 1]])
        if np.linalg.det(matrix) >= -1e-9:  # turned away: clockwise with y up
            continue
        for row, column in np.ndindex(10, 12):
            weights = np.linalg.solve(matrix, [column + 0.5, row + 0.5, 1])
            if (weights >= 0).all():
                near = weights @ nearness[corners]
                best[row, column] = max(best[row, column], near)
    image = np.zeros(120)
    image[found.pixel] = found.nearness
    np.testing.assert_allclose(image.reshape(10, 12), best, atol=2e-4)
    np.testing.assert_allclose(found.weights.sum(axis=1), 1)


def test_mesh_is_closed_but_for_the_eyes_and_lashes():
    head = load_head()
    skin = head.triangles[head.part == 'skin']
    edges = skin[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    known = set(map(tuple, edges.tolist()))
    open_ends = {a for a, b in known if (b, a) not in known}
    assert head.vertices[list(open_ends), 1].max() < 3


def test_unknown_target_is_named():
    with pytest.raises(ValueError, match=r'noseLonger.*expression'):
        load_head().morph({'noseLonger': 1.0})


def test_composed_muscles_follow_their_names(identity):
    renderer, head = Renderer(identity), load_head()
    brow = (np.abs(head.brow_uv) < 1).all(axis=1)
    rest = renderer.pose({})[brow, 1].mean()
    assert renderer.pose(both('browDown'))[brow, 1].mean() < rest - 0.02
    assert renderer.pose({'browInnerUp': 1.0})[brow, 1].mean() > rest + 0.01


def test_eyes_lie_where_the_crop_says(renderer, still):
    eyes = np.array([[-0.31, -0.02], [0.33, 0.01]])
    for size in (48, 96):
        matrix = EyeCrop(size).matrix(eyes, still)
        mapped = eyes @ matrix[:, :2].T + matrix[:, 2]
        np.testing.assert_allclose(mapped, EYES * size)
        view = replace(still, eye_left_x=0.6)
        off = EyeCrop(size).matrix(eyes, view)
        mapped = eyes @ off[:, :2].T + off[:, 2]
        np.testing.assert_allclose(mapped[1] - EYES[1] * size, [0.6 * size / 48, 0])


def test_iris_is_seen_at_the_eye(renderer, still):
    image = renderer.render(both('eyeWide', 0.5), still, BIG).astype(float)
    for x, y in (EYES * 96).astype(int):
        spot = image[y - 1 : y + 2, x - 1 : x + 2].mean()
        assert spot < image[y + 12 : y + 15, x - 1 : x + 2].mean() - 40


def test_image_right_is_the_subjects_left(renderer, still):
    rest = renderer.render({}, still, BIG).astype(float)
    for muscle in ('mouthSmile', 'browDown', 'cheekSquint'):
        for side, half in (('Left', np.s_[:, 48:]), ('Right', np.s_[:, :48])):
            moved = renderer.render({muscle + side: 1.0}, still, BIG)
            change = np.abs(moved - rest)
            assert change[half].sum() > 0.8 * change.sum()


def test_lamp_on_the_subjects_left_lights_the_image_right(renderer, still):
    image = renderer.render({}, replace(still, light_x=0.7, light_z=0.7), BIG)
    face = image[30:80].astype(float)
    assert face[:, 55:80].mean() > face[:, 16:41].mean() + 10


@pytest.mark.parametrize(
    ('change', 'axis', 'sign'), [({'yaw': 8.0}, 1, 1), ({'pitch': 8.0}, 0, 1)]
)
def test_the_head_turns_where_the_view_says(renderer, still, change, axis, sign):
    """The nostrils, dark and in front of the eyes, show where the nose points."""

    def nose(view):
        image = renderer.render({}, view, BIG)[40:66, 30:66].astype(float)
        dark = np.clip(np.percentile(image, 10) - image, 0, None)
        return (dark * np.indices(dark.shape)[axis]).sum() / dark.sum()

    assert sign * (nose(replace(still, **change)) - nose(still)) > 0.8


def brow_height(image):
    """Mean row of the dark stripe above the eyes, in pixels of a 96 crop."""
    band = image[:22].astype(float)
    dark = np.clip(0.75 * np.median(image[40:60, 20:76]) - band, 0, None)
    columns = np.r_[18:38, 58:78]
    dark = dark[:, columns]
    return (dark * np.arange(22)[:, None]).sum() / dark.sum()


def test_painted_brows_move_with_the_skin(renderer, still):
    rest = brow_height(renderer.render({}, still, BIG))
    down = brow_height(renderer.render(both('browDown'), still, BIG))
    up = renderer.render({'browInnerUp': 1.0, **both('browOuterUp')}, still, BIG)
    assert down - rest > 1.5
    assert rest - brow_height(up) > 1.5


def spy_on_mouth(renderer, monkeypatch):
    """Records the albedo of teeth and tongue in each picture."""
    seen = []
    colour = renderer.paint.colour

    def record(part, *arguments):
        result = colour(part, *arguments)
        mouth = np.char.startswith(part, 'teeth') | (part == 'tongue')
        seen.append(result[0][mouth])
        return result

    monkeypatch.setattr(renderer.paint, 'colour', record)
    return seen


@pytest.mark.parametrize('subject', range(12))
def test_closed_lips_show_no_teeth(subset_plan, still, monkeypatch, subject):
    identity = list(subset_plan.identities.values())[subject]
    renderer = Renderer(identity)
    seen = spy_on_mouth(renderer, monkeypatch)
    for expression in (
        {},
        both('mouthPress'),
        both('mouthFrown'),
        both('mouthDimple'),
        {'mouthShrugLower': 1.0},
    ):
        if lip_opening(renderer.pose(expression)) < 0.01:
            renderer.render(expression, still)
            assert seen[-1].max(initial=0) <= 0.021
    renderer.render({'jawOpen': 0.3, **both('mouthUpperUp', 0.5)}, still)
    assert seen[-1].max() > 0.2
    assert len(seen) > 1


def test_no_background_shines_through_the_face(renderer, still):
    bright = replace(still, background=30.0)
    for expression in ({}, {'jawOpen': 0.6}, both('eyeBlink'), both('cheekSquint')):
        dark = renderer.render(expression, still, BIG)
        image = renderer.render(expression, bright, BIG)
        np.testing.assert_array_equal(image[10:80, 24:72], dark[10:80, 24:72])


def test_all_frames_of_a_plan_lie_in_range():
    plan = make_plan('tiny', level='hard')
    for subject, samples in list(plan.samples.items())[:3]:
        renderer = Renderer(plan.identities[subject])
        image = renderer.render(samples[0].activations('apex'), samples[0].apex)
        assert image.shape == (48, 48)
        assert image.dtype == np.uint8
        assert image.std() > 10


def test_noise_comes_from_its_source_alone(renderer, still):
    view = replace(still, noise=0.02)
    clean = renderer.render({}, view)
    np.testing.assert_array_equal(clean, renderer.render({}, view))
    one, other = (
        renderer.render({}, view, rng=np.random.default_rng(7)) for _ in range(2)
    )
    np.testing.assert_array_equal(one, other)
    assert (one.astype(float) - clean).std() == pytest.approx(0.02 * 255, rel=0.1)


def test_wide_frame_holds_the_whole_head(renderer, still):
    frame = WideFrame((120, 160), scale=32.0, centre=(80.0, 50.0))
    image = renderer.render({}, still, frame)
    assert image.shape == (120, 160)
    assert (image[:4] == image[0, 0]).all()
    assert (image[:50, :4] == image[0, 0]).all()
    # The shoulders leave the frame at the bottom, without a gap.
    assert (image[-1, 40:120] != image[0, 0]).all()
