"""Feature maps of onset and apex, and compared maps, at any stage."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mmcomp.models import SiameseBackbone
from mmcomp.models.backbones.siamese import INPUT
from mmcomp.models.inspect import evaluating, recorded_calls, recorded_outputs


@dataclass(frozen=True)
class StageMaps:
    """The maps at one stage.

    Attributes:
        stage (str): Name of the layer.
        onset, apex (Tensor, optional): ``(B, C, h, w)``; None after the comparison,
            where only compared maps exist.
        compared (Tensor): ``(B, C', h, w)``: before the comparison, apex - onset; at
            the comparison, its result; after it, the trunk's maps of the result.
        what (str): A name for ``compared``.
    """

    stage: str
    onset: Tensor | None
    apex: Tensor | None
    compared: Tensor
    what: str

    @property
    def energies(self) -> Tensor:
        """Mean square ``(C',)`` of each compared channel, over pairs and positions."""
        return self.compared.square().mean((0, 2, 3))

    @property
    def order(self) -> Tensor:
        """Compared channels, the one with the most energy first."""
        return self.energies.argsort(descending=True, stable=True)


def positions(backbone: SiameseBackbone) -> dict[str, tuple]:
    """Return the layers whose maps can be shown, with the shape of their output.

    These layers run once, return one map or row of tokens for each image or pair, and
    have more than one position.

    Returns:
        dict: Names of layers, and ``(C, h, w)``.
    """
    parameter = next(backbone.parameters())
    zeros = parameter.new_zeros(2, 2, *backbone.input_shape)
    with (
        torch.no_grad(),
        evaluating(backbone),
        recorded_outputs(backbone.trunk) as seen,
    ):
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
    """Return the maps of one layer.

    Args:
        backbone (SiameseBackbone): The backbone; run in evaluation mode.
        pairs (Tensor): ``(B, 2, C, H, W)``, as the network takes them.
        stage (str, optional): Name of a layer of the trunk, or 'input'. Defaults to
            the layer that the comparison follows.

    Raises:
        ValueError: If the stage has no maps; the message lists those that have.
    """
    stage = backbone.after if stage is None else stage
    known = positions(backbone)
    if stage not in known:
        top = [name for name in known if name.count('.') <= 1]
        deeper = len(known) - len(top)
        raise ValueError(
            f'stage is {stage!r}; it must be one that has maps: {", ".join(top)}'
            + (f' and {deeper} deeper ones' if deeper else '')
        )
    if stage == INPUT != backbone.after:
        onset, apex = pairs[:, 0], pairs[:, 1]
        return StageMaps(stage, onset, apex, apex - onset, 'apex - onset')
    compares = stage == backbone.after
    layer = backbone.comparison if compares else backbone.trunk.get_submodule(stage)
    with evaluating(backbone), recorded_calls(layer) as calls:
        backbone(pairs)
    if compares:
        onset, apex, compared = (_as_maps(x, backbone) for x in calls[0])
        return StageMaps(stage, onset, apex, compared, 'compared')
    maps = _as_maps(calls[0][-1], backbone)
    if len(maps) == 2 * len(pairs):
        onset, apex = maps.chunk(2)
        return StageMaps(stage, onset, apex, apex - onset, 'apex - onset')
    return StageMaps(stage, None, None, maps, 'compared')


def _as_maps(output: Any, backbone: SiameseBackbone) -> Any:
    """Return a layer's output as ``(B, C, h, w)``, or None if it has no positions.

    Tokens are ``(B, N, C)``, or ``(B, C, N, 1)`` in a comparison. Class tokens, which
    come first, are left out; the others form a grid with the image's aspect ratio.
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
