"""The page's pictures, embedded in HTML so that no face is written to disk."""

import base64
import io
from collections.abc import Sequence
from html import escape

import cv2
import numpy as np
from matplotlib.figure import Figure

from mmcomp.faces import Face, Spotting
from mmcomp.visualization.style import (
    ACCENT,
    ALARM,
    SIGNED,
    SOFT,
    axes_at,
    color_bar,
    encode,
    styled,
    write,
)

from .analysis import Finding

_FACE_HEIGHT = 300  # pixels of the two pictures with detected faces
_CYAN = (255, 220, 60)  # BGR


def message(text: str, kind: str = 'problem') -> str:
    """Return a sentence as HTML; ``kind`` is 'problem' or 'note'."""
    text = text[:1].upper() + text[1:]
    text = text if text.endswith('.') else text + '.'
    return f'<p class="{kind}" role="alert">{escape(text)}</p>'


def finding(found: Finding) -> str:
    """Return the result of one comparison as HTML."""
    faces = ''.join(
        _figure(face_picture(*each), f'{name}: detected face')
        for name, each in zip(('onset', 'apex'), zip(found.frames, found.faces))
    )
    notes = ''.join(message(note, 'note') for note in found.notes)
    return (
        f'{notes}<div class="paper"><h3>Scores</h3>{score_bars(found.scores)}</div>'
        f'<div class="paper"><h3>What was compared</h3>'
        f'{_image(encode(pair_figure(found)), "onset, apex, difference, map")}</div>'
        f'<div class="paper"><h3>Detected faces</h3><div class="faces">{faces}'
        '</div></div>'
    )


def score_bars(scores: dict[str, float]) -> str:
    """Return a bar for each class as HTML."""
    highest = max(scores, key=scores.__getitem__)
    rows = ''.join(
        f'<div class="score{" highest" if name == highest else ""}">'
        f'<span>{escape(name)}</span>'
        f'<i><b style="width:{100 * value:.1f}%"></b></i><span>{value:.2f}</span></div>'
        for name, value in scores.items()
    )
    return f'<div class="scores">{rows}</div>'


def face_picture(image: np.ndarray, face: Face) -> bytes:
    """Return the picture as JPEG, with the face and its eyes marked."""
    scale = _FACE_HEIGHT / image.shape[0]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    picture = cv2.resize(image, None, fx=scale, fy=scale, interpolation=method)
    corners = np.array([face.box[:2], face.box[:2] + face.box[2:]]) * scale
    (left, top), (right, bottom) = corners.round().astype(int).tolist()
    cv2.rectangle(picture, (left, top), (right, bottom), _CYAN, 2, cv2.LINE_AA)
    for x, y in (face.eyes * scale).round().astype(int).tolist():
        cv2.circle(picture, (x, y), 4, _CYAN, -1, cv2.LINE_AA)
    return cv2.imencode('.jpg', picture)[1].tobytes()


@styled()
def curve(spotting: Spotting, onset: int, apex: int) -> str:
    """Return a plot of motion over time with onset and apex marked, as HTML."""
    figure = Figure(figsize=(7, 2.5))
    axes = figure.add_axes((0.085, 0.2, 0.905, 0.66))
    axes.plot(spotting.numbers, spotting.curve, color=ACCENT, linewidth=1.6)
    unseen = np.where(spotting.seen, np.nan, spotting.curve)
    axes.plot(spotting.numbers, unseen, color=SOFT, linewidth=3, alpha=0.5)
    for name, number in (('onset', onset), ('apex', apex)):
        height = spotting.curve[np.searchsorted(spotting.numbers, number)]
        axes.axvline(number, color=ALARM, linewidth=0.8)
        axes.plot([number], [height], 'o', color=ALARM, markersize=5)
        side = 'right' if name == 'onset' else 'left'
        axes.text(number, 1.02, f' {name} {number} ', ha=side, color=ALARM,
                  transform=axes.get_xaxis_transform())  # fmt: skip
    axes.margins(x=0.1)
    axes.set_xlabel('frame', color=SOFT)
    axes.set_ylabel('motion, % of eye distance', color=SOFT, fontsize=8)
    axes.tick_params(colors=SOFT)
    buffer = io.BytesIO()
    figure.savefig(buffer, format='svg', bbox_inches=None, metadata={'Date': None})
    text = f'motion of the face against frame {onset}, up to {spotting.height:.1f}%'
    return f'<div class="paper">{_image(buffer.getvalue(), text)}</div>'


@styled()
def pair_figure(found: Finding) -> Figure:
    """Draw onset, apex, their difference and where the change mattered."""
    onset, apex = (_gray(image) for image in found.pair)
    difference = apex.astype(int) - onset.astype(int)
    top = float(np.abs(found.counted).max()) or 1.0
    gray = dict(cmap='gray', vmin=0, vmax=255)
    weight = 0.8 * np.abs(found.counted) / top  # transparent where nothing mattered
    panels = (
        ('onset', found.pair[0], gray),
        ('apex', found.pair[1], gray),
        ('apex - onset', difference, dict(cmap=SIGNED, vmin=-128, vmax=128)),
        ('where the change mattered', apex, gray),
    )
    figure = Figure(figsize=(9.2, 3.1), dpi=200)
    for column, (name, image, how) in enumerate(panels):
        left = 2.32 * column
        write(figure, left, 0.15, name, fontsize=10, va='baseline')
        axes = axes_at(figure, left, 0.24, 2.22, 2.22)
        axes.imshow(image[..., ::-1] if image.ndim == 3 else image, **how)
    axes.imshow(found.counted, alpha=weight, cmap=SIGNED, vmin=-top, vmax=top)
    color_bar(figure, left, 2.55, 2.22, (SIGNED, -top, top), 'against')
    highest = max(found.scores, key=found.scores.__getitem__)
    write(figure, left + 2.22, 2.55, f'for {highest}', ha='right', fontsize=7.5,
          color=SOFT)  # fmt: skip
    return figure


def _gray(image: np.ndarray) -> np.ndarray:
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)


def _figure(data: bytes, caption: str) -> str:
    caption = escape(caption)
    return f'<figure>{_image(data, caption)}<figcaption>{caption}</figcaption></figure>'


_KINDS: Sequence[tuple] = ((b'\x89PNG', 'png'), (b'\xff\xd8', 'jpeg'))


def _image(data: bytes, text: str) -> str:
    kind = next((kind for start, kind in _KINDS if data.startswith(start)), 'svg+xml')
    code = base64.b64encode(data).decode()
    return f'<img alt="{escape(text)}" src="data:image/{kind};base64,{code}">'
