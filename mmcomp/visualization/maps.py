"""Feature maps of onset and apex, and compared maps, of any stage."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mmcomp.models import SiameseBackbone
from mmcomp.models.backbones.siamese import INPUT
from mmcomp.models.inspect import first_output, recorded_outputs


@dataclass(frozen=True)
class StageMaps:
    """Maps of one stage.

    Attributes:
        stage (str): Name of the layer.
        onset, apex (Tensor, optional): ``(B, C, h, w)``; None behind the comparison,
            where there are compared maps only.
        compared (Tensor): ``(B, C', h, w)``: where the comparison is, its result;
            before it, apex - onset; behind it, what the trunk makes of the result.
        what (str): What ``compared`` is, in words.
    """

    stage: str
    onset: Tensor | None
    apex: Tensor | None
    compared: Tensor
    what: str

    @property
    def energies(self) -> Tensor:
        """Mean square ``(C',)`` of each compared channel, over pairs and places."""
        return self.compared.square().mean((0, 2, 3))

    @property
    def order(self) -> Tensor:
        """Compared channels, that of the most energy first."""
        return self.energies.argsort(descending=True, stable=True)


def positions(backbone: SiameseBackbone) -> dict[str, tuple]:
    """Layers whose maps can be shown, with the shape ``(C, h, w)`` of their output.

    They run once, give one map or row of tokens for each image or pair, and have more
    than one place.
    """
    parameter = next(backbone.parameters())
    zeros = parameter.new_zeros(2, 2, *backbone.input_shape)
    with torch.no_grad(), recorded_outputs(backbone.trunk) as seen:
        backbone(zeros)
    found = {INPUT: backbone.input_shape}
    for name, outputs in seen.items():
        maps = _as_maps(outputs[0], backbone) if len(outputs) == 1 else None
        if maps is not None and len(maps) in (2, 4):
            found[name] = tuple(maps.shape[1:])
    return found


@torch.no_grad()
def stage_maps(
    backbone: SiameseBackbone, pairs: Tensor, stage: str | None = None
) -> StageMaps:
    """Maps of one layer.

    Args:
        backbone (SiameseBackbone): In evaluation mode.
        pairs (Tensor): ``(B, 2, C, H, W)``, as the network takes them.
        stage (str, optional): Name of a layer of the trunk, or 'input'. Defaults to
            where the comparison is.

    Raises:
        ValueError: If there are no maps of that name; the message lists those that
            exist.
    """
    stage = backbone.after if stage is None else stage
    known = positions(backbone)
    if stage not in known:
        top = [name for name in known if name.count('.') <= 1]
        deeper = len(known) - len(top)
        raise ValueError(
            f'stage is {stage!r}, which has no maps; there are {", ".join(top)}'
            + (f' and {deeper} deeper ones' if deeper else '')
        )
    if stage == INPUT != backbone.after:
        onset, apex = pairs[:, 0], pairs[:, 1]
        return StageMaps(stage, onset, apex, apex - onset, 'apex - onset')
    compares = stage == backbone.after
    layer = backbone.comparison if compares else backbone.trunk.get_submodule(stage)
    maps = []

    def keep(layer, args, output):  # copies, as later layers may work in place
        outputs = (*args, output) if compares else (output,)
        maps.extend(_as_maps(first_output(x), backbone).clone() for x in outputs)

    handle = layer.register_forward_hook(keep)
    try:
        backbone(pairs)
    finally:
        handle.remove()
    if compares:
        return StageMaps(stage, *maps, 'compared')
    if len(maps[0]) == 2 * len(pairs):
        onset, apex = maps[0].chunk(2)
        return StageMaps(stage, onset, apex, apex - onset, 'apex - onset')
    return StageMaps(stage, None, None, maps[0], 'compared')


def _as_maps(output, backbone: SiameseBackbone) -> Tensor | None:
    """``(B, C, h, w)`` of a layer's output, or None if it has no places.

    Tokens are ``(B, N, C)``, or ``(B, C, N, 1)`` in a comparison. Class tokens, which
    come first, are left out; the others form a grid of the shape of the image.
    """
    if not isinstance(output, Tensor) or output.ndim not in (3, 4):
        return None
    if output.ndim == 4 and output.shape[-1] == 1 and output.shape[-2] > 1:
        output = output.squeeze(-1).transpose(1, 2)
    if output.ndim == 3:
        tokens = output[:, getattr(backbone.trunk, 'num_extra_tokens', 0) :]
        _, height, width = backbone.input_shape
        rows = round(math.sqrt(tokens.shape[1] * height / width))
        if rows < 1 or tokens.shape[1] % rows:
            return None
        output = tokens.transpose(1, 2).unflatten(2, (rows, -1))
    return output if output.shape[-1] * output.shape[-2] > 1 else None
