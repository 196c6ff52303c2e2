"""PairAugment: small random changes of batches, the same for both images of a pair."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcomp.crop import center_corner, center_crop
from mmcomp.registry import MODELS

Number = int | float


def affine_crop(
    pairs: Tensor,
    size: int,
    rotate: Tensor,
    scale: Tensor,
    shift: Tensor,
    corner: Tensor,
    flip: Tensor,
) -> Tensor:
    """Rotate, scale, shift, crop and mirror in one bilinear sampling.

    Rotation and scaling are about the centre; the border is reflected.

    Args:
        pairs (Tensor): ``(B, 2, C, H, W)``, float.
        size (int): Side of the crop in pixels.
        rotate (Tensor): ``(B,)``, degrees, counter-clockwise.
        scale (Tensor): ``(B,)``, factors.
        shift (Tensor): ``(B, 2)``, pixels along x and y.
        corner (Tensor): ``(B, 2)``, left and top of the crop.
        flip (Tensor): ``(B,)``, whether to mirror.

    Returns:
        Tensor: ``(B, 2, C, size, size)``.
    """
    count, _, channels, height, width = pairs.shape
    center = pairs.new_tensor([(width - 1) / 2, (height - 1) / 2])
    angle = torch.deg2rad(rotate)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    inverse = torch.stack([cos, -sin, sin, cos], 1).view(-1, 2, 2)
    steps = torch.arange(size, dtype=pairs.dtype, device=pairs.device)
    x = torch.where(flip[:, None], size - 1 - steps, steps) + corner[:, :1]
    y = (steps + corner[:, 1:]).expand(count, size)
    positions = torch.stack(
        [x[:, None, :].expand(-1, size, -1), y[:, :, None].expand(-1, -1, size)], -1
    )
    moved = positions - center - shift[:, None, None]
    source = torch.einsum('bij,bhwj->bhwi', inverse, moved) + center
    grid = 2 * source / pairs.new_tensor([width - 1, height - 1]) - 1
    sampled = F.grid_sample(
        pairs.flatten(1, 2), grid, padding_mode='reflection', align_corners=True
    )
    return sampled.unflatten(1, (2, channels))


def erase(pairs: Tensor, corner: Tensor, sides: Tensor, chosen: Tensor) -> Tensor:
    """Cover a rectangle of both images with the mean of each image.

    Args:
        pairs (Tensor): ``(B, 2, C, H, W)``, float.
        corner (Tensor): ``(B, 2)``, left and top.
        sides (Tensor): ``(B, 2)``, width and height.
        chosen (Tensor): ``(B,)``, whether to cover it in this pair.

    Returns:
        Tensor: Of the same shape.
    """
    x = torch.arange(pairs.shape[-1], device=pairs.device)
    y = torch.arange(pairs.shape[-2], device=pairs.device)
    low, high = corner, corner + sides
    inside_x = (x >= low[:, :1]) & (x < high[:, :1]) & chosen[:, None]
    inside_y = (y >= low[:, 1:]) & (y < high[:, 1:])
    mask = (inside_y[:, :, None] & inside_x[:, None, :])[:, None, None]
    return torch.where(mask, pairs.mean((-2, -1), keepdim=True), pairs)


@MODELS.register_module()
class PairAugment(nn.Module):
    """Augment a batch of pairs for training; crop its centre otherwise.

    It works on whole batches and on their device, which takes a tenth of the time of
    transforms of single images. Both images of a pair get the same changes.

    Args:
        crop_size (int): Side of the network's input in pixels.
        max_rotate (float): Largest angle in degrees, either way.
        max_scale (float): Largest change of size as a fraction, either way.
        max_shift (float): Largest shift in pixels, either way, along each axis; in
            addition to that of the random crop.
        flip_prob (float): Probability of mirroring.
        erase_prob (float): Probability of covering a rectangle.
        erase_size (Sequence[int]): Smallest and largest side of that rectangle, in
            pixels.
        random_crop (bool): Whether to crop at random; the centre otherwise. Defaults to
            True.
    """

    def __init__(
        self,
        crop_size: int,
        max_rotate: Number = 0,
        max_scale: float = 0,
        max_shift: Number = 0,
        flip_prob: float = 0,
        erase_prob: float = 0,
        erase_size: Sequence[int] = (4, 15),
        random_crop: bool = True,
    ) -> None:
        super().__init__()
        for name, value, high in (
            ('max_rotate', max_rotate, 180),
            ('max_scale', max_scale, 0.9),
            ('max_shift', max_shift, float('inf')),
            ('flip_prob', flip_prob, 1),
            ('erase_prob', erase_prob, 1),
        ):
            if not 0 <= value <= high:
                raise ValueError(f'{name} is {value}; it must be between 0 and {high}')
        low, high = erase_size
        if not 1 <= low <= high <= crop_size:
            raise ValueError(
                f'erase_size is {tuple(erase_size)}; it must be two sides in ascending '
                f'order, from 1 to crop_size {crop_size}'
            )
        self.crop_size = crop_size
        self.max_rotate, self.max_scale = max_rotate, max_scale
        self.max_shift = max_shift
        self.flip_prob, self.erase_prob = flip_prob, erase_prob
        self.erase_size = (low, high)
        self.random_crop = random_crop

    def forward(self, pairs: Tensor, training: bool) -> Tensor:
        """Augment or crop.

        Args:
            pairs (Tensor): ``(B, 2, C, H, W)``, float, at least as large as the crop.
            training (bool): Whether to augment.

        Returns:
            Tensor: ``(B, 2, C, crop_size, crop_size)``.

        Raises:
            ValueError: If the images are smaller than the crop.
        """
        height, width = pairs.shape[-2:]
        center_corner(height, width, self.crop_size)  # refuses images that are smaller
        if not training:
            return center_crop(pairs, self.crop_size)
        room = width - self.crop_size, height - self.crop_size
        pairs = affine_crop(pairs, self.crop_size, *self.random_params(pairs, room))
        if self.erase_prob:
            pairs = erase(pairs, *self.random_rectangle(pairs))
        return pairs

    def random_params(self, pairs: Tensor, room: tuple[int, int]) -> tuple[Tensor, ...]:
        """Draw the arguments of :func:`affine_crop` after ``size``.

        Args:
            pairs (Tensor): ``(B, 2, C, H, W)``.
            room (tuple[int, int]): Pixels by which they are wider and higher than the
                crop.
        """
        count, device = len(pairs), pairs.device
        angle, scale, x, y = torch.rand(4, count, device=device) * 2 - 1
        if self.random_crop:
            positions = torch.tensor(room, device=device) + 1
            corner = (torch.rand(count, 2, device=device) * positions).floor()
        else:
            height, width = pairs.shape[-2:]
            center = center_corner(height, width, self.crop_size)
            corner = pairs.new_tensor(center).expand(count, 2)
        return (
            angle * self.max_rotate,
            1 + scale * self.max_scale,
            torch.stack([x, y], 1) * self.max_shift,
            corner,
            torch.rand(count, device=device) < self.flip_prob,
        )

    def random_rectangle(self, pairs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Draw the arguments of :func:`erase` after ``pairs``."""
        count, device = len(pairs), pairs.device
        low, high = self.erase_size
        sides = torch.randint(low, high + 1, (count, 2), device=device)
        corner = torch.rand(count, 2, device=device) * (self.crop_size - sides + 1)
        chosen = torch.rand(count, device=device) < self.erase_prob
        return corner.floor().long(), sides, chosen

    def extra_repr(self) -> str:
        return ', '.join(f'{k}={v}' for k, v in vars(self).items() if k[0] != '_')
