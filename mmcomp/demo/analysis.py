"""Computations of the demo page, independent of the web."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mmcomp.apis import PairInferencer
from mmcomp.apis.model import load_model
from mmcomp.apis.pair_inferencer import as_input, images_of
from mmcomp.faces import (
    Clip,
    Face,
    FaceDetector,
    FacePair,
    Spotting,
    UnreadableError,
    pair_from_clip,
    pair_from_images,
    read_image,
    spot,
)
from mmcomp.faces.video import open_video
from mmcomp.models.inspect import evaluating, prepare_pairs
from mmcomp.visualization.explain import margins, occlusion

MAX_FRAMES = 3000  # of a video: two minutes at 25 frames a second


class CannotCompareError(Exception):
    """Raised if there is nothing to compare; the message is a sentence."""


@dataclass(frozen=True)
class Finding:
    """Everything that the page shows about one comparison.

    Attributes:
        frames: The onset and the apex picture as given, BGR.
        faces: The face in each.
        pair: The network's input, onset first: ``(2, H, W)`` or ``(2, H, W, 3)``, BGR,
            uint8.
        scores: Score of each class.
        counted: ``(H, W)``: how much the log odds of the class with the highest score
            fall if onset and apex are made equal around a position.
        notes: Warnings and choices, in sentences.
    """

    frames: tuple[np.ndarray, np.ndarray]
    faces: tuple[Face, Face]
    pair: np.ndarray
    scores: dict[str, float]
    counted: np.ndarray
    notes: tuple[str, ...]


class Analyst:
    """Compare pictures and clips with a trained network.

    Use an instance in one thread at a time.

    Args:
        config, checkpoint, device: As for :class:`mmcomp.apis.PairInferencer`.

    Raises:
        ValueError: If the network cannot be loaded.
    """

    def __init__(self, config: Any, checkpoint: str, device: str | None = None) -> None:
        self.model = load_model(config, checkpoint, device)
        self.inferencer = PairInferencer(
            self.model, aligned=True, settings=dict(several='largest')
        )
        self.settings = self.inferencer.settings
        self.detector = FaceDetector(min_score=self.settings.min_score)

    def spot(self, path, watch: Callable | None = None) -> Spotting:
        """Find onset and apex of a clip.

        Args:
            path: A video file.
            watch (callable, optional): Called with the number of frames that are done
                and the number of all frames.

        Returns:
            Spotting: It may be without success if there is a curve to choose from.

        Raises:
            CannotCompareError: If there is no curve.
        """
        try:
            count, clip = count_frames(path), Clip(path)
        except UnreadableError as error:
            raise CannotCompareError(str(error)) from None

        def frames():
            for done, frame in enumerate(clip):
                if watch is not None:
                    watch(done, count)
                yield frame

        limit = self.settings.limit
        spotting = spot(frames(), self.detector, fps=clip.fps, limit=limit)
        if not spotting.success and np.isnan(spotting.curve).any():
            raise CannotCompareError(spotting.reason)
        return spotting

    def compare_frames(self, path, onset: int, apex: int) -> Finding:
        """Compare two frames of a clip.

        Raises:
            CannotCompareError: For instance, if one of them has no face.
        """
        pair = pair_from_clip(path, self.settings, onset, apex, detector=self.detector)
        _check(pair)
        frames = Clip(path).read((onset, apex))
        return self._finding((frames[onset], frames[apex]), pair)

    def compare_pictures(self, onset, apex) -> Finding:
        """Compare two pictures, given by their paths.

        Raises:
            CannotCompareError: For instance, if one of them has no face.
        """
        pair = pair_from_images(onset, apex, self.settings, detector=self.detector)
        _check(pair)
        return self._finding((read_image(onset), read_image(apex)), pair)

    def _finding(self, frames: tuple, pair: FacePair) -> Finding:
        if pair.onset_face is None or pair.apex_face is None:
            raise CannotCompareError('no face was detected')
        images = images_of(pair)
        result = self.inferencer(images)[0]
        counted = self._where_it_counted(pair, result['pred_class'])
        margin = (self.settings.size - len(counted)) // 2
        inside = slice(margin, margin + len(counted))
        return Finding(
            frames,
            (pair.onset_face, pair.apex_face),
            np.stack(images)[:, inside, inside],
            result['pred_scores'],
            counted,
            pair.notes,
        )

    def _where_it_counted(self, pair: FacePair, target: str) -> np.ndarray:
        """Return the map ``(H, W)`` of :attr:`Finding.counted`."""
        inputs = prepare_pairs(self.model, [torch.from_numpy(as_input(pair))])
        index = torch.tensor([self.inferencer.classes.index(target)])
        with evaluating(self.model):
            fall = occlusion(
                margins(self.model),
                inputs,
                index.to(inputs.device),
                patch=max(inputs.shape[-1] // 5, 1),
                both=True,
            )
        return fall[0].cpu().numpy()


def count_frames(path) -> int:
    """Count the frames of a video; 0 if nothing can be read.

    Raises:
        CannotCompareError: If there are too many.
    """
    capture = open_video(path)
    count = 0
    try:
        while capture.grab():
            count += 1
            if count > MAX_FRAMES:
                raise CannotCompareError(
                    f'the video has more than {MAX_FRAMES} frames; trim it to the few '
                    'seconds around one expression'
                )
    finally:
        capture.release()
    return count


def _check(pair: FacePair) -> None:
    if not pair.success:
        raise CannotCompareError(pair.reason)
