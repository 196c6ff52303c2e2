"""Loading a pair of images from disk."""

from pathlib import Path

import numpy as np
from mmcv.transforms import BaseTransform

from mmcomp.columns import APEX, ONSET
from mmcomp.images import decode_image
from mmcomp.registry import TRANSFORMS

COLOR_TYPES = ('grayscale', 'color')
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
            ValueError: As :func:`mmcomp.images.decode_image` does.
            OSError: If it cannot be read.
        """
        data = Path(path).read_bytes()  # cv2.imread fails on some non-ASCII paths
        return decode_image(data, self.color_type == 'color')

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
