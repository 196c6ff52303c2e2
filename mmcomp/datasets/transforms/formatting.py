"""Packing a pair for the network."""

from collections.abc import Sequence

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmpretrain.structures import DataSample

from mmcomp.columns import ID, SUBJECT
from mmcomp.datasets.pair_table import ROW_POSITION
from mmcomp.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PackPairInputs(BaseTransform):
    """Pack a pair and its label.

    **Required Keys:** ``img`` (list of two np.ndarray or torch.Tensor of one shape);
    ``gt_label`` is optional

    **Deleted Keys:** all

    **Added Keys:**

    - inputs (torch.Tensor): ``(2, C, H, W)``, onset first, channels in the order in
      which they were loaded.
    - data_samples (:class:`mmpretrain.structures.DataSample`): ``gt_label`` and, as
      meta keys, ``sample_id``, ``subject``, ``sample_idx`` and those asked for.

    Args:
        meta_keys (Sequence[str]): Further keys to keep, such as a column of the pair
            table; those that a sample lacks are left out.

    Raises:
        ValueError: If the images differ in shape.
    """

    def __init__(self, meta_keys: Sequence[str] = ()) -> None:
        self.meta_keys = tuple(dict.fromkeys((ID, SUBJECT, 'sample_idx', *meta_keys)))

    def transform(self, results: dict) -> dict:
        """Pack the pair."""
        onset, apex = (_to_chw(image) for image in results['img'])
        if onset.shape != apex.shape:
            raise ValueError(
                f'pair {results.get(ID, "?")!r} '
                f'({results.get(ROW_POSITION, "no table")}): '
                f'onset {tuple(onset.shape)} and apex {tuple(apex.shape)} (C, H, W) '
                'differ; resize or align them'
            )
        sample = DataSample()
        if 'gt_label' in results:
            sample.set_gt_label(results['gt_label'])
        sample.set_metainfo({k: results[k] for k in self.meta_keys if k in results})
        return dict(inputs=torch.stack([onset, apex]), data_samples=sample)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(meta_keys={self.meta_keys})'


def _to_chw(image) -> torch.Tensor:
    """Turn an array ``(H, W)`` or ``(H, W, C)`` into ``(C, H, W)``; keep a tensor."""
    if isinstance(image, torch.Tensor):
        return image
    image = np.asarray(image)
    image = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(image))
