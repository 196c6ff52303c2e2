"""What each command of tools/visualize.py shows, as a page of pictures."""

from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.model import BaseModel

from mmcomp.compat import config_of
from mmcomp.models.inspect import class_scores, members_of, name_of, prepare_pairs

from .examples import Example, values_of
from .explain import BOTH, EACH, GRADIENTS, explain, margins, rank_correlations
from .networks import random_model
from .page import Page, Picture
from .pairs import describe, displayable, pairs_figure, seen_pairs


def pairs_page(
    model: BaseModel, examples: Sequence[Example], training: bool = True, seed: int = 0
) -> Page:
    """Pairs as they enter the network.

    Args:
        model: Whose preprocessor is shown.
        examples: The pairs.
        training (bool): Whether to augment.
        seed (int): Of all random numbers.
    """
    preprocessor = model.data_preprocessor
    labels = [example.info.get('gt_label', 0) for example in examples]  # for Mixup
    pairs = [example.pair for example in examples]
    seen, drawn = seen_pairs(preprocessor, pairs, labels, training, seed)
    captions = [(e.caption, describe(own)) for e, own in zip(examples, drawn)]
    mode = f'training, seed {seed}' if training else 'testing'
    heading = f'{name_of(model)}: pairs as the network sees them in {mode}'
    note = 'onset left, apex right; one scale of brightness for all'
    images = displayable(seen, preprocessor.to_rgb)
    figure = pairs_figure(images, captions, heading, note)
    return Page(heading, [Picture('', figure, note)])


def features_page(
    model: BaseModel,
    examples: Sequence[Example],
    stage: str | None = None,
    channels: int = 8,
) -> Page:
    """Maps of onset and apex, and compared maps; a picture for each member of a stack.

    Args:
        model: The network.
        examples: The pairs.
        stage (str, optional): See :func:`mmcomp.visualization.maps.stage_maps`.
        channels (int): How many channels to show.
    """
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
    """Where decisions come from, compared with networks of random weights.

    Args:
        model: The network.
        examples: The pairs.
        target (str, optional): The class to explain. Defaults to that which is
            predicted.
        patch, baseline: See :func:`mmcomp.visualization.explain.explain`.
        controls (int): How many networks of random weights to compare with.
        seed (int): Of their weights.

    Raises:
        ValueError: If the class is unknown, ``controls`` is negative, or the SVM of a
            stack is not fitted.
    """
    from .explanations import explanation_figure

    classes = list(model.classes)
    if target is not None and target not in classes:
        raise ValueError(f'class is {target!r}; there are {", ".join(classes)}')
    if controls < 0:
        raise ValueError(f'controls is {controls}; it cannot be negative')
    if not getattr(model, 'is_fitted', True):
        raise ValueError('the SVM of this stack is not fitted; train it first')
    inputs = prepare_pairs(model, [example.pair for example in examples])
    scores = class_scores(model, inputs)
    wanted = scores.argmax(1)
    if target is not None:
        wanted = torch.full_like(wanted, classes.index(target))
    maps = explain(model, inputs, wanted, patch, baseline)
    others = []
    for index in range(controls):
        control = random_model(config_of(model), seed + 1 + index, inputs.device)
        others.append(explain(control.eval(), inputs, wanted, patch, baseline))
    with torch.no_grad():
        ahead = margins(model)(inputs).gather(1, wanted[:, None])[:, 0].tolist()
    captions = [
        (
            example.caption,
            f'predicted {classes[int(score.argmax())]} ({score.max():.2f}); explained: '
            f'{classes[int(which)]}, margin {margin:+.2f}',
        )
        for example, score, which, margin in zip(examples, scores, wanted, ahead)
    ]
    notes = ['red argues for the class that is explained, blue against it']
    if others:
        found = rank_correlations(maps, others)
        text = ', '.join(f'{k} {a:+.2f} ({b:.2f})' for k, (a, b) in found.items())
        notes.append(
            f'rank correlation with maps of random weights (without sign):\n{text}'
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
    """Features of all pairs of a data set, laid out by t-SNE.

    Args:
        model: The network.
        dataset: The pairs.
        columns: What to colour by; see
            :func:`mmcomp.visualization.examples.values_of`.
        marked: Pairs to mark, of the data set or not.
        perplexity (float): Of t-SNE.
        seed (int): Of t-SNE.
    """
    from .embedding import embedding_figure, lay_out, neighbour_share, pre_logits

    values = values_of(dataset, columns)
    pairs = [dataset[i]['inputs'] for i in range(len(dataset))]
    features = pre_logits(model, [*pairs, *(example.pair for example in marked)])
    own = features[: len(pairs)]
    shares = {column: neighbour_share(own, values[column]) for column in values}
    note = f'{own.shape[1]} features of {len(pairs)} pairs, laid out by t-SNE'
    figure = embedding_figure(
        lay_out(features, seed, perplexity),
        values,
        shares,
        {example.name: len(pairs) + i for i, example in enumerate(marked)},
        f'{name_of(model)}: what the last layer decides on',
        note,
    )
    heading = f'{name_of(model)}: embedding of pre_logits'
    return Page(heading, [Picture('', figure, note)], EMBEDDING_NOTES)


def curves_page(folders: Sequence[Path], metrics: Sequence[str] | None = None) -> Page:
    """Training curves of runs or whole experiments."""
    from .curves import curves_figure, read_curves

    runs = read_curves(folders)
    count = f'{len(runs)} run{"s" * (len(runs) != 1)}'
    note = 'thin: runs; thick: mean of a network' if len(runs) > 1 else ''
    heading = f'Training curves of {count}'
    figure = curves_figure(runs, metrics, heading, note)
    return Page(heading, [Picture('', figure, note or count)])


FEATURE_NOTES: list[str] = [
    'Channels are ordered by the energy of the compared maps, the same for all pairs. '
    'Onset and apex share one scale, compared maps another.',
    'A bright place says that the layer answers there, not that the decision rests on '
    'it.',
]
EXPLAIN_NOTES: list[str] = [
    'The margin is the score before the softmax, less the mean of the other classes.',
    f'{GRADIENTS}: integrated gradients; the two maps of a pair add up to its margin '
    'less that of the baseline, where nothing moves (still) or all is gray (flat).',
    f'{BOTH}, {EACH}: by how much the margin falls when a patch is covered.',
    'A rank correlation near 1 with networks of random weights says that maps show the '
    'faces rather than the network; sizes without sign always share the places where '
    'onset and apex differ.',
    'Maps say which pixels this network uses. They say nothing about why, and nothing '
    'about the person.',
]
EMBEDDING_NOTES: list[str] = [
    'Neighbours in the picture are similar to the network; distances between groups, '
    'and their sizes, mean nothing in t-SNE. The fractions are taken in all dimensions.'
]
