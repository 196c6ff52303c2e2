"""All that is drawn by chance for a dataset, before anything is rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import IntEnum

import numpy as np
import pandas as pd

from .expressions import (
    MUSCLES,
    RECIPE_VERSION,
    Expression,
    sample_expression,
    sample_habit,
)
from .nuisance import (
    LEVELS,
    Identity,
    Setting,
    View,
    sample_identity,
    sample_setting,
    sample_view,
)
from .presets import PRESETS, design

#: The two pictures of a pair, in the order of every tensor.
FRAMES = ('onset', 'apex')


class Stream(IntEnum):
    """What a source of chance is used for."""

    DESIGN = 0
    IDENTITY = 1
    HABIT = 2
    EXPRESSION = 3
    SETTING = 4
    VIEW = 5
    NOISE = 6
    CLIP = 7


@dataclass(frozen=True)
class Key:
    """The sources of chance of one dataset."""

    preset: int
    seed: int

    def stream(
        self, use: Stream, subject: int = 0, sample: int = 0, frame: int = 0
    ) -> np.random.Generator:
        """Return a source of its own, whatever was drawn before."""
        entropy = (RECIPE_VERSION, self.seed, self.preset, use, subject, sample, frame)
        return np.random.default_rng(np.random.SeedSequence(entropy))


@dataclass(frozen=True)
class Sample:
    """One pair.

    Attributes:
        numbers: Positions of the subject in the dataset and of the pair in it.
    """

    sample_id: str
    subject: str
    numbers: tuple[int, int]
    emotion: str
    label: str
    expression: Expression
    setting: Setting
    onset: View
    apex: View

    def image(self, frame: str) -> str:
        """Return the path of a picture, relative to the pair table."""
        return f'images/{self.subject}/{self.sample_id}-{frame}.png'

    def activations(self, frame: str) -> Mapping[str, float]:
        """Return the expression in a picture; at the onset there is none."""
        return self.expression.activations if frame == 'apex' else {}

    def view(self, frame: str) -> View:
        """Return how a picture is taken."""
        return self.apex if frame == 'apex' else self.onset


@dataclass(frozen=True)
class Plan:
    """A dataset that has yet to be rendered.

    Attributes:
        key: Its sources of chance.
        identities: Subjects by name.
        samples: Pairs of each subject by name.
    """

    key: Key
    identities: Mapping[str, Identity]
    samples: Mapping[str, list[Sample]]

    def all_samples(self) -> list[Sample]:
        """Return all pairs, ordered by subject."""
        return [sample for samples in self.samples.values() for sample in samples]

    def pairs(self) -> pd.DataFrame:
        """Return the pair table."""
        return pd.DataFrame(
            {
                'sample_id': sample.sample_id,
                'subject': sample.subject,
                'onset': sample.image('onset'),
                'apex': sample.image('apex'),
                'label': sample.label,
                'emotion': sample.emotion,
                'intensity': sample.expression.intensity,
                'light': sample.setting.light,
                'database': 'synthetic',
            }
            for sample in self.all_samples()
        )

    def coefficients(self) -> pd.DataFrame:
        """Return the truth about each pair: expression, setting and both views."""
        return pd.DataFrame(_coefficients(sample) for sample in self.all_samples())

    def subjects(self) -> pd.DataFrame:
        """Return the truth about each subject: surface and shape."""
        table = pd.DataFrame(
            {
                'subject': subject,
                **_prefix('look', asdict(identity.look)),
                **_prefix('shape', identity.shape),
            }
            for subject, identity in self.identities.items()
        )
        return table.fillna(0.0)


def make_plan(preset: str, level: str = 'lab', seed: int = 0) -> Plan:
    """Draw a dataset.

    Args:
        preset: A key of ``PRESETS``.
        level: A key of ``LEVELS``: how much changes between the frames of a
            pair. All levels have the same subjects and expressions.
        seed: Other seeds give other subjects; 0 to 2**32 - 1.

    Raises:
        ValueError: If an argument is not allowed.
    """
    check_arguments(preset, level, seed)
    key = Key(PRESETS[preset].code, seed)
    identities: dict[str, Identity] = {}
    samples: dict[str, list[Sample]] = {}
    cells = design(PRESETS[preset], key.stream(Stream.DESIGN))
    for i, own in enumerate(cells):
        subject = f's{i + 1:03d}'
        identities[subject] = sample_identity(key.stream(Stream.IDENTITY, i))
        habit = sample_habit(key.stream(Stream.HABIT, i))
        samples[subject] = []
        for j, cell in enumerate(own):
            setting = sample_setting(key.stream(Stream.SETTING, i, j))
            onset, apex = (
                sample_view(key.stream(Stream.VIEW, i, j, frame), setting, level)
                for frame in range(len(FRAMES))
            )
            expression = sample_expression(
                key.stream(Stream.EXPRESSION, i, j), cell.emotion, cell.label, habit
            )
            samples[subject].append(
                Sample(
                    sample_id=f'{subject}-{j + 1:03d}',
                    subject=subject,
                    numbers=(i, j),
                    emotion=cell.emotion,
                    label=cell.label,
                    expression=expression,
                    setting=setting,
                    onset=onset,
                    apex=apex,
                )
            )
    return Plan(key, identities, samples)


def check_arguments(preset: str, level: str, seed: int) -> None:
    """Raise ValueError if a dataset cannot be made of these."""
    if preset not in PRESETS:
        raise ValueError(
            f'preset is {preset!r}; it must be one of {", ".join(map(repr, PRESETS))}'
        )
    check_level(level)
    check_seed(seed)


def check_level(level: str) -> None:
    """Raise ValueError if there is no such level."""
    if level not in LEVELS:
        raise ValueError(
            f'level is {level!r}; it must be one of {", ".join(map(repr, LEVELS))}'
        )


def check_seed(seed: int) -> None:
    """Raise ValueError if the recipe cannot take this seed."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise ValueError(f'seed is {seed!r}; it must be an integer')
    if not 0 <= seed < 2**32:
        raise ValueError(f'seed is {seed}; it must be from 0 to 2**32 - 1')


def _coefficients(sample: Sample) -> dict[str, str | float]:
    expression = sample.expression
    row: dict[str, str | float] = {
        'sample_id': sample.sample_id,
        'subject': sample.subject,
        'label': sample.label,
        'emotion': sample.emotion,
        'intensity': expression.intensity,
        'reliable_gain': expression.reliable_gain,
        'asymmetry': expression.asymmetry,
    }
    activations = {**dict.fromkeys(MUSCLES, 0.0), **expression.activations}
    row |= _prefix('expression', activations)
    row |= _prefix('setting', asdict(sample.setting))
    for frame in FRAMES:
        values = asdict(sample.view(frame))
        row |= _prefix(f'{frame}.rest', values.pop('rest'))
        row |= _prefix(frame, values)
    return row


def _prefix(prefix: str, values: Mapping) -> dict:
    return {f'{prefix}.{name}': value for name, value in values.items()}
