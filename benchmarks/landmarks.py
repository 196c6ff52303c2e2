"""Measure the landmarks of mmcomp.faces: accuracy, closed eyes, speed.

Prints one table; docs/faces.md quotes it. Errors are those against the projected mesh
of rendered heads, in percent of the eye distance. Takes 5 minutes on one core.
"""

import argparse
import platform
import time
from datetime import date

import cv2
import numpy as np

from benchmarks.rendered import FPS, render
from mmcomp.faces import (
    FaceDetector,
    LandmarkFinder,
    eye_openness,
    read_image,
)
from mmcomp.faces.eyes import CLOSED, lid_opening
from mmcomp.faces.landmarks import aligned_eyes
from mmcomp.faces.samples import ORL_FACES, fetch
from mmcomp.synthetic import LEVELS, EyeCrop, make_plan
from mmcomp.synthetic.renderer import Renderer

#: Points of the network at landmarks of the mesh, by part of the face. Others, such as
#: the outer corners of the eyes and the chin, are at other places in the two.
PLACES = {
    'corners of the eyes': {'eye_inner_right': 133, 'eye_inner_left': 362},
    'corners of the mouth': {'mouth_corner_right': 61, 'mouth_corner_left': 291},
    'lips': {'lip_seam_upper': 13, 'lip_seam_lower': 14},
}
SIZES = 48, 320

#: ORL pictures with closed or lowered eyes, as we see them.
ORL_CLOSED = (
    *('s3/4', 's3/5', 's3/6', 's4/9', 's8/3', 's8/7', 's11/4', 's11/9', 's22/6'),
    *('s26/6', 's27/5', 's27/6', 's27/9', 's36/5'),
)


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--seed', type=int, default=2024, help='of the subjects')
    parser.add_argument('--lid-seed', type=int, default=771, help='of the clips')
    parser.add_argument('--subjects', type=int, default=20)
    parser.add_argument(
        '--quick', action='store_true', help='one subject and few photos: to try it'
    )
    args = parser.parse_args()
    args.subjects = 1 if args.quick else args.subjects
    cv2.setNumThreads(1)
    print(f'| landmarks, {date.today()}, {platform.machine()}, one core | |\n|---|---|')
    for part in (*(accuracy(args, level) for level in LEVELS), lids(args), orl(args)):
        try:
            for name, value in part:
                print(f'| {name} | {value} |', flush=True)
        except OSError as error:
            print(f'| not measured | {error} |', flush=True)


def subjects(args, level):
    """Yield the renderer and the first pair of each subject."""
    plan = make_plan('nvie-subset', level, seed=args.seed)
    for subject in list(plan.samples)[: args.subjects]:
        renderer = Renderer(plan.identities[subject], oversampling=2)
        yield renderer, plan.samples[subject][0]


def accuracy(args, level):
    """Compare points, and their motion from onset to apex, with the mesh."""
    finder = LandmarkFinder()
    errors = {size: [] for size in SIZES}
    moved = {size: [] for size in SIZES}
    spent = dict.fromkeys(SIZES, 0.0)
    faults = 0
    true_motion = []
    names = {name: index for part in PLACES.values() for name, index in part.items()}
    for renderer, sample in subjects(args, level):
        for size in SIZES:
            off = []
            true = []
            for frame in ('onset', 'apex'):
                what = sample.activations(frame), sample.view(frame), EyeCrop(size)
                image = renderer.render(*what, np.random.default_rng(0))
                place = renderer.locate(*what)
                start = time.process_time()
                found = finder.find(image, aligned_eyes(size))
                spent[size] += time.process_time() - start
                faults += bool(found.fault)
                true.append(np.array([place[name] for name in names]))
                off.append(found.points[list(names.values()), :2] - true[-1])
            unit = 100 / (0.44 * size)
            errors[size] += [unit * np.hypot(*own.T) for own in off]
            moved[size].append(unit * np.hypot(*(off[1] - off[0]).T))
        true_motion.append(unit * np.hypot(*(true[1] - true[0]).T))
    count = len(true_motion) * 2
    for i, part in enumerate(PLACES):
        own = slice(2 * i, 2 * i + 2)
        for title, values in (('error', errors), ('error of the motion', moved)):
            text = ', '.join(
                f'{np.mean(values[s], axis=0)[own].mean():.1f}' for s in SIZES
            )
            if title != 'error':
                true = np.mean(true_motion, axis=0)[own].mean()
                text += f' (true motion: {true:.1f})'
            yield f'{level}, {part}: {title} at 48 and 320 pixels, %', text
    yield f'{level}: not trusted', f'{faults} of {2 * count} images'
    text = ', '.join(f'{1000 * spent[size] / count:.1f}' for size in SIZES)
    yield f'{level}: CPU time of an image of 48 and 320 pixels', f'{text} ms'


def lids(args):
    """Compare lid distance and the check of closed eyes, on rendered blinks."""
    detector, finder = FaceDetector(), LandmarkFinder()
    plan = [
        (level, emotion, 'posed')
        for emotion in ('none', 'happiness', 'surprise', 'anger')
        for level in LEVELS
        for _ in range(2)
    ][: args.subjects]
    values = {'open': [], 'half closed': [], 'closed': []}
    for sample in render(args.lid_seed, plan, FPS, 4):
        for i, (image, lid) in enumerate(zip(sample.frames, sample.lids)):
            name = 'open' if lid < 0.3 else 'half closed' if lid < 0.7 else 'closed'
            if name == 'open' and i % 12:
                continue
            eyes = detector.detect(image)[0].eyes
            opening = lid_opening(finder.find(image, eyes).points).mean()
            values[name].append((opening, eye_openness(image, eyes)))
    opened = np.array(values['open'])
    for name in ('half closed', 'closed'):
        shut = np.array(values[name]).reshape(-1, 2)
        share = 100 * (shut[None] < opened[:, None]).mean(axis=(0, 1))
        text = '{:.1f}, {:.1f} %'.format(*share)
        yield f'eyes that are {name} are below open ones: lids, check', text
    for title, use_lids in (('check', False), ('check and lids below .28', True)):
        text = ', '.join(
            f'{((y < CLOSED) & ((x < 0.28) | (not use_lids))).sum()} of {len(x)}'
            for x, y in (np.array(own).reshape(-1, 2).T for own in values.values())
        )
        yield f'{", ".join(values)}: reported by the {title}', text


def orl(args):
    """Compare them on the ORL faces."""
    detector, finder = FaceDetector(), LandmarkFinder()
    root = fetch(*ORL_FACES)
    names, values, faults = [], [], 0
    for file in sorted(root.glob('s*/*.pgm'))[:: 20 if args.quick else 1]:
        image = read_image(file)
        eyes = detector.detect(image)[0].eyes
        found = finder.find(image, eyes)
        faults += bool(found.fault)
        names.append(f'{file.parent.name}/{file.stem}')
        opened = eye_openness(image, eyes)
        values.append((lid_opening(found.points).mean(), opened))
    yield 'ORL: not trusted', f'{faults} of {len(names)}'
    lid, opened = np.array(values).T
    shut = np.isin(names, ORL_CLOSED)
    count = int((opened < CLOSED).sum())
    first = np.argsort(lid)[:count]
    yield (
        f'ORL: of {len(ORL_CLOSED)} with closed or lowered eyes, among the {count} '
        'lowest: lids, check',
        f'{shut[first].sum()}, {shut[opened < CLOSED].sum()}',
    )
    both = (opened < CLOSED) & (lid < 0.28)
    yield (
        'ORL: reported by the check with lids below .28; of these closed or lowered',
        f'{both.sum()}; {shut[both].sum()}',
    )


if __name__ == '__main__':
    main()
