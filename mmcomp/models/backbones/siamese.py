"""SiameseBackbone: any trunk with a comparison after any of its layers."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcomp.models.comparisons import Comparison
from mmcomp.models.inspect import evaluating, recorded_outputs
from mmcomp.registry import MODELS

INPUT = 'input'


@MODELS.register_module()
class SiameseBackbone(BaseModule):
    """One trunk for onset and apex, with a comparison after a layer of your choice.

    Both images go through the trunk as one batch of 2B, onsets first, so they share
    weights and statistics of normalisation layers. A forward hook on the layer
    ``after`` replaces its 2B maps by B compared ones, and the rest of the trunk runs on
    those. The trunk may therefore be any backbone of MMPretrain, unchanged.

    A trial pass with zeros finds the layers and their shapes, so that a position, a
    channel count or an operator that does not fit is reported at construction.

    Args:
        trunk (dict | nn.Module): A backbone that returns a tensor or a tuple of them.
        comparison (dict | Comparison): A comparison operator; its ``in_channels`` is
            filled in.
        after (str): Name of the trunk's submodule that the comparison follows, as in
            ``trunk.named_modules()``, or 'input' to compare the images themselves.
        input_shape (Sequence[int]): ``(C, H, W)`` of one image, for the trial pass.
        init_cfg (dict, optional): As in :class:`mmengine.model.BaseModule`.

    Attributes:
        out_shapes (list[tuple[int]]): Shape of each output, without the batch.

    Raises:
        ValueError: If trunk, position and operator do not fit; the message lists the
            positions that exist.
    """

    def __init__(
        self,
        trunk: dict | nn.Module,
        comparison: dict | Comparison,
        after: str,
        input_shape: Sequence[int],
        init_cfg=None,
    ) -> None:
        super().__init__(init_cfg)
        self.trunk = trunk if isinstance(trunk, nn.Module) else MODELS.build(trunk)
        self.after = after
        self.input_shape = tuple(input_shape)
        # Two pairs, so that a shape cannot fit by chance of a batch of one.
        images = torch.zeros(4, *self.input_shape)
        if after == INPUT:
            shape = self.input_shape
        else:
            shape = self._find(_positions(self.trunk, images))
        self.comparison = self._build_comparison(comparison, shape)
        if after != INPUT:
            layer = self.trunk.get_submodule(after)
            layer.register_forward_hook(self._compare_output)
        self.out_shapes = self._check(images)

    def forward(self, pairs: Tensor) -> tuple[Tensor, ...]:
        """Return the features of pairs.

        Args:
            pairs (Tensor): ``(B, 2, C, H, W)``, onset first.

        Returns:
            tuple[Tensor]: Outputs of the trunk for B compared pairs.
        """
        images = pairs.transpose(0, 1).flatten(0, 1)
        if self.after == INPUT:
            images = self._compare(images)
        outputs = self.trunk(images)
        return outputs if isinstance(outputs, tuple) else (outputs,)

    def _compare_output(self, layer: nn.Module, args: tuple, output):
        """Replace the maps of onset and apex by compared ones (forward hook).

        It is a bound method, so that copies of the network (EMA) use their own
        operator. Of a tuple, as Swin's blocks return it, the first entry is compared.
        """
        if isinstance(output, tuple):
            return (self._compare(output[0]), *output[1:])
        return self._compare(output)

    def _compare(self, maps: Tensor) -> Tensor:
        """Compare ``(2B, C, H, W)``, ``(2B, N, C)`` or ``(2B, C)``; B remain."""
        count = maps.shape[0] // 2  # not chunk(2), which an export cannot trace
        onset, apex = maps[:count], maps[count:]
        if maps.ndim == 4:
            return self.comparison(onset, apex)
        if maps.ndim == 3:  # tokens: channels last
            onset, apex = (x.transpose(1, 2).unsqueeze(-1) for x in (onset, apex))
            return self.comparison(onset, apex).squeeze(-1).transpose(1, 2)
        onset, apex = (x[:, :, None, None] for x in (onset, apex))
        return self.comparison(onset, apex).flatten(1)

    def _find(self, positions: dict[str, tuple]) -> tuple:
        """Return the shape of the output at ``after``."""
        if self.after in positions:
            return positions[self.after]
        names = [INPUT, *positions]
        top = [name for name in names if name.count('.') <= 1]
        more = (
            f' and {len(names) - len(top)} deeper ones' if len(names) > len(top) else ''
        )
        raise ValueError(
            f'after is {self.after!r}; it must be a position of '
            f'{type(self.trunk).__name__}: {", ".join(top)}{more}'
        )

    def _build_comparison(self, comparison, shape: tuple) -> Comparison:
        """Build the operator for maps of ``shape``, or check the one that is given."""
        channels = shape[1] if len(shape) == 2 else shape[0]
        if isinstance(comparison, dict):
            given = comparison.get('in_channels', channels)
            comparison = MODELS.build({**comparison, 'in_channels': given})
        name = type(comparison).__name__
        if comparison.in_channels != channels:
            raise ValueError(
                f'in_channels of {name} is {comparison.in_channels}; it must be '
                f'{channels}, as the output after {self.after!r} has shape {shape}'
            )
        if comparison.spatial and len(shape) != 3:
            raise ValueError(
                f'output after {self.after!r} has shape {shape}; it must be maps '
                f'(C, H, W) for {name}'
            )
        return comparison

    def _check(self, images: Tensor) -> list[tuple]:
        """Check that trunk and operator fit; return the shapes of the outputs."""
        count = len(images) // 2
        where = f'{type(self.comparison).__name__} after {self.after!r}'
        try:
            outputs = _trial(self, images.unflatten(0, (2, count)).transpose(0, 1))
        except (RuntimeError, ValueError, AssertionError) as error:
            raise ValueError(
                f'{where} gives {self.comparison.out_channels} channels, and the rest '
                f'of {type(self.trunk).__name__} cannot take them: {error}'
            ) from error
        for index, output in enumerate(outputs):
            if not isinstance(output, Tensor) or len(output) != count:
                raise ValueError(
                    f'output {index} of {type(self.trunk).__name__} is not compared: '
                    f'{where} comes later; set out_indices of the trunk so that it '
                    'returns only later outputs'
                )
        return [tuple(output.shape[1:]) for output in outputs]


def _trial(module: nn.Module, x: Tensor):
    """Run a module once in evaluation mode, and restore its mode."""
    with torch.no_grad(), evaluating(module):
        return module(x)


def _positions(trunk: nn.Module, images: Tensor) -> dict[str, tuple]:
    """Return submodules that run once and keep the batch, with their output's shape."""
    try:
        with recorded_outputs(trunk) as outputs:
            _trial(trunk, images)
    except (RuntimeError, ValueError, AssertionError) as error:
        raise ValueError(
            f'{type(trunk).__name__} cannot take images of shape '
            f'{tuple(images.shape[1:])} (C, H, W): {error}'
        ) from error
    return {
        name: tuple(found[0].shape[1:])
        for name, found in outputs.items()
        if len(found) == 1 and 2 <= found[0].ndim <= 4 and len(found[0]) == len(images)
    }
