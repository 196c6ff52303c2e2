"""PairVisualizer: show pairs and predictions in TensorBoard and other backends."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from mmengine.dist import master_only
from mmpretrain.structures import DataSample
from mmpretrain.visualization import UniversalVisualizer
from torch import Tensor

from mmcomp.columns import ID
from mmcomp.compat import initialize_figure
from mmcomp.registry import VISUALIZERS


@VISUALIZERS.register_module()
class PairVisualizer(UniversalVisualizer):
    """MMPretrain's visualizer, extended to pairs.

    Set its backends in the config: ``vis_backends=[dict(type='LocalVisBackend'),
    dict(type='TensorboardVisBackend')]``. Arguments are those of
    :class:`mmengine.visualization.Visualizer`.
    """

    ax_save: Any

    def _initialize_fig(self, fig_cfg: dict) -> tuple:
        """Defer to the first drawing, so that Matplotlib is not imported before."""
        return None, SimpleNamespace(get_dpi=lambda: None), None

    @master_only
    def set_image(self, image: np.ndarray) -> None:
        """See :class:`mmengine.visualization.Visualizer`."""
        if self.ax_save is None:
            made = initialize_figure(super(), self.fig_save_cfg)
            self.fig_save_canvas, self.fig_save, self.ax_save = made
            self.dpi = self.fig_save.get_dpi()
        super().set_image(image)

    @master_only
    def add_pairs(
        self,
        name: str,
        pairs: Tensor,
        data_samples: Sequence[DataSample],
        classes: Sequence[str] | None = None,
        step: int = 0,
        to_rgb: bool = False,
    ) -> None:
        """Record one picture of pairs, with labels and predictions below them.

        Captions of misclassified pairs are red.

        Args:
            name (str): Name of the picture.
            pairs (Tensor): ``(B, 2, C, H, W)``, any range, onset first.
            data_samples: One for each pair, with ``gt_label`` and ``pred_score``
                ``(classes,)`` if they are known.
            classes: Names of the classes; without them, their numbers are shown.
            step (int): The epoch.
            to_rgb (bool): Whether three channels are RGB; BGR otherwise.
        """
        from .pairs import displayable, pairs_figure
        from .style import array

        captions, wrong = [], []
        for sample in data_samples:
            label, score = sample.get('gt_label'), sample.get('pred_score')
            first = _name(label, classes)
            second = ''
            if score is not None:
                second = (
                    f'predicted {_name(score.argmax(), classes)} ({score.max():.2f})'
                )
            captions.append((' · '.join(filter(None, [first, sample.get(ID)])), second))
            known = label is not None and score is not None
            wrong.append(known and int(label) != int(score.argmax()))
        images = displayable(pairs, to_rgb)
        self.add_image(name, array(pairs_figure(images, captions, wrong=wrong)), step)

    def add_datasample(
        self, name: str, image: Tensor, data_sample: DataSample, step: int = 0, **kwargs
    ) -> None:
        """Record one pair ``(2, C, H, W)``; ``kwargs`` as for :meth:`add_pairs`."""
        self.add_pairs(name, image[None], [data_sample], step=step, **kwargs)


def _name(label: Tensor | None, classes: Sequence[str] | None) -> str:
    if label is None:
        return ''
    return str(int(label)) if classes is None else classes[int(label)]
