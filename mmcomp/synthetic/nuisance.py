"""Everything that differs between pictures and says nothing about the class.

No function here knows whether the expression is posed or spontaneous.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .expressions import sides
from .head import load_head

#: Factor on what changes between the two frames of a pair, by level.
LEVELS: Mapping[str, float] = {'lab': 0.5, 'hard': 1.0}

#: Azimuth in degrees (positive: the subject's left) and share of each lamp.
LIGHTS: Mapping[str, tuple[float, float]] = {
    'front': (0.0, 0.50),
    'left': (40.0, 0.25),
    'right': (-40.0, 0.25),
}

_RACES = ('african', 'asian', 'caucasian')
_LOCAL = (
    'head',
    'eyes',
    'nose',
    'mouth',
    'chin',
    'cheek',
    'forehead',
    'eyebrows',
    'ears',
)
_RESTLESS = (
    'browDown',
    'browInnerUp',
    'eyeSquint',
    'mouthFrown',
    'mouthPress',
    'mouthShrugLower',
    'mouthSmile',
)


@dataclass(frozen=True)
class Look:
    """Surface of one subject. Tones are display grays, 0 black to 1 white.

    Attributes:
        tone: Skin.
        mottle: Amplitude of blotches, a fraction of the skin's albedo.
        lips: Darkening of the lips.
        stubble: Darkening where a beard would grow.
        crease: Depth of the folds that expressions make.
        iris: Iris.
        brow: Opacity of the brows.
        brow_width, brow_length: Factors on the size of the brows.
        hair: Hair and brows.
        hairline: Shift of the hairline; positive is lower.
        hair_volume: Thickness of the hair in decimetres.
        hair_length: Lowest height of long hair in decimetres, 0 for short hair.
        cloth: Clothes.
        texture: Seed of blotches and strands.
    """

    tone: float
    mottle: float
    lips: float
    stubble: float
    crease: float
    iris: float
    brow: float
    brow_width: float
    brow_length: float
    hair: float
    hairline: float
    hair_volume: float
    hair_length: float
    cloth: float
    texture: int


@dataclass(frozen=True)
class Identity:
    """One subject: shape as weights by morph target name, and surface."""

    shape: Mapping[str, float]
    look: Look


@dataclass(frozen=True)
class View:
    """How one picture is taken, and what the face does apart from the expression.

    Attributes:
        pitch, yaw, roll: Head rotation in degrees; positive is down, to the
            subject's left, and a tilt towards the subject's right shoulder.
        light_x, light_y, light_z: Direction to the lamp, not normalised.
        key, fill, ambient: Strength of lamp, counter light and surroundings.
        background: Albedo behind the head.
        slope_x, slope_y: Its change from edge to edge, a fraction.
        blur: Standard deviation in output pixels.
        exposure, gain, gamma: Tone curve, 1 is neutral.
        noise: Standard deviation of the sensor noise, as a fraction of white.
        eye_right_x, eye_right_y, eye_left_x, eye_left_y: Error of the located
            eyes in pixels of a 48 pixel crop.
        blink: Lid closure 0 to 1.
        gaze_x, gaze_y: Gaze, positive to the subject's left and up.
        rest: Activations of the resting face by sided muscle name.
    """

    pitch: float
    yaw: float
    roll: float
    light_x: float
    light_y: float
    light_z: float
    key: float
    fill: float
    ambient: float
    background: float
    slope_x: float
    slope_y: float
    blur: float
    exposure: float
    gain: float
    gamma: float
    noise: float
    eye_right_x: float
    eye_right_y: float
    eye_left_x: float
    eye_left_y: float
    blink: float
    gaze_x: float
    gaze_y: float
    rest: Mapping[str, float]


@dataclass(frozen=True)
class Setting:
    """What the two frames of a pair share: pose, light, background and lens."""

    light: str
    pitch: float
    yaw: float
    roll: float
    azimuth: float
    elevation: float
    key: float
    fill: float
    ambient: float
    background: float
    slope_x: float
    slope_y: float
    blur: float


@lru_cache(maxsize=1)
def shape_choices() -> tuple[tuple[tuple[str, ...], ...], ...]:
    """List the local shape features.

    Returns:
        For each feature its alternatives (such as wider and narrower), each the
        names of the targets that it moves, of both sides where there are sides.
        Shifts of the whole head and sideways shifts are left out.
    """
    head = load_head()
    features: dict[str, dict[str, list[str]]] = {}
    for name in (name for group in _LOCAL for name in head.names(group)):
        if re.match(r'head-trans|(nose|mouth)-trans-(in|out)', name):
            continue
        option = re.sub(r'-(left|right)$', '', name)
        feature = re.sub(
            r'-(incr|decr|up|down|in|out|forward|backward|con\w+|(un)?compress)\b',
            '',
            option,
        )
        features.setdefault(feature, {}).setdefault(option, []).append(name)
    return tuple(tuple(map(tuple, options.values())) for options in features.values())


def sample_identity(rng: np.random.Generator) -> Identity:
    """Draw one adult."""
    race = rng.dirichlet([0.6] * 3)
    male, old = rng.beta(0.5, 0.5), rng.beta(1.0, 2.0)
    shape = {
        f'{name}-{gender}-{age}': float(race[i] * by_gender * by_age)
        for i, name in enumerate(_RACES)
        for gender, by_gender in (('female', 1 - male), ('male', male))
        for age, by_age in (('young', 1 - old), ('old', old))
    }
    features = shape_choices()
    for i in rng.choice(len(features), 40, replace=False):
        option = features[i][rng.integers(len(features[i]))]
        shape.update(dict.fromkeys(option, rng.uniform(0, 0.4)))
    for name in rng.choice(load_head().names('asym'), 4, replace=False):
        shape[str(name)] = rng.uniform(0, 0.3)
    tone = rng.uniform(0.35, 0.85)
    long_hair = rng.random() < 0.8 * (1 - male)
    look = Look(
        tone=tone,
        mottle=rng.uniform(0.02, 0.06),
        lips=rng.uniform(0.15, 0.45),
        stubble=male * rng.uniform(0.0, 0.35),
        crease=0.3 + 0.7 * old,
        iris=rng.uniform(0.15, 0.50),
        brow=rng.uniform(0.60, 0.95),
        brow_width=rng.uniform(0.75, 1.25),
        brow_length=rng.uniform(0.85, 1.05),
        hair=tone * rng.uniform(0.20, 0.75),
        hairline=rng.uniform(-0.15, 0.15),
        hair_volume=rng.uniform(0.05, 0.16),
        hair_length=rng.uniform(6.0, 6.9) * long_hair,
        cloth=rng.uniform(0.15, 0.80),
        texture=int(rng.integers(2**31)),
    )
    return Identity(shape, look)


def sample_setting(rng: np.random.Generator) -> Setting:
    """Draw what both frames of a pair share."""
    names = list(LIGHTS)
    light = names[rng.choice(len(names), p=[LIGHTS[name][1] for name in names])]
    return Setting(
        light=light,
        pitch=rng.normal(0, 4),
        yaw=rng.normal(0, 5),
        roll=rng.normal(0, 3),
        azimuth=rng.normal(LIGHTS[light][0], 10),
        elevation=rng.normal(25, 8),
        key=rng.uniform(0.60, 0.80),
        fill=rng.uniform(0.20, 0.40),
        ambient=rng.uniform(0.12, 0.25),
        background=rng.uniform(0.02, 0.60),
        slope_x=rng.uniform(-0.4, 0.4),
        slope_y=rng.uniform(-0.4, 0.4),
        blur=rng.uniform(0.3, 0.6),
    )


def sample_view(rng: np.random.Generator, setting: Setting, level: str) -> View:
    """Draw one frame of a pair.

    Args:
        rng: Source of chance. The same state gives the same draws at all
            levels, only scaled.
        setting: What the frame shares with the other one.
        level: A key of ``LEVELS``.
    """
    change = LEVELS[level]
    pitch, yaw, roll = rng.normal(0, (2, 2.5, 2)) * change
    light = np.deg2rad([setting.azimuth, setting.elevation])
    x, y, z = rng.normal(0, 0.08, 3) * change + (
        np.sin(light[0]) * np.cos(light[1]),
        np.sin(light[1]),
        np.cos(light[0]) * np.cos(light[1]),
    )
    exposure, gain, gamma = np.exp(rng.normal(0, (0.05, 0.05, 0.06)) * change)
    eyes = rng.normal(0, 0.7, 4) * change
    blink = rng.uniform(0, 0.15)
    gaze = np.clip(rng.normal(0, 0.12, 2), -0.3, 0.3)
    rest = {
        side: float(min(abs(rng.normal(0, 0.04)), 0.12))
        for muscle in _RESTLESS
        for side in sides(muscle)
    }
    return View(
        pitch=float(setting.pitch + pitch),
        yaw=float(setting.yaw + yaw),
        roll=float(setting.roll + roll),
        light_x=float(x),
        light_y=float(y),
        light_z=float(z),
        key=setting.key,
        fill=setting.fill,
        ambient=setting.ambient,
        background=setting.background,
        slope_x=setting.slope_x,
        slope_y=setting.slope_y,
        blur=setting.blur,
        exposure=float(exposure),
        gain=float(gain),
        gamma=float(gamma),
        noise=rng.uniform(0.008, 0.02) * change,
        eye_right_x=float(eyes[0]),
        eye_right_y=float(eyes[1]),
        eye_left_x=float(eyes[2]),
        eye_left_y=float(eyes[3]),
        blink=blink,
        gaze_x=float(gaze[0]),
        gaze_y=float(gaze[1]),
        rest=rest,
    )
