"""The centre of images: one rounding for training, testing, export and deployment."""

from typing import Any, Protocol, TypeVar


class _Images(Protocol):
    @property
    def shape(self) -> Any: ...

    def __getitem__(self, index: Any, /) -> Any: ...


Images = TypeVar('Images', bound=_Images)


def center_corner(height: int, width: int, size: int) -> tuple[int, int]:
    """Return left and top, in pixels, of the central square of an image.

    An odd margin is halved as ``torchvision.transforms.CenterCrop`` does.

    Examples:
        >>> center_corner(48, 48, 44)
        (2, 2)

    Raises:
        ValueError: If the image is smaller than the square.
    """
    if min(height, width) < size:
        raise ValueError(
            f'images are {height}x{width} pixels; they must be at least {size}x{size}'
        )
    return round((width - size) / 2), round((height - size) / 2)


def center_crop(images: Images, size: int) -> Images:
    """Cut the central square out of arrays or tensors ``(..., H, W)``.

    Args:
        images: NumPy arrays or PyTorch tensors.
        size: Side of the square in pixels.

    Returns:
        A view of shape ``(..., size, size)``.

    Raises:
        ValueError: If the images are smaller.
    """
    left, top = center_corner(images.shape[-2], images.shape[-1], size)
    return images[..., top : top + size, left : left + size]
