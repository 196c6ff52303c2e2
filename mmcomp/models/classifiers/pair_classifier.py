"""PairClassifier: classify pairs."""

import torch
from mmpretrain.models import ImageClassifier

from mmcomp.models.inspect import evaluating
from mmcomp.registry import MODELS


@MODELS.register_module()
class PairClassifier(ImageClassifier):
    """MMPretrain's image classifier for pairs.

    It takes ``inputs`` of shape ``(B, 2, C, H, W)``. ``extract_feat(stage=...)`` gives
    the features of 'backbone' or 'neck' as a tuple, or of 'pre_logits' as a tensor.

    Args:
        backbone (dict | SiameseBackbone): See :class:`SiameseBackbone`.
        neck (dict, optional): A neck of MMPretrain, such as GlobalAveragePooling.
        head (dict, optional): A head, such as :class:`MLPClsHead`.
        data_preprocessor (dict, optional): :class:`PairDataPreprocessor` unless a type
            is given.
        **kwargs: See :class:`mmpretrain.models.ImageClassifier`.

    Raises:
        ValueError: If neck and head do not fit the backbone.
    """

    def __init__(
        self,
        backbone: dict,
        neck: dict | None = None,
        head: dict | None = None,
        data_preprocessor: dict | None = None,
        **kwargs,
    ) -> None:
        if data_preprocessor is None or isinstance(data_preprocessor, dict):
            data_preprocessor = {
                'type': 'mmcomp.PairDataPreprocessor',
                **(data_preprocessor or {}),
            }
        super().__init__(
            backbone,
            neck=neck,
            head=head,
            data_preprocessor=data_preprocessor,
            **kwargs,
        )
        self._check()

    def _check(self) -> None:
        """Check that neck and head fit the backbone."""
        shapes = getattr(self.backbone, 'out_shapes', None)
        if shapes is None or not self.with_head:
            return
        feats = tuple(torch.zeros(1, *shape) for shape in shapes)
        try:
            with torch.no_grad(), evaluating(self):
                self.head(self.neck(feats) if self.with_neck else feats)
        except (RuntimeError, ValueError, AssertionError) as error:
            given = ', '.join(map(str, shapes))
            raise ValueError(
                f'{type(self.head).__name__} does not fit: the backbone returns '
                f'{given} (without the batch): {error}'
            ) from error
