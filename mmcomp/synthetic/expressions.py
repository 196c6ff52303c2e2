"""The recipe: how posed and spontaneous expressions differ. No pictures here.

The separation S and every number below were fixed with the oracle (see
``oracle.py``) and by eye, before any network was trained on the data. Sources
are in ``docs/synthetic-data.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

#: Raise it whenever the same seed would give other data.
RECIPE_VERSION = 1

#: S, the strength of all differences between the classes.
SEPARATION = 2.0

LABELS = ('posed', 'spontaneous')

#: Muscles (ARKit names) that are moved on both sides, and those without a side.
SIDED = (
    'browDown',
    'browOuterUp',
    'cheekSquint',
    'eyeSquint',
    'eyeWide',
    'mouthDimple',
    'mouthFrown',
    'mouthLowerDown',
    'mouthPress',
    'mouthSmile',
    'mouthStretch',
    'mouthUpperUp',
    'noseSneer',
)
UNSIDED = ('browInnerUp', 'jawOpen', 'mouthShrugLower')


@dataclass(frozen=True)
class Program:
    """What the face does in one emotion.

    Attributes:
        core: Activation of the muscles that anyone can move at will.
        reliable: Activation of the muscles that are hard to move at will.
        reliability: Factor on the class difference of the reliable muscles.
        exaggeration: Muscles that may be added, more often when posed.
        dampening: Muscles that may be added, more often when spontaneous.
    """

    core: Mapping[str, float]
    reliable: Mapping[str, float]
    reliability: float
    exaggeration: tuple[str, ...]
    dampening: tuple[str, ...]


PROGRAMS: Mapping[str, Program] = {
    'happiness': Program(
        core={'mouthSmile': 0.75, 'mouthUpperUp': 0.15, 'jawOpen': 0.08},
        reliable={'cheekSquint': 0.90, 'eyeSquint': 0.45},
        reliability=1.0,
        exaggeration=('jawOpen', 'mouthUpperUp', 'browOuterUp'),
        dampening=('mouthDimple', 'mouthShrugLower', 'mouthPress'),
    ),
    'sadness': Program(
        core={
            'mouthFrown': 0.70,
            'mouthShrugLower': 0.40,
            'browDown': 0.25,
            'eyeSquint': 0.15,
        },
        reliable={'browInnerUp': 0.95, 'browDown': 0.20},
        reliability=1.0,
        exaggeration=('mouthShrugLower', 'eyeSquint', 'mouthLowerDown'),
        dampening=('mouthPress', 'mouthDimple', 'eyeSquint'),
    ),
    'fear': Program(
        core={
            'eyeWide': 0.70,
            'browOuterUp': 0.40,
            'jawOpen': 0.25,
            'mouthLowerDown': 0.25,
            'browDown': 0.20,
        },
        reliable={'browInnerUp': 0.85, 'mouthStretch': 0.75},
        reliability=1.0,
        exaggeration=('jawOpen', 'mouthLowerDown', 'noseSneer'),
        dampening=('browDown', 'eyeSquint', 'mouthDimple'),
    ),
    'anger': Program(
        core={
            'browDown': 0.85,
            'eyeSquint': 0.40,
            'noseSneer': 0.25,
            'mouthShrugLower': 0.20,
        },
        reliable={'mouthPress': 0.95, 'eyeSquint': 0.20},
        reliability=1.0,
        exaggeration=('noseSneer', 'jawOpen', 'mouthUpperUp'),
        dampening=('mouthDimple', 'mouthFrown', 'cheekSquint'),
    ),
    'disgust': Program(
        core={
            'mouthUpperUp': 0.60,
            'noseSneer': 0.35,
            'browDown': 0.30,
            'mouthShrugLower': 0.25,
            'mouthFrown': 0.20,
        },
        reliable={'noseSneer': 0.65, 'cheekSquint': 0.45},
        reliability=0.5,
        exaggeration=('eyeSquint', 'jawOpen', 'mouthLowerDown'),
        dampening=('mouthPress', 'mouthDimple', 'browInnerUp'),
    ),
    'surprise': Program(
        core={
            'browOuterUp': 0.75,
            'browInnerUp': 0.65,
            'jawOpen': 0.40,
            'eyeWide': 0.25,
        },
        reliable={'eyeWide': 0.55, 'mouthLowerDown': 0.25},
        reliability=0.5,
        exaggeration=('jawOpen', 'mouthUpperUp', 'mouthLowerDown'),
        dampening=('browDown', 'mouthSmile', 'mouthDimple'),
    ),
}

EMOTIONS = tuple(PROGRAMS)


@dataclass(frozen=True)
class Habit:
    """How one subject's expressions differ from those of others.

    Attributes:
        log_intensity: Added to the mean of the log intensity.
        reliable: Added to the mean of the reliable gain, before the sigmoid.
        asymmetry: Added to the mean of the asymmetry.
    """

    log_intensity: float
    reliable: float
    asymmetry: float


@dataclass(frozen=True)
class Expression:
    """One expression at its apex.

    Attributes:
        intensity: Gain of the core muscles.
        reliable_gain: Gain of the reliable muscles, 0 to 1.
        asymmetry: Positive where the subject's left side is stronger.
        activations: Activation 0 to 1 by sided muscle name, such as
            ``mouthSmileLeft``; muscles at rest are left out.
    """

    intensity: float
    reliable_gain: float
    asymmetry: float
    activations: Mapping[str, float]


def sides(muscle: str) -> tuple[str, ...]:
    """Name the targets of a muscle: left and right, or the one in the middle."""
    return (muscle,) if muscle in UNSIDED else (f'{muscle}Left', f'{muscle}Right')


MUSCLES = tuple(side for muscle in SIDED + UNSIDED for side in sides(muscle))


def sample_habit(rng: np.random.Generator) -> Habit:
    """Draw the offsets of one subject."""
    return Habit(rng.normal(0, 0.10), rng.normal(0, 0.30), rng.normal(0, 0.03))


def sample_expression(
    rng: np.random.Generator, emotion: str, label: str, habit: Habit
) -> Expression:
    """Draw one expression.

    Args:
        rng: Source of chance; it is used up by this call.
        emotion: One of ``EMOTIONS``.
        label: One of ``LABELS``.
        habit: Offsets of the subject.

    Raises:
        ValueError: If the emotion or the label is unknown.
    """
    if emotion not in PROGRAMS:
        raise ValueError(
            f'emotion is {emotion!r}; it must be one of '
            f'{", ".join(map(repr, EMOTIONS))}'
        )
    if label not in LABELS:
        raise ValueError(
            f'label is {label!r}; it must be one of {", ".join(map(repr, LABELS))}'
        )
    program = PROGRAMS[emotion]
    posed = label == 'posed'
    c = SEPARATION * (-1 if posed else 1)

    mean = np.log(0.80) - 0.10 * c + habit.log_intensity
    intensity = np.exp(rng.normal(mean, 0.20 if posed else 0.26))
    mean = -0.40 + 0.95 * c * program.reliability + habit.reliable
    reliable_gain = 1 / (1 + np.exp(-rng.normal(mean, 0.85)))
    mean = habit.asymmetry + (0.04 * SEPARATION if posed else 0.0)
    asymmetry = rng.normal(mean, max(0.03, 0.09 - 0.03 * c))

    level: dict[str, float] = {}

    def add(muscle: str, amount: float) -> None:
        level[muscle] = level.get(muscle, 0.0) + amount

    for muscle, weight in program.core.items():
        add(muscle, weight * intensity * np.exp(rng.normal(0, 0.18)))
    for muscle, weight in program.reliable.items():
        gain = reliable_gain * np.sqrt(intensity)
        add(muscle, weight * gain * np.exp(rng.normal(0, 0.18)))
    extras = (program.exaggeration, -1), (program.dampening, 1)
    for muscles, sign in extras:
        count = min(rng.poisson(0.90 + 0.30 * sign * c), len(muscles))
        for muscle in rng.choice(muscles, count, replace=False).tolist():
            add(muscle, rng.uniform(0.10, 0.35))

    activations = {}
    for muscle, amount in level.items():
        tilt = asymmetry + rng.normal(0, 0.05)
        factors = (1,) if muscle in UNSIDED else (1 + tilt, 1 - tilt)
        for side, factor in zip(sides(muscle), factors, strict=True):
            activations[side] = float(np.clip(amount * factor, 0, 1))
    return Expression(
        float(intensity), float(reliable_gain), float(asymmetry), activations
    )
