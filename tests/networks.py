"""An exported network that needs no PyTorch, not even to be made."""

import json

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save


def write_constant_network(path, scores, size=48, side=44):
    """Write an ``.onnx`` file as ``mmcomp export`` does, with the same answer to all.

    Args:
        path: The file.
        scores: The answer: a score for each class, by its name.
        size: Side of the aligned faces in pixels.
        side: Side of what the network takes of them.
    """
    shape = [2, 1, side, side]
    weights = {
        'zeros': np.zeros((np.prod(shape), len(scores)), np.float32),
        'answer': np.array(list(scores.values()), np.float32),
    }
    graph = helper.make_graph(
        [
            helper.make_node('Flatten', ['pairs'], ['flat']),
            helper.make_node('MatMul', ['flat', 'zeros'], ['nothing']),
            helper.make_node('Add', ['nothing', 'answer'], ['scores']),
        ],
        'constant',
        [helper.make_tensor_value_info('pairs', TensorProto.FLOAT, ['B', *shape])],
        [helper.make_tensor_value_info('scores', TensorProto.FLOAT, ['B', None])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    opset = [helper.make_opsetid('', 17)]
    model = helper.make_model(graph, ir_version=8, opset_imports=opset)
    helper.set_model_props(
        model,
        dict(
            classes=json.dumps(list(scores)),
            input=json.dumps(shape),
            align_size=str(size),
            align_color='grayscale',
        ),
    )
    save(model, str(path))
    return path
