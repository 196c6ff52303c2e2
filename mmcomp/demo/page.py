"""The page in Gradio: components and their events."""

import functools
from collections.abc import Callable
from typing import Any

import gradio as gr
import numpy as np

from mmcomp.faces import Spotting

from . import drawing
from .analysis import Analyst, CannotCompareError
from .uploads import MAX_MB, Upload

TITLE = 'Compare onset and apex of an expression'
INTRODUCTION = f"""# {TITLE}
The network compares the **onset** of an expression, the last frame before it begins,
with its **apex**, the frame where it is strongest."""
WARNING = """**What a score means:** A score shows how strongly the network prefers a
class, as learned from its training data. It is not a probability, and no fact about a
person. A network trained on the rendered heads that come with mmcomp says nothing about
people."""
PRIVACY = f"""Everything runs on this machine; your files never leave it. Files may have
up to {MAX_MB} MB. They are deleted after a few minutes, and when you close the page."""
HINT = """Choose a video of a few seconds that shows one expression, from a neutral face
to its strongest moment. Videos that the browser cannot play work too. You can adjust
onset and apex afterwards."""
GONE = 'This file has been deleted. Please choose it again.'

#: One network in one thread: further users wait and see their position in the queue.
_ONE: dict[str, Any] = dict(
    concurrency_id='network', concurrency_limit=1, api_visibility='private'
)
_QUICK: dict[str, Any] = dict(
    concurrency_limit=None, show_progress='hidden', api_visibility='private'
)
_IDLE_SECONDS = 1800  # after which a session's files are deleted
_MAX_WAITING = 200  # requests; the next user is asked to try again

#: Gradio shows an error for a video that the browser cannot play but we can read.
HEAD = """<script>addEventListener('error', event => {
    if (event.target.tagName === 'VIDEO') event.stopImmediatePropagation()
}, true)</script>"""

CSS = """
.gradio-container {max-width: 1080px !important; margin: auto !important}
.paper {background: #fff; color: #1f2933; border: 1px solid #d9e2ec;
        border-radius: 8px; padding: 12px 16px; margin-bottom: 12px}
.paper span {color: #1f2933}
.paper h3 {color: #1f2933; margin: 0 0 8px; font-size: 15px}
.paper img {width: 100%; height: auto; display: block}
.faces {display: flex; gap: 16px; flex-wrap: wrap}
.faces figure {flex: 1 1 260px; margin: 0; max-width: 480px}
.faces figcaption {color: #52606d; font-size: 13px; margin-top: 4px}
.score {display: grid; grid-template-columns: 8em 1fr 3em; gap: 12px;
        align-items: center; margin: 4px 0}
.score i {background: #edf1f4; height: 14px; border-radius: 7px; overflow: hidden}
.score b {background: #9fb8c2; height: 100%; display: block}
.score.highest b {background: #1f6f8b}
.score.highest {font-weight: 600}
.problem, .note, .warning {padding: 10px 14px !important; border-radius: 8px;
        margin: 0 0 12px !important}
.problem {background: #fdecea !important; color: #7a1f14 !important}
.note {background: #eef4f7 !important; color: #1f2933 !important}
.warning {background: #fff6df !important}
.warning * {color: #4a3a05 !important; margin: 0 !important}
.html-container {padding: 0 !important}
/* Trimming would load a program from another host, which POLICY refuses. */
#video [aria-label^="Trim"], #video [aria-label^="Reset"] {display: none}
"""


def build_page(analyst: Analyst) -> gr.Blocks:
    """Build the page of one network.

    Args:
        analyst (Analyst): Used by one thread at a time.
    """
    with gr.Blocks(title=TITLE, analytics_enabled=False) as page:
        gr.Markdown(INTRODUCTION)
        gr.Markdown(WARNING, elem_classes='warning')
        with gr.Tab('A video'):
            _video_tab(analyst)
        with gr.Tab('Two pictures'):
            _picture_tab(analyst)
        gr.Markdown(PRIVACY)

        def forget(request: gr.Request) -> None:
            page.state_holder.delete_state(request.session_hash)

        page.unload(forget)
    return page.queue(max_size=_MAX_WAITING)


def _video_tab(analyst: Analyst) -> None:
    """Add the tab for a clip: choose, spot, adjust, compare."""
    kept, spotted = _state(), _state()
    with gr.Row():
        with gr.Column(scale=2):
            webcam = gr.WebcamOptions(mirror=False)
            video = _as_it_is(gr.Video)(
                label='Video',
                sources=['upload', 'webcam'],
                include_audio=False,
                webcam_options=webcam,
                height=300,
                elem_id='video',
            )
            button = gr.Button('Find onset and apex and compare', variant='primary')
        with gr.Column(scale=3):
            gr.Markdown(HINT)
            curve = gr.HTML(elem_id='curve', min_height=40)
            with gr.Column(visible=False) as sliders:
                onset = _slider('onset')
                apex = _slider('apex')
    problem, result = gr.HTML(elem_id='problem'), gr.HTML(elem_id='result')

    def choose(path: str | None):
        return _keep(path), None, '', gr.Column(visible=False), '', ''

    def find(path: str | None, copy: Upload | None, progress=gr.Progress()):
        """Spot and compare; if nothing is spotted, leave the choice to the user."""

        def watch(done: int, count: int) -> None:
            progress((done, count), desc='Analysing frames', unit='frames')

        try:
            file = _present('video', path, copy)
            found = analyst.spot(file.path, watch)
        except CannotCompareError as error:
            hidden = gr.Column(visible=False)
            text = drawing.message(str(error))
            return None, '', hidden, gr.skip(), gr.skip(), text, ''
        first, last = _frames(found)
        numbers: dict[str, Any] = dict(
            minimum=int(found.numbers[0]), maximum=int(found.numbers[-1])
        )
        handles = gr.Slider(value=first, **numbers), gr.Slider(value=last, **numbers)
        if found.success:
            shown = compare(file, found, first, last)
        else:
            text = f'{found.reason}. You can choose onset and apex yourself.'
            shown = drawing.curve(found, first, last), drawing.message(text), ''
        return found, shown[0], gr.Column(visible=True), *handles, *shown[1:]

    def compare(file: Upload, found: Spotting, first: int, last: int):
        try:
            line = drawing.curve(found, first, last)
            if first >= last:
                return line, drawing.message('The onset must come before the apex'), ''
            result = analyst.compare_frames(file.path, first, last)
            return line, '', drawing.finding(result)
        except CannotCompareError as error:
            return gr.skip(), drawing.message(str(error)), ''

    def move(
        path: str | None,
        copy: Upload | None,
        found: Spotting | None,
        first: float,
        last: float,
    ):
        """Compare two frames of a clip that was analysed before."""
        try:
            file = _present('video', path, copy)
            if found is None:
                raise CannotCompareError(GONE)
        except CannotCompareError as error:
            return gr.skip(), drawing.message(str(error)), ''
        return compare(file, found, int(first), int(last))

    shown = [curve, problem, result]
    video.change(
        choose, video, [kept, spotted, curve, sliders, problem, result], **_QUICK
    )
    _run(
        button.click,
        find,
        [video],
        [kept],
        [spotted, curve, sliders, onset, apex, problem, result],
        show_progress_on=curve,
    )
    for slider in (onset, apex):
        _run(
            slider.input,
            move,
            [video],
            [kept, spotted, onset, apex],
            shown,
            show_progress='minimal',
            show_progress_on=curve,
        )


def _picture_tab(analyst: Analyst) -> None:
    """Add the tab for two pictures: choose, compare."""
    kept, pictures = [_state(), _state()], []
    with gr.Row():
        for name in ('Onset', 'Apex'):
            pictures.append(
                _as_it_is(gr.Image)(
                    label=name,
                    type='filepath',
                    sources=['upload', 'webcam', 'clipboard'],
                    webcam_options=gr.WebcamOptions(mirror=False),
                    height=300,
                    elem_id=f'{name.lower()}-picture',
                )
            )
    button = gr.Button('Compare', variant='primary')
    problem = gr.HTML(elem_id='picture-problem')
    result = gr.HTML(elem_id='picture-result')

    def choose(path: str | None):
        return _keep(path), '', ''

    def compare(onset, apex, onset_copy, apex_copy):
        try:
            first = _present('picture of the onset', onset, onset_copy)
            second = _present('picture of the apex', apex, apex_copy)
            found = analyst.compare_pictures(first.path, second.path)
        except CannotCompareError as error:
            return drawing.message(str(error)), ''
        return '', drawing.finding(found)

    for picture, copy in zip(pictures, kept):
        picture.change(choose, picture, [copy, problem, result], **_QUICK)
    _run(
        button.click,
        compare,
        pictures,
        kept,
        [problem, result],
        show_progress_on=result,
    )


def _run(
    event: Callable, compute: Callable, chosen: list, others: list, shown: list, **how
) -> None:
    """Compute from the files that the browser shows, and show it if it still does.

    Nothing depends on the order in which the events of uploads arrive: the files are
    those at the time of the click, and a result of replaced ones is dropped.

    Args:
        event: Adds a listener.
        compute: Called with the values of ``chosen`` and ``others``; returns those of
            ``shown``.
        chosen: Components with the path of a file.
        others: Further inputs.
        shown: Outputs.
        **how: Further options of the event.
    """
    outcome = _state()

    @functools.wraps(compute)  # whose signature Gradio reads
    def keep(*values):
        return list(values[: len(chosen)]), compute(*values)

    def show(*values):
        *paths, (of, updates) = values
        return list(updates) if paths == of else [gr.skip()] * len(shown)

    event(
        keep, [*chosen, *others], outcome, trigger_mode='always_last', **how, **_ONE
    ).then(show, [*chosen, outcome], shown, trigger_mode='always_last', **_QUICK)


def _as_it_is(kind: type) -> Callable:
    """Return a factory of components that pass files on unchanged.

    It is not a subclass, because Gradio writes a file next to the source of each.
    """

    def make(**options):
        component = kind(**options)
        component.preprocess = lambda payload: payload and payload.path
        return component

    return make


def _slider(name: str) -> gr.Slider:
    return gr.Slider(
        label=f'{name.capitalize()} frame', step=1, elem_id=name, buttons=[]
    )


def _state() -> gr.State:
    return gr.State(time_to_live=_IDLE_SECONDS)


def _keep(path: str | None) -> Upload | None:
    """Return a file of the session's own, which lives longer than the browser's."""
    try:
        return None if path is None else Upload(path)
    except OSError:
        return None


def _present(name: str, path: str | None, copy: Upload | None) -> Upload:
    """Return the file that the browser shows.

    Raises:
        CannotCompareError: If it shows none, or the file was deleted.
    """
    if path is None:
        raise CannotCompareError(f'choose a {name} first')
    if copy is not None and copy.source == path:
        return copy
    try:
        return Upload(path)
    except OSError:
        raise CannotCompareError(GONE) from None


def _frames(found: Spotting) -> tuple:
    """Return onset and apex, or the first and the highest frame if not spotted."""
    if found.success:
        return found.onset, found.apex
    highest = 1 + int(np.argmax(found.curve[1:]))
    return int(found.numbers[0]), int(found.numbers[highest])
