"""Errors of a trained network on clips, by how much is found instead of known."""

import tempfile
from collections import defaultdict
from dataclasses import replace
from itertools import cycle, islice, product
from pathlib import Path

import numpy as np

from benchmarks.rendered import SHAPE, render, write_video
from mmcomp.faces import FaceDetector, pair_from_clip
from mmcomp.faces.spotting import LIMIT
from mmcomp.synthetic import EMOTIONS, LABELS

_LATE = -6, -4, -2, 2, 4, 6  # frames
_FPS = 15.0  # enough for three seconds, and quicker to render
_SPOTTED = 'spotted frames, eyes found, each its own'


def network(config, checkpoint, seed, count):
    """Count errors on clips, by how much is found instead of known."""
    from mmcomp.apis import PairInferencer

    plan = [('lab', *kind) for kind in product(EMOTIONS, LABELS)]
    plan = list(islice(cycle(plan), count))
    infer = PairInferencer(config, checkpoint, 'cpu', aligned=True)
    detector = FaceDetector()
    pairs = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'clip.mp4')
        for sample in render(seed, plan, _FPS, 3):
            write_video(path, sample.frames, 1, SHAPE, _FPS)
            found = _ways(path, sample, infer.settings, detector)
            late = _late(path, sample, infer.settings)
            for way, pair in {**found, **late}.items():
                pairs[way].append(pair)
    labels = [label for *_, label in plan]
    strong = [i for i, pair in enumerate(pairs[_SPOTTED]) if _is_strong(pair)]
    subsets = ('', range(count)), (f', {len(strong)} clips with enough motion', strong)
    for title, kept in subsets:
        for way in pairs if not title else found:
            made = pairs[way]
            chosen = [i for i in kept if made[i].success]
            results = infer([(made[i].onset, made[i].apex) for i in chosen])
            wrong = sum(r['pred_class'] != labels[i] for r, i in zip(results, chosen))
            text = (
                f'{wrong} errors of {len(chosen)} ({wrong / max(len(chosen), 1):.1%})'
            )
            if len(chosen) < len(kept):
                text += f', {len(kept) - len(chosen)} without a pair'
            yield way + title, text


def _is_strong(pair):
    """Return whether the usual limit would have called it an expression."""
    return pair.success and pair.spotting.height >= LIMIT


def _ways(path, sample, settings, detector):
    """Return the pairs of a clip, from all truth to none of it, and by baselines.

    That there is an expression is known: the limit is low.
    """
    clip = sample.clip
    true = clip.onset, clip.apex
    first = sample.frames[0].astype(float)
    change = [np.abs(frame - first).mean() for frame in sample.frames]
    ways = {
        'true frames': true,
        'spotted frames': (None, None),
        'first frame and largest difference': (0, int(np.argmax(change))),
        'first and middle frame': (0, len(sample.frames) // 2),
    }
    settings = replace(settings, limit=0.1)
    known = pair_from_clip(path, settings, *true, *sample.eyes[list(true)])
    pairs = {'true frames, true eyes': known}
    for way, frames in ways.items():
        pair = pair_from_clip(path, settings, *frames, detector=detector)
        pairs[f'{way}, eyes found, each its own'] = pair
        if pair.success:
            frames = pair.onset_frame, pair.apex_frame
            eyes = pair.onset_eyes, pair.apex_eyes
            pair = pair_from_clip(path, replace(settings, by='onset'), *frames, *eyes)
        pairs[f"{way}, eyes found, both the onset's"] = pair
    return pairs


def _late(path, sample, settings):
    """Return the pairs of a clip with true eyes, from frames too late or too early."""
    pairs = {}
    for moment, late in product(('onset', 'apex'), _LATE):
        shift = late if moment == 'onset' else 0, late if moment == 'apex' else 0
        frames = sample.clip.onset + shift[0], sample.clip.apex + shift[1]
        last = len(sample.frames) - 1
        eyes = (sample.eyes[min(max(frame, 0), last)] for frame in frames)
        pair = pair_from_clip(path, settings, *frames, *eyes)
        pairs[f'{moment} {late:+d} frames, true eyes'] = pair
    return pairs
