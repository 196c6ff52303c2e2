"""ShiftApex: move the apex, to test how robust a network is to misalignment."""

import zlib

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmcomp.columns import ID
from mmcomp.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ShiftApex(BaseTransform):
    """Shift the apex image by a fixed distance, as a faulty alignment would.

    The direction is random, but derived from the sample's id: it is the same in each
    run. Bilinear, with the border reflected.

    **Required Keys:** ``img`` (list of onset and apex), ``sample_id``

    **Modified Keys:** ``img``

    Args:
        pixels (float): The distance. 0 changes nothing.
    """

    def __init__(self, pixels: float) -> None:
        if pixels < 0:
            raise ValueError(f'pixels is {pixels}; it must be at least 0')
        self.pixels = pixels

    def transform(self, results: dict) -> dict:
        """Shift the apex."""
        if not self.pixels:
            return results
        onset, apex = results['img']
        fraction = zlib.crc32(str(results[ID]).encode()) / 2**32
        angle = 2 * np.pi * fraction
        shift = self.pixels * np.array([np.cos(angle), np.sin(angle)])
        matrix = np.column_stack([np.eye(2), shift])
        height, width = apex.shape[:2]
        moved = cv2.warpAffine(
            apex, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101
        )
        results['img'] = [onset, moved]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(pixels={self.pixels})'
