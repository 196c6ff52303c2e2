"""PairInferencer: predict photos and videos."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmcomp.columns import APEX, CLIP, LABEL, ONSET, SUBJECT
from mmcomp.faces import (
    Face,
    FaceDetector,
    FacePair,
    FaceSettings,
    pair_from_images,
    read_image,
)
from mmcomp.faces.alignment import to_color
from mmcomp.faces.pairs import SAME_PICTURE
from mmcomp.faces.table import pair_of_row
from mmcomp.faces.video import UnreadableError
from mmcomp.files import safe_name, write_bytes

from .inputs import Item, items
from .scorers import make_scorer


class PairInferencer:
    """Predict the class of pairs; used like MMPretrain's inferencers.

    Examples:
        >>> inferencer = PairInferencer('network.onnx')  # doctest: +SKIP
        >>> inferencer('smile.mp4')[0]['pred_class']  # doctest: +SKIP

    The meaning of a score depends on the training data.

    Args:
        model: A config or its path, a loaded network, or an ``.onnx`` file of
            ``mmcomp export``, which runs without PyTorch.
        pretrained (str, optional): Checkpoint for a config; read as plain data.
        device: Of PyTorch; defaults to a GPU if there is one.
        aligned (bool): Whether images are aligned faces already, which are used as they
            are and must have the network's size. Defaults to False: faces are detected
            and aligned.
        settings (dict, optional): Further options of
            :class:`mmcomp.faces.FaceSettings`, such as ``several='fail'``; here,
            ``several`` is 'largest' by default.

    An object may be used in several threads, each with an ``out_dir`` of its own.
    """

    def __init__(
        self,
        model: Any,
        pretrained: str | None = None,
        device: Any = None,
        aligned: bool = False,
        settings: dict | None = None,
    ) -> None:
        self.scorer = make_scorer(model, pretrained, device)
        self.aligned = aligned
        self.settings = FaceSettings(
            size=self.scorer.size,
            color=self.scorer.color,
            **{'several': 'largest', **(settings or {})},
        )
        self._detector = FaceDetector(min_score=self.settings.min_score)
        # Networks in PyTorch change their mode and record, and Matplotlib draws, for
        # one thread only. Detection, which takes the time, is outside.
        self._lock = threading.Lock()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.scorer.classes

    def __call__(
        self, inputs: Any, batch_size: int = 32, out_dir: str | Path | None = None
    ) -> list[dict[str, Any]]:
        """Predict; see :meth:`stream`.

        Returns:
            list[dict]: One for each pair or clip.
        """
        return list(self.stream(inputs, batch_size, out_dir))

    def stream(
        self, inputs: Any, batch_size: int = 32, out_dir: str | Path | None = None
    ) -> Iterator[dict[str, Any]]:
        """Predict one batch after the other, in constant memory.

        Args:
            inputs: See :func:`mmcomp.apis.inputs.items`.
            batch_size (int): Pairs that go through the network at once.
            out_dir (str, optional): Folder for a picture of each prediction.

        Yields:
            dict: ``input`` (a name that no other result has), ``success``, ``reason``
            (of a failure), ``notes``, ``pred_class``, ``pred_score``, ``pred_scores``
            (by class), ``onset_frame``, ``apex_frame``, ``onset_face_score``,
            ``apex_face_score``, ``spotting_confidence``; the paths ``clip``, ``onset``
            and ``apex``, and ``subject`` and ``label`` of a table, or None; with
            ``out_dir``, ``picture``.

        Raises:
            ValueError: If an input is neither a path nor a pair.
        """
        if batch_size < 1:
            raise ValueError(f'batch_size is {batch_size}; it must be at least 1')
        waiting: list[tuple[Item, FacePair]] = []
        for item in items(inputs):
            waiting.append((item, self.make_pair(item)))
            if len(waiting) == batch_size:
                yield from self._predict(waiting, out_dir)
                waiting = []
        yield from self._predict(waiting, out_dir)

    def make_pair(self, item: Item) -> FacePair:
        """Return the aligned pair of an item, or the reason why there is none."""
        if item.reason:
            return FacePair(problem='unreadable', reason=item.reason)
        if self.aligned and not item.row.get(CLIP):
            return self._as_it_is(item)
        if item.images:
            onset, apex = item.images
            return pair_from_images(onset, apex, self.settings, detector=self._detector)
        return pair_of_row(item.row, item.root, self.settings, detector=self._detector)

    def _as_it_is(self, item: Item) -> FacePair:
        """Return aligned images, unless they are not of the network's size."""
        images = []
        for name, image in zip((ONSET, APEX), item.images or (None, None)):
            if image is None:
                if not item.row.get(name):
                    return FacePair(problem='invalid cell', reason=f'{name} is empty')
                image = item.root / item.row[name]
            if not isinstance(image, np.ndarray):
                try:
                    image = read_image(image)
                except UnreadableError as error:
                    reason = f'{name}: {error}'
                    return FacePair(problem='unreadable', reason=reason)
            image = to_color(image, self.settings.color)
            side, (height, width) = self.settings.size, image.shape[:2]
            if (height, width) != (side, side):
                reason = (
                    f'{name}: the image has {height}x{width} pixels; an aligned face '
                    f'must have {side}x{side}: use mmcomp prepare, or leave out aligned'
                )
                return FacePair(problem='wrong size', reason=reason)
            images.append(image)
        if np.array_equal(images[0], images[1]):
            return FacePair(problem='same picture', reason=SAME_PICTURE)
        return FacePair(success=True, onset=images[0], apex=images[1])

    def _predict(
        self, waiting: list[tuple[Item, FacePair]], out_dir: str | Path | None
    ) -> list[dict[str, Any]]:
        """Return the results of items whose pairs are made."""
        with self._lock:
            return [*self._results(waiting, out_dir)]

    def _results(
        self, waiting: list[tuple[Item, FacePair]], out_dir: str | Path | None
    ) -> Iterator[dict[str, Any]]:
        good = [pair for _, pair in waiting if pair.success]
        scores: Iterator[np.ndarray] = iter(())
        if good:
            batch = np.stack([as_input(pair) for pair in good])
            scores = iter(self.scorer.scores(batch))
        for item, pair in waiting:
            result = _describe(item, pair)
            if pair.success:
                result.update(_decision(self.classes, next(scores)))
                if out_dir is not None:
                    result['picture'] = self._draw(item, pair, result, out_dir)
            yield result

    def _draw(
        self, item: Item, pair: FacePair, result: dict[str, Any], out_dir: str | Path
    ) -> str:
        from .picture import prediction_picture

        onset, apex = images_of(pair)
        compared = self.scorer.compared(as_input(pair)[None])
        title = f'{item.name}: {result["pred_class"]} ({result["pred_score"]:.2f})'
        if pair.onset_frame is not None:
            title += f', frames {pair.onset_frame} and {pair.apex_frame}'
        picture = prediction_picture(
            onset,
            apex,
            None if compared is None else compared[0],
            result['pred_scores'],
            title,
        )
        folder = Path(out_dir)
        path = folder / f'{safe_name(item.name)}.png'
        write_bytes(path, cv2.imencode('.png', picture)[1].tobytes())
        return str(path)


def images_of(pair: FacePair) -> tuple[np.ndarray, np.ndarray]:
    """Return onset and apex of an aligned pair.

    Raises:
        ValueError: If it has none.
    """
    if pair.onset is None or pair.apex is None:
        raise ValueError(f'there is no aligned pair: {pair.reason}')
    return pair.onset, pair.apex


def as_input(pair: FacePair) -> np.ndarray:
    """Return an aligned pair as an input of networks, ``(2, C, size, size)``, uint8."""
    images = np.stack(images_of(pair))
    return images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)


def _describe(item: Item, pair: FacePair) -> dict[str, Any]:
    def score(face: Face | None) -> float | None:
        return None if face is None else round(float(face.score), 4)

    return dict(
        input=item.name,
        success=pair.success,
        reason=pair.reason,
        notes='; '.join(pair.notes),
        pred_class=None,
        pred_score=None,
        pred_scores=None,
        onset_frame=pair.onset_frame,
        apex_frame=pair.apex_frame,
        onset_face_score=score(pair.onset_face),
        apex_face_score=score(pair.apex_face),
        spotting_confidence=(
            None if pair.spotting is None else round(pair.spotting.confidence, 4)
        ),
        clip=item.path(CLIP),
        onset=item.path(ONSET),
        apex=item.path(APEX),
        subject=item.row.get(SUBJECT) or None,
        label=item.row.get(LABEL) or None,
    )


def _decision(classes: tuple[str, ...], scores: np.ndarray) -> dict[str, Any]:
    index = int(scores.argmax())
    return dict(
        pred_class=classes[index],
        pred_score=round(float(scores[index]), 6),
        pred_scores={
            c: round(float(s), 6) for c, s in zip(classes, scores, strict=True)
        },
    )
