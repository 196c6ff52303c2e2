"""What gives scores to aligned pairs: a network in PyTorch, or a file in ONNX Runtime.

Each has ``classes``, ``size`` (side of the aligned faces that it wants), ``color``, and
``scores(pairs)``; see :class:`Scorer`.
"""

import json
from pathlib import Path

import numpy as np

from mmcomp.crop import center_crop


class Scorer:
    """Gives scores to aligned pairs.

    Attributes:
        classes (tuple[str]): Names of the classes.
        size (int): Side of the aligned faces in pixels.
        color (str): 'grayscale' or 'color'.
    """

    classes: tuple[str, ...]
    size: int
    color: str

    def scores(self, pairs: np.ndarray) -> np.ndarray:
        """Scores ``(B, classes)`` of pairs ``(B, 2, C, size, size)``, uint8."""
        raise NotImplementedError

    def compared(self, pairs: np.ndarray) -> np.ndarray | None:
        """How strongly the comparison answers at each place, ``(B, h, w)``."""
        return None


class TorchScorer(Scorer):
    """A network in PyTorch.

    Args:
        model (BaseModel): As :func:`mmcomp.apis.model.load_model` gives it.
    """

    def __init__(self, model) -> None:
        from mmcomp.compat import config_of
        from mmcomp.config import alignment_of
        from mmcomp.models.deployed import DeployedNetwork

        self.model = model
        self.network = DeployedNetwork(model)
        self.classes = tuple(model.classes)
        alignment = alignment_of(config_of(model))
        self.size, self.color = alignment['size'], alignment['color']

    def scores(self, pairs: np.ndarray) -> np.ndarray:
        """See :class:`Scorer`."""
        import torch

        with torch.inference_mode():
            return self.network(self._tensor(pairs)).float().cpu().numpy()

    def compared(self, pairs: np.ndarray) -> np.ndarray | None:
        """Mean over channels of the compared map's size, for maps only."""
        import torch

        from mmcomp.models.comparisons import Comparison

        layers = [m for m in self.model.modules() if isinstance(m, Comparison)]
        seen = []
        handle = layers[0].register_forward_hook(lambda m, i, out: seen.append(out))
        try:
            with torch.inference_mode():
                self.model(self.model.data_preprocessor.normalize(self._tensor(pairs)))
        finally:
            handle.remove()
        maps = seen[0].abs().mean(1).float().cpu().numpy()
        return maps if maps.shape[-1] > 1 else None

    def _tensor(self, pairs: np.ndarray):
        import torch

        preprocessor = self.model.data_preprocessor
        pairs = torch.from_numpy(np.ascontiguousarray(pairs))
        pairs = pairs.to(preprocessor.device).float()
        if preprocessor.augment is not None:  # crops the centre
            pairs = preprocessor.augment(pairs, False)
        return pairs


class OnnxScorer(Scorer):
    """A file of tools/export.py, without PyTorch.

    Args:
        path: The ``.onnx`` file.

    Raises:
        ValueError: If it is missing, or was not exported by mmcomp.
    """

    def __init__(self, path) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise ValueError(
                "an .onnx file needs ONNX Runtime: pip install 'mmcomp[onnx]'"
            ) from None
        if not Path(path).is_file():
            raise ValueError(f'no such file: {path}')
        try:
            self.session = onnxruntime.InferenceSession(
                str(path), providers=['CPUExecutionProvider']
            )
        except Exception as error:  # onnxruntime has many kinds
            raise ValueError(f'{path} cannot be read as ONNX: {error}') from None
        meta = self.session.get_modelmeta().custom_metadata_map
        if 'classes' not in meta or 'align_size' not in meta:
            raise ValueError(f'{path} was not exported by mmcomp: no classes in it')
        self.classes = tuple(json.loads(meta['classes']))
        self.size, self.color = int(meta['align_size']), meta['align_color']
        self._side = json.loads(meta['input'])[-1]
        self._name = self.session.get_inputs()[0].name

    def scores(self, pairs: np.ndarray) -> np.ndarray:
        """See :class:`Scorer`."""
        crop = np.ascontiguousarray(center_crop(pairs, self._side), np.float32)
        return self.session.run(None, {self._name: crop})[0]


def make_scorer(model, pretrained: str | None, device=None) -> Scorer:
    """A scorer of whatever a user has.

    Args:
        model: An ``.onnx`` file, a config or its path, or a loaded network.
        pretrained: Checkpoint for a config.
        device: For PyTorch; defaults to a GPU if there is one.
    """
    if isinstance(model, Scorer):
        return model
    if isinstance(model, (str, Path)) and str(model).endswith('.onnx'):
        return OnnxScorer(model)
    from .model import load_model

    if not hasattr(model, 'data_preprocessor'):
        model = load_model(model, pretrained, device)
    return TorchScorer(model)
