"""Score aligned pairs: by a network in PyTorch, or by a file in ONNX Runtime.

PyTorch is imported when a network is used, so that ``.onnx`` files need none.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmcomp.classes import choose_classes, class_list
from mmcomp.crop import center_crop
from mmcomp.files import is_weights

if TYPE_CHECKING:
    from mmengine.model import BaseModel
    from torch import Tensor


class Scorer:
    """Base of what scores aligned pairs.

    Attributes:
        classes (tuple[str]): Names of the classes.
        size (int): Side of the aligned faces in pixels.
        color (str): 'grayscale' or 'color'.
    """

    classes: tuple[str, ...]
    size: int
    color: str

    def scores(self, pairs: np.ndarray) -> np.ndarray:
        """Return scores ``(B, classes)`` of pairs ``(B, 2, C, size, size)``, uint8."""
        raise NotImplementedError

    def compared(self, pairs: np.ndarray) -> np.ndarray | None:
        """Return the mean magnitude of the compared maps, ``(B, h, w)``, if known."""
        return None


class TorchScorer(Scorer):
    """Score pairs by a network in PyTorch.

    Args:
        model (BaseModel): As :func:`mmcomp.apis.model.load_model` returns it.

    Raises:
        ValueError: If a part of it that is fitted at once, as an SVM, is not fitted.
    """

    def __init__(self, model: BaseModel) -> None:
        from mmcomp.compat import config_of
        from mmcomp.config import alignment_of
        from mmcomp.models.inspect import check_fitted

        check_fitted(model)
        self.model = model
        self.classes = tuple(model.classes)
        alignment = alignment_of(config_of(model))
        self.size, self.color = alignment['size'], alignment['color']

    def scores(self, pairs: np.ndarray) -> np.ndarray:
        """See :class:`Scorer`."""
        from mmcomp.models.inspect import class_scores

        return class_scores(self.model, self._prepare(pairs)).float().cpu().numpy()

    def compared(self, pairs: np.ndarray) -> np.ndarray | None:
        """See :class:`Scorer`; None for a network that compares tokens, or nothing."""
        from mmcomp.models.inspect import compared_magnitude

        found = compared_magnitude(self.model, self._prepare(pairs))
        if found is None or found.shape[-1] == 1:
            return None
        return found.float().cpu().numpy()

    def _prepare(self, pairs: np.ndarray) -> Tensor:
        import torch

        from mmcomp.models.inspect import prepare_pairs

        return prepare_pairs(
            self.model, list(torch.from_numpy(np.ascontiguousarray(pairs)))
        )


class OnnxScorer(Scorer):
    """Score pairs by an exported file, without PyTorch.

    Args:
        path: The ``.onnx`` file.

    Raises:
        ValueError: If it is missing, or was not exported by mmcomp.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise ValueError(
                "an .onnx file needs ONNX Runtime: pip install 'mmcomp[runtime]'"
            ) from None
        if not Path(path).is_file():
            raise ValueError(f'{path}: no such file')
        try:
            self.session = onnxruntime.InferenceSession(
                str(path), providers=['CPUExecutionProvider']
            )
        except Exception as error:  # onnxruntime has many kinds
            raise ValueError(f'{path}: cannot be read as ONNX: {error}') from None
        meta = self.session.get_modelmeta().custom_metadata_map
        if 'classes' not in meta or 'align_size' not in meta:
            raise ValueError(f'{path}: not exported by mmcomp, as it has no classes')
        try:
            names = json.loads(meta['classes'])
            self.size, self.color = int(meta['align_size']), meta['align_color']
            self._side = int(json.loads(meta['input'])[-1])
        except (ValueError, KeyError, TypeError, IndexError, RecursionError):
            raise ValueError(f'{path}: its metadata are damaged') from None
        count = self.session.get_outputs()[0].shape[-1]
        self.classes = choose_classes(
            class_list(names, str(path)), None, count, str(path)
        )
        self._name = self.session.get_inputs()[0].name

    def scores(self, pairs: np.ndarray) -> np.ndarray:
        """See :class:`Scorer`."""
        crop = np.ascontiguousarray(center_crop(pairs, self._side), np.float32)
        return self.session.run(None, {self._name: crop})[0]


def make_scorer(model: Any, pretrained: str | None, device: Any = None) -> Scorer:
    """Return the scorer for a model.

    Args:
        model: An ``.onnx`` file, a config or its path, a checkpoint that holds its
            config, a loaded network, or a scorer.
        pretrained: Checkpoint for a config.
        device: For PyTorch; defaults to a GPU if there is one.
    """
    if isinstance(model, Scorer):
        return model
    if isinstance(model, (str, Path)) and str(model).endswith('.onnx'):
        return OnnxScorer(model)
    from .model import load_model

    if pretrained is None and is_weights(model):
        model = load_model(None, model, device)
    elif not hasattr(model, 'data_preprocessor'):
        model = load_model(model, pretrained, device)
    return TorchScorer(model)
