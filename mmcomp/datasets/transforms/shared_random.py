"""SharedRandomTransforms: any transform, with equal random choices for a pair."""

import random
from collections.abc import Callable, Sequence

import numpy as np
import torch
from mmcv.transforms import BaseTransform, Compose

from mmcomp.columns import ID
from mmcomp.datasets.pair_table import ROW_POSITION
from mmcomp.registry import TRANSFORMS

SELF_CHECKS = 8


@TRANSFORMS.register_module()
class SharedRandomTransforms(BaseTransform):
    """Apply transforms with the same random choices to both images of a pair.

    The onset is transformed first. Then the random generators of Python, NumPy and
    PyTorch are reset to their earlier state, and the apex is transformed. So every
    transform draws the same numbers twice, whether it is MMCV's, MMPretrain's,
    torchvision's or your own.

    Three things would break that, and each is an error: random choices for images of
    different sizes, a transform that draws more numbers for one image than for the
    other, and a transform with its own random generator (detected by transforming the
    first image twice from one random state).

    **Required Keys:** ``img`` (list[np.ndarray])

    **Modified Keys:** ``img``, and what the transforms modify or add

    Args:
        transforms (list[dict | Callable]): Transforms of a dict with a single ``img``.

    Raises:
        ValueError: If the two images would get different random choices.
    """

    def __init__(self, transforms: Sequence[dict | Callable]) -> None:
        self.transforms = Compose(
            [TRANSFORMS.build(t) if isinstance(t, dict) else t for t in transforms]
        )
        self._checked = False

    def transform(self, results: dict) -> dict:
        """Transform both images."""
        onset, apex = results['img']
        if not self._checked:
            self._check_repeatable(results)
            self._checked = True
        start = _random_state()
        first = self._apply(results, onset)
        middle = _random_state()
        _set_random_state(start)
        second = self._apply(results, apex)
        if not _same_state(middle, _random_state()):
            raise ValueError(
                f'{_name(results)}: {self} drew more random numbers for one image than '
                'for the other, so onset and apex would be changed differently'
            )
        if onset.shape != apex.shape and not _same_state(start, middle):
            raise ValueError(
                f'{_name(results)}: onset {onset.shape} and apex {apex.shape} differ '
                f'in size, so the random choices of {self} mean different things; '
                'resize or align the pair first'
            )
        first['img'] = [first['img'], second['img']]
        return first

    def _apply(self, results: dict, image: np.ndarray) -> dict:
        done = self.transforms({**results, 'img': image.copy()})
        if done is None:
            raise ValueError(f'{_name(results)}: {self} returned no image')
        return done

    def _check_repeatable(self, results: dict) -> None:
        """Refuse transforms whose result the global generators do not determine."""
        before = _random_state()
        for _ in range(SELF_CHECKS):
            start = _random_state()
            first = self._apply(results, results['img'][0])['img']
            _set_random_state(start)
            second = self._apply(results, results['img'][0])['img']
            if not np.array_equal(np.asarray(first), np.asarray(second)):
                raise ValueError(
                    f'{self} has its own random generator: it gave two results for one '
                    'image and one random state, so pairs would be changed differently'
                )
        _set_random_state(before)

    def __repr__(self) -> str:
        inner = ', '.join(map(repr, self.transforms.transforms))
        return f'{type(self).__name__}([{inner}])'


def _name(results: dict) -> str:
    return f'pair {results.get(ID, "?")!r} ({results.get(ROW_POSITION, "no table")})'


def _random_state() -> tuple:
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def _set_random_state(state: tuple) -> None:
    random.setstate(state[0])
    np.random.set_state(state[1])
    torch.set_rng_state(state[2])


def _same_state(a: tuple, b: tuple) -> bool:
    return (
        a[0] == b[0]
        and a[1][2:] == b[1][2:]
        and np.array_equal(a[1][1], b[1][1])
        and torch.equal(a[2], b[2])
    )
