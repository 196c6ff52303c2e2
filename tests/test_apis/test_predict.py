"""PairInferencer and the command, with a network of one line in ONNX."""

import csv
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from mmcomp.apis import PairInferencer
from mmcomp.cli.predict import error_lines, main, make_parser, parse_args
from mmcomp.faces import align_face
from mmcomp.synthetic import WideFrame, render_clip

CLASSES = ('posed', 'spontaneous')


@pytest.fixture(scope='module')
def network(tmp_path_factory):
    """A file as ``mmcomp export`` writes it, with random weights."""
    onnx = pytest.importorskip('onnx')
    pytest.importorskip('onnxruntime')
    from onnx import helper, numpy_helper

    rng = np.random.default_rng(0)
    weights = rng.normal(0, 1e-3, (2 * 44 * 44, 2)).astype(np.float32)
    nodes = [
        helper.make_node('Flatten', ['pairs'], ['flat']),
        helper.make_node('MatMul', ['flat', 'weights'], ['logits']),
        helper.make_node('Softmax', ['logits'], ['scores']),
    ]
    shapes = {'pairs': ['n', 2, 1, 44, 44], 'scores': ['n', 2]}
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    ]
    graph = helper.make_graph(
        nodes,
        'network',
        ends[:1],
        ends[1:],
        [numpy_helper.from_array(weights, 'weights')],
    )
    opset = [helper.make_opsetid('', 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    meta = {'classes': CLASSES, 'align_size': 48, 'input': [2, 1, 44, 44]}
    meta = {key: json.dumps(value) for key, value in meta.items()}
    helper.set_model_props(model, {**meta, 'align_color': 'grayscale'})
    path = tmp_path_factory.mktemp('network') / 'network.onnx'
    onnx.save(model, path)
    return path


@pytest.fixture(scope='module')
def frames():
    """The last eight frames of a rendered smile."""
    clip = render_clip(
        'happiness',
        'posed',
        seed=5,
        fps=5,
        seconds=2,
        framing=WideFrame((150, 180), 45, (90, 62)),
    )
    return list(clip)[-8:]


@pytest.fixture
def faces(tmp_path, make_pair_table):
    """A table of 16 aligned pairs with labels."""
    return make_pair_table(tmp_path, subjects=4, pairs=2)


def test_defaults_are_those_of_the_command(network):
    args = make_parser().parse_args(['x.onnx', '--out', 'x'])
    settings = PairInferencer(network).settings
    assert (settings.several, settings.by, settings.limit) == (
        args.several,
        args.align_by,
        args.limit,
    )


def test_eight_threads_get_what_one_gets(network, frames):
    """Each with pictures of its own, through detection and ONNX Runtime."""
    infer = PairInferencer(network)
    pairs = [
        (np.roll(frames[0], i, axis=1), np.roll(frame, -i - 1, axis=1))
        for i, frame in enumerate(frames)
    ]
    expected = [infer([pair]) for pair in pairs]
    assert all(result['success'] for (result,) in expected)
    scores = [result['pred_score'] for (result,) in expected]
    assert len(set(scores)) == len(scores)
    barrier = threading.Barrier(8)

    def work(pair):
        barrier.wait()
        return [infer([pair]) for _ in range(3)]

    with ThreadPoolExecutor(8) as pool:
        for found, one in zip(pool.map(work, pairs), expected):
            assert found == [one] * 3


def test_the_eyes_of_a_table_are_used(network, frames, tmp_path):
    """As prepare does, and instead of those that the detector finds."""
    paths = [tmp_path / 'onset.png', tmp_path / 'apex.png']
    for path, frame in zip(paths, (frames[0], frames[-1])):
        cv2.imwrite(str(path), frame)
    eyes = '60 70 120 76', '61 70 119 75'
    table = tmp_path / 'pairs.csv'
    table.write_text(
        'sample_id,onset,apex,onset_eyes,apex_eyes\n'
        f'given,onset.png,apex.png,{eyes[0]},{eyes[1]}\n'
        'bad,onset.png,apex.png,1 2 3,\n'
    )
    given, bad = PairInferencer(network)(table)
    images = tuple(
        align_face(frame, np.array(cell.split(), float).reshape(2, 2))
        for frame, cell in zip((frames[0], frames[-1]), eyes)
    )
    (expected,) = PairInferencer(network, aligned=True)(images)
    assert given['pred_scores'] == expected['pred_scores']
    assert given['onset_face_score'] is None
    assert bad['reason'].startswith("onset_eyes: eyes is '1 2 3'; it must be four")
    assert not bad['success']


def test_what_is_no_pair_is_a_row(network, frames, tmp_path):
    photo = tmp_path / 'IMG_0001.png'
    cv2.imwrite(str(photo), frames[0])
    photos = tmp_path / 'photos'
    photos.mkdir()
    cv2.imwrite(str(photos / 'anna.png'), frames[0])
    results = PairInferencer(network)(
        [tmp_path / 'none.mp4', photo, (photo, photo), photos]
    )
    assert not any(result['success'] for result in results)
    assert [result['reason'] for result in results] == [
        "'none.mp4': no such file or folder",
        "'IMG_0001.png' is a photo; a clip is a video or a folder of frames, and "
        'photos are given in pairs, onset and apex',
        'onset and apex are the same picture, pixel for pixel',
        "the name of frame 'anna.png' has no number",
    ]
    assert results[3]['notes'].endswith('photos are given in pairs, onset and apex')
    face = np.zeros((48, 48), np.uint8)
    (aligned,) = PairInferencer(network, aligned=True)((face, face))
    assert aligned['reason'] == results[2]['reason']


def run(capsys, *args):
    """Standard output and error of the command, and its error, if any."""
    try:
        main([*map(str, args)])
        error = ''
    except ValueError as found:
        error = str(found)
    return (*capsys.readouterr(), error)


def test_json_lines(network, faces, capsys):
    """To standard output, and nothing else there; for generators of such lines, too."""
    out, said, error = run(capsys, network, faces, '--aligned', '--out', '-')
    assert error == ''
    found = [json.loads(line) for line in out.splitlines()]
    expected = PairInferencer(network, aligned=True)(faces)
    assert found == expected
    assert len(found) == 16
    assert 'error: ' in said
    out, said, _ = run(capsys, network, faces, '--aligned', '--out', '-', '--quiet')
    assert (len(out.splitlines()), said) == (16, '')
    with pytest.raises(SystemExit):
        main([str(network), str(faces), '--out', '-', '--pictures'])


def test_table_and_error(network, faces, tmp_path, capsys):
    """Labels and subjects are kept; names with commas, quotes and lines come back."""
    rows = list(csv.reader(faces.open(newline='')))
    rows[1][0], rows[2][0], rows[3][0] = 'a,b', 'say "x"\nand y', 'a;b'
    rows[16][2] = 'none.png'
    with faces.open('w', newline='') as stream:
        csv.writer(stream).writerows(rows)
    out, _, error = run(
        capsys, network, faces, '--aligned', '--out', tmp_path / 'out', '--pictures'
    )
    assert error == ''
    with (tmp_path / 'out' / 'predictions.csv').open(newline='') as stream:
        table = list(csv.DictReader(stream))
    assert [row['input'] for row in table] == [row[0] for row in rows[1:]]
    assert [row['subject'] for row in table] == [row[1] for row in rows[1:]]
    assert [row['label'] for row in table] == [row[4] for row in rows[1:]]
    assert table[0]['onset'] == str(tmp_path / rows[1][2])
    assert table[15]['success'] == 'False'
    assert table[15]['pred_class'] == table[15]['score_posed'] == ''
    wrong = sum(row['pred_class'] != row['label'] for row in table[:15])
    assert f'error: {100 * wrong / 15:.2f} % ({wrong} of 15)\n' in out
    assert 'not counted: 1 without a prediction\n' in out
    pictures = [row['picture'] for row in table[:15]]
    assert len(set(pictures)) == 15 == len([*(tmp_path / 'out/pictures').iterdir()])
    for row in table[:15]:
        assert float(row['score_posed']) + float(row['score_spontaneous']) == (
            pytest.approx(1, abs=1e-5)
        )


def test_error_lines():
    def result(label, pred_class):
        return dict(label=label, pred_class=pred_class, success=pred_class is not None)

    results = [
        result('posed', 'posed'),
        result('posed', 'spontaneous'),
        result('spontaneous', 'spontaneous'),
        result('spontaneous', None),
        result('smile', 'posed'),
        result(None, 'posed'),
    ]
    assert error_lines(results, CLASSES) == [
        'error: 33.33 % (1 of 3)',
        'not counted: 1 without a prediction',
        "not counted: 1 with a label that is none of the network's classes, such as "
        "'smile'",
    ]
    assert error_lines(results[5:], CLASSES) == []


def test_nothing_predicted_is_an_error(network, tmp_path, capsys):
    table = tmp_path / 'clips.csv'
    table.write_text('clip,onset_frame\nnone.mp4,\nnone.mp4,3\n')
    args = network, table, tmp_path / 'none.mp4', '--out', tmp_path / 'out'
    out, _, error = run(capsys, *args)
    assert error == 'none of 3 inputs could be predicted'
    assert "line 2: no prediction: 'none.mp4': no such file" in out
    with (tmp_path / 'out' / 'predictions.csv').open(newline='') as stream:
        assert [r['input'] for r in csv.DictReader(stream)] == [
            'line 2', 'line 3', 'none.mp4',
        ]  # fmt: skip
    out, said, error = run(capsys, *args, '--quiet')
    assert (out, said, bool(error)) == ('', '', True)


@pytest.mark.parametrize(
    ('words', 'model', 'checkpoint', 'inputs'),
    [
        ('a.py c.pth --limit .1 v.mp4', 'a.py', 'c.pth', ['v.mp4']),
        ('--limit .1 a.py --quiet c.pth v w/', 'a.py', 'c.pth', ['v', 'w/']),
        ('c.pth v.mp4', 'c.pth', None, ['v.mp4']),
        ('c.safetensors --limit .1 v.mp4', 'c.safetensors', None, ['v.mp4']),
        ('net.onnx v.mp4 --limit .1', 'net.onnx', None, ['v.mp4']),
        ('compcnn_comb@2 c.pth v.mp4', 'compcnn_comb@2', 'c.pth', ['v.mp4']),
    ],
)  # fmt: skip
def test_options_may_be_anywhere_and_a_checkpoint_needs_no_config(
    words, model, checkpoint, inputs
):
    args = parse_args([*words.split(), '--out', 'x'], None)
    assert (args.model, args.checkpoint, args.inputs) == (model, checkpoint, inputs)
    assert args.limit == (0.1 if '.1' in words else 0.4)
