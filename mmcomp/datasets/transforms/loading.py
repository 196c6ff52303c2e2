"""Loading a pair of images from disk."""

from pathlib import Path

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmcomp.columns import APEX, ONSET
from mmcomp.registry import TRANSFORMS

COLOR_TYPES = {'grayscale': cv2.IMREAD_GRAYSCALE, 'color': cv2.IMREAD_COLOR}
#: Key of images that a dataset keeps in memory.
DECODED = 'decoded'


@TRANSFORMS.register_module()
class LoadPair(BaseTransform):
    """Load the onset and the apex image.

    **Required Keys:** ``onset``, ``apex`` (paths), or ``decoded`` (tuple of two images)

    **Deleted Keys:** ``decoded``

    **Added Keys:**

    - img (list[np.ndarray]): onset and apex, uint8, each of shape ``(H, W)`` in gray
      or ``(H, W, 3)`` as BGR in colour.
    - img_shape, ori_shape (tuple): ``(H, W)`` of the onset.

    A subclass overrides :meth:`load`, which is called once an image where a dataset
    keeps images in memory, or :meth:`pack`, which is called for each sample.

    Args:
        color_type (str): 'grayscale' or 'color'. Defaults to 'grayscale'.
    """

    def __init__(self, color_type: str = 'grayscale') -> None:
        if color_type not in COLOR_TYPES:
            raise ValueError(
                f'color_type is {color_type!r}; it must be one of '
                f'{", ".join(map(repr, COLOR_TYPES))}'
            )
        self.color_type = color_type

    def __eq__(self, other) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), self.color_type))

    def load(self, path: str) -> np.ndarray:
        """Decode one image file.

        Raises:
            ValueError: If the file holds no image that OpenCV can decode.
            OSError: If it cannot be read.
        """
        data = Path(path).read_bytes()  # cv2.imread fails on some non-ASCII paths
        if not data:
            raise ValueError('the file is empty')
        flag = COLOR_TYPES[self.color_type]
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
        if image is None or _is_cut_jpeg(data):
            raise ValueError('not an image, or damaged')
        return image

    def pack(self, results: dict, images: tuple[np.ndarray, np.ndarray]) -> dict:
        """Add a pair of decoded images to the results, as :meth:`transform` does."""
        results['img'] = list(images)
        results['img_shape'] = results['ori_shape'] = images[0].shape[:2]
        return results

    def transform(self, results: dict) -> dict:
        """Load both images, unless they are decoded already."""
        images = results.pop(DECODED, None)
        if images is None:
            images = self.load(results[ONSET]), self.load(results[APEX])
        return self.pack(results, images)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(color_type={self.color_type!r})'


def _is_cut_jpeg(data: bytes) -> bool:
    """Return whether a JPEG lacks its end, which OpenCV 4 silently fills with gray."""
    if not data.startswith(b'\xff\xd8'):
        return False
    at = 2  # Past the headers, as a preview among them has an end marker of its own.
    while data[at : at + 1] == b'\xff' and data[at + 1 : at + 2] != b'\xda':
        filler = data[at + 1 : at + 2] == b'\xff'
        at += 1 if filler else 2 + int.from_bytes(data[at + 2 : at + 4], 'big')
    return b'\xff\xd9' not in data[at:]
