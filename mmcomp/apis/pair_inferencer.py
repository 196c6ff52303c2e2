"""PairInferencer: from photos or videos to predictions."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from mmcomp.faces import (
    FaceDetector,
    FacePair,
    FaceSettings,
    pair_from_clip,
    pair_from_images,
    read_image,
)
from mmcomp.faces.alignment import to_color
from mmcomp.faces.video import UnreadableError

from .inputs import Item, items
from .scorers import make_scorer


class PairInferencer:
    """Predict the class of pairs, in the way of MMPretrain's inferencers.

    Examples:
        >>> inferencer = PairInferencer('configs/compcnn_comb@2.py', 'epoch_100.pth')
        >>> inferencer('smile.mp4')[0]['pred_class']  # doctest: +SKIP

    What a score means depends on what the network was trained on. A network trained on
    rendered heads says nothing about people.

    Args:
        model: A config or its path, a loaded network, or an ``.onnx`` file of
            tools/export.py, which runs without PyTorch.
        pretrained (str, optional): Checkpoint for a config; read as plain data.
        device: Of PyTorch; defaults to a GPU if there is one.
        aligned (bool): Whether images are aligned faces already, and are taken as they
            are. Defaults to False: faces are found and aligned.
        settings (dict, optional): Further options of
            :class:`mmcomp.faces.FaceSettings`, such as ``several='largest'``.
    """

    def __init__(
        self,
        model,
        pretrained: str | None = None,
        device=None,
        aligned: bool = False,
        settings: dict | None = None,
    ) -> None:
        self.scorer = make_scorer(model, pretrained, device)
        self.aligned = aligned
        self.settings = FaceSettings(
            size=self.scorer.size, color=self.scorer.color, **(settings or {})
        )
        self._detector: FaceDetector | None = None

    @property
    def classes(self) -> tuple:
        """Names of the classes."""
        return self.scorer.classes

    def __call__(
        self, inputs, batch_size: int = 32, out_dir: str | None = None
    ) -> list[dict]:
        """Predict; see :meth:`stream`.

        Returns:
            list[dict]: One for each pair or clip.
        """
        return list(self.stream(inputs, batch_size, out_dir))

    def stream(
        self, inputs, batch_size: int = 32, out_dir: str | None = None
    ) -> Iterator[dict]:
        """Predict one item after the other, in steady memory.

        Args:
            inputs: See :func:`mmcomp.apis.inputs.items`.
            batch_size (int): Pairs that go through the network at once.
            out_dir (str, optional): Folder for a picture of each prediction.

        Yields:
            dict: ``input``, ``success``, ``reason`` (of a failure), ``notes``,
            ``pred_class``, ``pred_score``, ``pred_scores`` (by class),
            ``onset_frame``, ``apex_frame``, ``onset_face_score``,
            ``apex_face_score``, ``spotting_confidence``.

        Raises:
            ValueError: If an input is none, or missing.
        """
        if batch_size < 1:
            raise ValueError(f'batch_size is {batch_size}; it must be at least 1')
        waiting: list[tuple] = []
        for item in items(inputs):
            waiting.append((item, self.make_pair(item)))
            if len(waiting) == batch_size:
                yield from self._predict(waiting, out_dir)
                waiting = []
        yield from self._predict(waiting, out_dir)

    def make_pair(self, item: Item) -> FacePair:
        """The aligned pair of an item, or why there is none."""
        if item.clip is not None:
            return pair_from_clip(
                item.clip,
                self.settings,
                item.onset_frame,
                item.apex_frame,
                detector=self._faces(),
            )
        if self.aligned:
            return self._as_it_is(item)
        return pair_from_images(*item.pair, self.settings, detector=self._faces())

    def _faces(self) -> FaceDetector:
        if self._detector is None:
            self._detector = FaceDetector(min_score=self.settings.min_score)
        return self._detector

    def _as_it_is(self, item: Item) -> FacePair:
        """Aligned images, brought to the network's size."""
        images = []
        for name, image in zip(('onset', 'apex'), item.pair):
            if not isinstance(image, np.ndarray):
                try:
                    image = read_image(image)
                except UnreadableError as error:
                    reason = f'{name}: {error}'
                    return FacePair(problem='unreadable', reason=reason)
            image = to_color(image, self.settings.color)
            side = self.settings.size
            if image.shape[:2] != (side, side):
                image = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
            images.append(image)
        return FacePair(success=True, onset=images[0], apex=images[1])

    def _predict(self, waiting: list[tuple], out_dir: str | None) -> Iterator[dict]:
        """Results of items whose pairs are made."""
        good = [pair for _, pair in waiting if pair.success]
        scores = iter(())
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

    def _draw(self, item: Item, pair: FacePair, result: dict, out_dir: str) -> str:
        from .picture import prediction_picture

        compared = self.scorer.compared(as_input(pair)[None])
        title = f'{item.name}: {result["pred_class"]} ({result["pred_score"]:.2f})'
        if pair.onset_frame is not None:
            title += f', frames {pair.onset_frame} and {pair.apex_frame}'
        picture = prediction_picture(
            pair.onset,
            pair.apex,
            None if compared is None else compared[0],
            result['pred_scores'],
            title,
        )
        folder = Path(out_dir)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / (item.name.replace('/', '_') + '.png')
        path.write_bytes(cv2.imencode('.png', picture)[1].tobytes())
        return str(path)


def as_input(pair: FacePair) -> np.ndarray:
    """``(2, C, size, size)``, uint8, of an aligned pair, as a network takes it."""
    pair = np.stack([pair.onset, pair.apex])
    return pair[:, None] if pair.ndim == 3 else pair.transpose(0, 3, 1, 2)


def _describe(item: Item, pair: FacePair) -> dict:
    def score(face):
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
    )


def _decision(classes: tuple, scores: np.ndarray) -> dict[str, object]:
    index = int(scores.argmax())
    return dict(
        pred_class=classes[index],
        pred_score=round(float(scores[index]), 6),
        pred_scores={c: round(float(s), 6) for c, s in zip(classes, scores)},
    )
