"""Small random changes of one image; wrap them in InStep for a pair."""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmcomp.registry import TRANSFORMS

Number = int | float


def _check_range(name: str, value: Number, high: float) -> None:
    if not isinstance(value, (int, float)) or not 0 <= value <= high:
        raise ValueError(f'{name} is {value!r}; it must be between 0 and {high}')


@TRANSFORMS.register_module()
class RandomAffine(BaseTransform):
    """Rotate, scale and shift an image a little about its centre.

    Bilinear, with the border reflected.

    **Modified Keys:** ``img``

    Args:
        max_rotate (float): Largest angle in degrees, either way. Defaults to 5.
        max_scale (float): Largest change of size as a fraction, either way.
            Defaults to 0.05.
        max_shift (float): Largest shift in pixels, either way, along each axis.
            Defaults to 1.
    """

    def __init__(
        self, max_rotate: Number = 5, max_scale: float = 0.05, max_shift: Number = 1
    ) -> None:
        _check_range('max_rotate', max_rotate, 180)
        _check_range('max_scale', max_scale, 0.9)
        _check_range('max_shift', max_shift, float('inf'))
        self.max_rotate = max_rotate
        self.max_scale = max_scale
        self.max_shift = max_shift

    @cache_randomness
    def random_params(self) -> tuple[float, float, float, float]:
        """Angle in degrees, scale factor, shifts along x and y in pixels."""
        angle, scale, dx, dy = np.random.uniform(-1, 1, 4)
        return (
            angle * self.max_rotate,
            1 + scale * self.max_scale,
            dx * self.max_shift,
            dy * self.max_shift,
        )

    def transform(self, results: dict) -> dict:
        """Transform ``img``."""
        image = results['img']
        angle, scale, dx, dy = self.random_params()
        height, width = image.shape[:2]
        center = ((width - 1) / 2, (height - 1) / 2)
        matrix = cv2.getRotationMatrix2D(center, angle, scale)
        matrix[:, 2] += dx, dy
        results['img'] = cv2.warpAffine(
            image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101
        )
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(max_rotate={self.max_rotate}, '
            f'max_scale={self.max_scale}, max_shift={self.max_shift})'
        )


@TRANSFORMS.register_module()
class RandomBrightnessContrast(BaseTransform):
    """Change brightness and contrast of an image: ``contrast * img + brightness``.

    **Modified Keys:** ``img``

    Args:
        max_brightness (float): Largest change in gray levels, either way.
            Defaults to 16.
        max_contrast (float): Largest change of contrast as a fraction, either way.
            Defaults to 0.1.
    """

    def __init__(self, max_brightness: Number = 16, max_contrast: float = 0.1) -> None:
        _check_range('max_brightness', max_brightness, 255)
        _check_range('max_contrast', max_contrast, 1)
        self.max_brightness = max_brightness
        self.max_contrast = max_contrast

    @cache_randomness
    def random_params(self) -> tuple[float, float]:
        """Shift in gray levels, and factor."""
        brightness, contrast = np.random.uniform(-1, 1, 2)
        return brightness * self.max_brightness, 1 + contrast * self.max_contrast

    def transform(self, results: dict) -> dict:
        """Transform ``img``."""
        brightness, contrast = self.random_params()
        levels = np.arange(256) * contrast + brightness
        table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
        results['img'] = cv2.LUT(results['img'], table)
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(max_brightness={self.max_brightness}, '
            f'max_contrast={self.max_contrast})'
        )


@TRANSFORMS.register_module()
class RandomErase(BaseTransform):
    """Cover a rectangle with the mean gray (or colour) of the image.

    MMPretrain's RandomErasing takes images of three channels only.

    **Modified Keys:** ``img``

    Args:
        prob (float): How often. Defaults to 0.5.
        min_size (int): Smallest side in pixels. Defaults to 4.
        max_size (int): Largest side in pixels. Defaults to 16.
    """

    def __init__(
        self, prob: float = 0.5, min_size: int = 4, max_size: int = 16
    ) -> None:
        _check_range('prob', prob, 1)
        if not 1 <= min_size <= max_size:
            raise ValueError(
                f'min_size {min_size} and max_size {max_size} must be in order, from 1'
            )
        self.prob = prob
        self.min_size = min_size
        self.max_size = max_size

    @cache_randomness
    def random_params(self, height: int, width: int) -> tuple[bool, int, int, int, int]:
        """Whether to cover, and top, left, height and width of what."""
        cover = np.random.rand() < self.prob
        sides = np.random.randint(self.min_size, self.max_size + 1, 2)
        h, w = np.minimum(sides, (height, width))
        top = np.random.randint(0, height - h + 1)
        left = np.random.randint(0, width - w + 1)
        return cover, top, left, h, w

    def transform(self, results: dict) -> dict:
        """Transform ``img``."""
        image = results['img']
        cover, top, left, h, w = self.random_params(*image.shape[:2])
        if cover:
            image = image.copy()
            image[top : top + h, left : left + w] = image.mean((0, 1))
            results['img'] = image
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(prob={self.prob}, min_size={self.min_size}, '
            f'max_size={self.max_size})'
        )
