"""The pages of ``mmcomp visualize``, one function for each command."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.model import BaseModel

from mmcomp.compat import config_of
from mmcomp.faces.landmark_table import PairLandmarks, find_aligned
from mmcomp.models.inspect import (
    check_fitted,
    class_scores,
    evaluating,
    members_of,
    name_of,
    prepare_pairs,
    refuse_fitted,
)

from .examples import Example, values_of
from .explain import BOTH, EACH, GRADIENTS, explain, margins, rank_correlations
from .networks import random_model
from .page import Page, Picture
from .pairs import describe, displayable, pairs_figure, seen_pairs

#: Commands that need networks alone, and what they show.
_INSIDE = dict(features='a picture of feature maps', explain='an explanation')


def check_command(command: str, model: BaseModel) -> None:
    """Check that a command of ``mmcomp visualize`` can show a model.

    Raises:
        ValueError: If it cannot.
    """
    if command in _INSIDE:
        refuse_fitted(model, _INSIDE[command])


def pairs_page(
    model: BaseModel, examples: Sequence[Example], training: bool = True, seed: int = 0
) -> Page:
    """Show pairs as they enter the network.

    Args:
        model: The network, whose preprocessor is used.
        examples: The pairs.
        training (bool): Whether to augment.
        seed (int): Seed of all random numbers.
    """
    preprocessor = model.data_preprocessor
    labels = [example.info.get('gt_label', 0) for example in examples]  # for Mixup
    pairs = [example.pair for example in examples]
    seen, drawn = seen_pairs(preprocessor, pairs, labels, training, seed)
    captions = [(e.caption, describe(own)) for e, own in zip(examples, drawn)]
    mode = f'training, seed {seed}' if training else 'testing'
    heading = f'{name_of(model)}: pairs as the network sees them in {mode}'
    note = 'onset left, apex right; all pairs share one brightness scale'
    images = displayable(seen, preprocessor.to_rgb)
    figure = pairs_figure(images, captions, heading, note)
    return Page(heading, [Picture('', figure, note)])


def landmarks_page(examples: Sequence[Example]) -> Page:
    """Show the facial points of both images, and how they move.

    Args:
        examples: The pairs; if they have three channels, BGR as they are loaded.

    Raises:
        ValueError: If the images are not square, as aligned faces are.
    """
    from .landmarks import ENLARGED, landmarks_figure

    pairs = torch.stack([example.pair for example in examples])
    pixels = pairs.permute(0, 1, 3, 4, 2).cpu().numpy().astype(np.uint8)
    faces = list(np.ascontiguousarray(pixels.reshape(-1, *pixels.shape[2:])))
    points = find_aligned(faces)
    found = [
        PairLandmarks(example.name, *own)
        for example, *own in zip(examples, points[::2], points[1::2])
    ]
    heading = 'Facial points'
    note = (
        f'onset left, apex right; arrows: motion of 51 of 468 points to the apex, '
        f'{ENLARGED} times enlarged, without that of the head'
    )
    images = displayable(pairs)
    captions = [example.caption for example in examples]
    figure = landmarks_figure(images, found, captions, heading, note)
    return Page(heading, [Picture('', figure, note)], [])


def features_page(
    model: BaseModel,
    examples: Sequence[Example],
    stage: str | None = None,
    channels: int = 8,
) -> Page:
    """Show maps of onset and apex and compared maps, for each member of a stack.

    Args:
        model: The network.
        examples: The pairs.
        stage (str, optional): See :func:`mmcomp.visualization.maps.stage_maps`.
        channels (int): Number of channels to show.
    """
    check_command('features', model)
    from .features import class_columns, features_figure
    from .maps import stage_maps

    inputs = prepare_pairs(model, [example.pair for example in examples])
    images = displayable(inputs, model.data_preprocessor.to_rgb)
    captions = [example.caption for example in examples]
    columns = class_columns([example.label for example in examples])
    pictures = []
    for name, member in members_of(model).items():
        maps = stage_maps(member.backbone, inputs, stage)
        figure = features_figure(maps, images, captions, columns, channels, name)
        pictures.append(Picture(name, figure, f'{name}, after {maps.stage}'))
    return Page(f'{name_of(model)}: feature maps', pictures, FEATURE_NOTES)


def explain_page(
    model: BaseModel,
    examples: Sequence[Example],
    target: str | None = None,
    patch: int | None = None,
    baseline: str = 'still',
    controls: int = 2,
    seed: int = 0,
) -> Page:
    """Show attribution maps, compared with those of networks with random weights.

    Args:
        model: The network.
        examples: The pairs.
        target (str, optional): The class to explain. Defaults to the predicted one.
        patch, baseline: See :func:`mmcomp.visualization.explain.explain`.
        controls (int): Number of networks with random weights to compare with.
        seed (int): Seed of their weights.

    Raises:
        ValueError: If the class is unknown, ``controls`` is negative, the SVM of a
            stack is not fitted, or the model is not a network alone.
    """
    check_command('explain', model)
    from .explanations import explanation_figure

    classes = list(model.classes)
    if target is not None and target not in classes:
        raise ValueError(
            f'class is {target!r}; it must be one of {", ".join(map(repr, classes))}'
        )
    if controls < 0:
        raise ValueError(f'controls is {controls}; it must be at least 0')
    check_fitted(model)
    inputs = prepare_pairs(model, [example.pair for example in examples])
    scores = class_scores(model, inputs)
    wanted = scores.argmax(1)
    if target is not None:
        wanted = torch.full_like(wanted, classes.index(target))
    maps = explain(model, inputs, wanted, patch, baseline)
    others = []
    for index in range(controls):
        control = random_model(config_of(model), seed + 1 + index, inputs.device)
        others.append(explain(control, inputs, wanted, patch, baseline))
    with torch.no_grad(), evaluating(model):
        ahead = margins(model)(inputs).gather(1, wanted[:, None])[:, 0].tolist()
    captions = [
        (
            example.caption,
            f'predicted {classes[int(score.argmax())]} ({score.max():.2f}); explained: '
            f'{classes[int(which)]}, margin {margin:+.2f}',
        )
        for example, score, which, margin in zip(examples, scores, wanted, ahead)
    ]
    notes = ['red supports the explained class, blue contradicts it']
    if others:
        found = rank_correlations(maps, others)
        text = ', '.join(f'{k} {a:+.2f} ({b:.2f})' for k, (a, b) in found.items())
        notes.append(
            'rank correlation with maps of random weights (of absolute values):\n'
            f'{text}'
        )
    figure = explanation_figure(
        maps,
        displayable(inputs, model.data_preprocessor.to_rgb),
        captions,
        others[0] if others else None,
        f'{name_of(model)}: where the decision comes from',
        '\n'.join(notes),
    )
    picture = Picture('', figure, notes[0])
    heading = f'{name_of(model)}: explanations'
    return Page(heading, [picture], EXPLAIN_NOTES)


def embedding_page(
    model: BaseModel,
    dataset,
    columns: Sequence[str] | None = None,
    marked: Sequence[Example] = (),
    perplexity: float = 30,
    seed: int = 0,
) -> Page:
    """Show a t-SNE embedding of the features of all pairs of a dataset.

    Args:
        model: The network.
        dataset: The pairs.
        columns: Columns to colour by; see
            :func:`mmcomp.visualization.examples.values_of`.
        marked: Pairs to mark, of the dataset or others.
        perplexity (float): Perplexity of t-SNE.
        seed (int): Seed of t-SNE.
    """
    from .embedding import embedding_figure, lay_out, neighbour_share, pre_logits

    values = values_of(dataset, columns)
    pairs = [dataset[i]['inputs'] for i in range(len(dataset))]
    features = pre_logits(model, [*pairs, *(example.pair for example in marked)])
    own = features[: len(pairs)]
    shares = {column: neighbour_share(own, values[column]) for column in values}
    note = f'{own.shape[1]} features of {len(pairs)} pairs, embedded by t-SNE'
    figure = embedding_figure(
        lay_out(features, seed, perplexity),
        values,
        shares,
        {example.name: len(pairs) + i for i, example in enumerate(marked)},
        f'{name_of(model)}: input of the last layer',
        note,
    )
    heading = f'{name_of(model)}: embedding of pre_logits'
    return Page(heading, [Picture('', figure, note)], EMBEDDING_NOTES)


def curves_page(folders: Sequence[Path], metrics: Sequence[str] | None = None) -> Page:
    """Show training curves of runs or whole experiments."""
    from .curves import curves_figure, read_curves

    runs = read_curves(folders)
    count = f'{len(runs)} run{"s" * (len(runs) != 1)}'
    note = 'thin lines: runs; thick lines: network means' if len(runs) > 1 else ''
    heading = f'Training curves of {count}'
    figure = curves_figure(runs, metrics, heading, note)
    return Page(heading, [Picture('', figure, note or count)])


FEATURE_NOTES: list[str] = [
    'Channels are ordered by the energy of the compared maps, in the same way for all '
    'pairs. Onset and apex share one scale, compared maps have another.',
    'A bright spot shows that the layer responds there, not that the decision depends '
    'on it.',
]
EXPLAIN_NOTES: list[str] = [
    'The margin is the score before the softmax minus the mean score of the other '
    'classes.',
    f'{GRADIENTS}: integrated gradients. The two maps of a pair add up to its margin '
    'minus that of the baseline, in which nothing moves (still) or everything is gray '
    '(flat).',
    f'{BOTH}, {EACH}: how much the margin falls when a patch is covered.',
    'A rank correlation near 1 with networks with random weights means that the maps '
    'depend on the faces rather than on the network. Absolute values are always '
    'correlated, because all maps are large where onset and apex differ.',
    'Maps show which pixels this network uses. They do not show why, and they say '
    'nothing about the person.',
]
EMBEDDING_NOTES: list[str] = [
    'Neighbours in the picture have similar features. The sizes of groups in t-SNE and '
    'the distances between them have no meaning. The percentages are computed from all '
    'features.'
]
