"""Export a network and check the file against PyTorch."""

import io
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.model import BaseModel

from mmcomp.compat import config_of
from mmcomp.config import alignment_of
from mmcomp.crop import center_crop
from mmcomp.faces import EYES
from mmcomp.files import replacing
from mmcomp.models.deployed import DeployedNetwork
from mmcomp.models.inspect import refuse_fitted
from mmcomp.version import __version__

FORMATS = ('onnx', 'torch-export', 'safetensors')
TOLERANCE = 1e-4
NOTE = (
    'A score is what the network learned from its training data, no fact about people.'
)


def export_model(
    model: BaseModel, out: str | Path, fmt: str, pairs: np.ndarray
) -> dict[str, float]:
    """Export a network to one file and check it on real pairs.

    The file maps pairs ``(B, 2, C, H, W)``, for any batch size, to scores
    ``(B, classes)``. It contains the normalisation and, for a stack, the SVM; its
    metadata hold class names, alignment and versions. It is written under another name
    and renamed once the check has passed.

    Args:
        model: As :func:`mmcomp.apis.model.load_model` returns it. It is moved to the
            CPU and put into evaluation mode.
        out: The file.
        fmt: 'onnx', 'torch-export' or 'safetensors' (weights alone).
        pairs: ``(N, 2, C, H, W)``, uint8, to check on.

    Returns:
        dict: ``difference``, the largest difference of a score from PyTorch's;
        ``bytes``; and ``latency``, the seconds for one pair.

    Raises:
        ValueError: If the format is unknown or not possible, the SVM of a stack is not
            fitted, or the difference is above 1e-4. Then nothing is written.
    """
    check_exportable(model, fmt)
    network = DeployedNetwork(model.cpu())
    pairs = _fit(pairs, network.input_shape)
    metadata = _metadata(model, network)
    out = Path(out)
    write, run = {
        'onnx': (_write_onnx, run_onnx),
        'torch-export': (_write_torch_export, _run_torch_export),
        'safetensors': (_write_safetensors, None),
    }[fmt]
    with replacing(out) as temporary:
        write(network, temporary, metadata)
        if run is None:
            run = _reloader(model)
        with torch.inference_mode():
            expected = network(torch.from_numpy(pairs)).numpy()
        given = np.concatenate([run(temporary, pairs[:1]), run(temporary, pairs[1:])])
        difference = float(np.abs(given - expected).max())
        if not difference <= TOLERANCE:
            raise ValueError(
                f'difference from PyTorch is {difference:.2g}; it must be at most '
                f'{TOLERANCE}. Nothing was written'
            )
        start = time.perf_counter()
        run(temporary, pairs[:1])
        latency = time.perf_counter() - start
    return dict(difference=difference, bytes=out.stat().st_size, latency=latency)


def check_exportable(model: BaseModel, fmt: str) -> None:
    """Check that a network can be written in a format.

    Raises:
        ValueError: If it cannot.
    """
    if fmt not in FORMATS:
        raise ValueError(
            f'format is {fmt!r}; it must be one of {", ".join(map(repr, FORMATS))}'
        )
    if fmt != 'safetensors':
        refuse_fitted(model, f'export to {fmt}')


def real_pairs(cfg, count: int = 32) -> np.ndarray:
    """Return test pairs of a config's data, ``(N, 2, C, H, W)``, uint8."""
    from mmengine.registry import init_default_scope

    from mmcomp.registry import DATASETS

    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    chosen = range(min(count, len(dataset)))
    return np.stack([dataset[i]['inputs'].numpy() for i in chosen])


def run_onnx(path, pairs: np.ndarray, session=None) -> np.ndarray:
    """Return the scores of pairs by ONNX Runtime."""
    import onnxruntime

    session = session or onnxruntime.InferenceSession(
        str(path), providers=['CPUExecutionProvider']
    )
    name = session.get_inputs()[0].name
    return session.run(None, {name: pairs.astype(np.float32)})[0]


def _fit(pairs: np.ndarray, shape: tuple) -> np.ndarray:
    """Crop the centre of pairs to the network's input."""
    if len(pairs) < 2:
        raise ValueError(
            f'number of pairs is {len(pairs)}; it must be at least 2 for the check'
        )
    return np.ascontiguousarray(center_crop(pairs, shape[-1]))


def _metadata(model: BaseModel, network: DeployedNetwork) -> dict[str, str]:
    alignment = alignment_of(config_of(model))
    return {
        'classes': json.dumps(list(model.classes)),
        'input': json.dumps(['B', 2, *network.input_shape]),
        'input_values': 'gray levels 0 to 255, onset first',
        'eyes': json.dumps(EYES.tolist()),
        'align_size': str(alignment['size']),
        'align_color': alignment['color'],
        'mmcomp': __version__,
        'torch': torch.__version__,
        'note': NOTE,
    }


def _program(network: DeployedNetwork):
    example = torch.zeros(3, 2, *network.input_shape)
    # Without a largest size, torch 2.7 finds the range of slices of the batch too wide.
    batch = torch.export.Dim('batch', min=1, max=2**31 - 1)
    shapes = ({0: batch},)
    return torch.export.export(network, (example,), dynamic_shapes=shapes, strict=False)


def _write_onnx(network: DeployedNetwork, path: Path, metadata: dict[str, str]) -> None:
    program: Any = torch.onnx.export(
        _program(network),
        dynamo=True,
        input_names=['pairs'],
        output_names=['scores'],
        verbose=False,
    )
    program.model.metadata_props.update(metadata)
    program.save(str(path), external_data=False)


def _write_torch_export(
    network: DeployedNetwork, path: Path, metadata: dict[str, str]
) -> None:
    extra = {'metadata.json': json.dumps(metadata)}
    buffer = io.BytesIO()  # its own errors of a full disk are not OSError
    torch.export.save(_program(network), buffer, extra_files=extra)
    path.write_bytes(buffer.getvalue())


def _run_torch_export(path: Path, pairs: np.ndarray) -> np.ndarray:
    with open(path, 'rb') as stream:
        module = torch.export.load(stream).module()
    with torch.inference_mode():
        return module(torch.from_numpy(pairs.astype(np.float32))).numpy()


def _write_safetensors(
    network: DeployedNetwork, path: Path, metadata: dict[str, str]
) -> None:
    from safetensors.torch import save

    state = {k: v.contiguous() for k, v in network.model.state_dict().items()}
    config = config_of(network.model).pretty_text
    path.write_bytes(save(state, metadata={**metadata, 'cfg': config}))


def _reloader(model: BaseModel):
    """Return a function that runs a file of weights in a copy of the network."""
    import copy

    from safetensors.torch import load_file

    def run(path: Path, pairs: np.ndarray) -> np.ndarray:
        other = copy.deepcopy(model)
        for tensor in other.state_dict().values():
            tensor.zero_()
        other.load_state_dict(load_file(path))
        with torch.inference_mode():
            return DeployedNetwork(other)(torch.from_numpy(pairs)).numpy()

    return run
