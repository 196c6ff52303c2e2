"""The page in Gradio: components and their events."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

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
    concurrency_id='network',
    concurrency_limit=1,
    trigger_mode='always_last',
    api_visibility='private',
)
_QUICK: dict[str, Any] = dict(
    concurrency_limit=None,
    show_progress='hidden',
    trigger_mode='always_last',
    api_visibility='private',
)
_QUEUE = 200  # events that may wait; further ones are refused with a message
_PAGES = 400  # that may be open, each with an event that lasts
_IDLE_SECONDS = 1800  # after which a session's files are deleted
_CACHE_SECONDS = (60, 300)  # how often Gradio deletes its own copies, and their age


def build_page(analyst: Analyst) -> gr.Blocks:
    """Build the page of one network.

    Args:
        analyst (Analyst): Used by one thread at a time.
    """
    with gr.Blocks(
        title=TITLE, analytics_enabled=False, delete_cache=_CACHE_SECONDS
    ) as page:
        gr.Markdown(INTRODUCTION)
        gr.Markdown(WARNING, elem_classes='warning')
        with gr.Tab('A video'):
            _video_tab(analyst)
        with gr.Tab('Two pictures'):
            _picture_tab(analyst)
        gr.Markdown(PRIVACY)

        _keep_connected(page)
    page.max_threads = _PAGES
    return page.queue(max_size=_QUEUE)


def _keep_connected(page: gr.Blocks) -> None:
    """Let an event last as long as the page is open, then delete the session's files.

    Gradio's browser side closes the stream of results whenever it knows of no event
    under way. If one is just being sent to the server, the server drops it with the
    stream, and its result never comes. With an event that lasts, the stream lasts too.
    """
    closed: dict[str | None, asyncio.Event] = {}

    async def stay(request: gr.Request) -> None:
        await closed.setdefault(request.session_hash, asyncio.Event()).wait()

    async def forget(request: gr.Request) -> None:
        closed.pop(request.session_hash, asyncio.Event()).set()
        if request.session_hash is not None:
            page.state_holder.delete_state(request.session_hash)

    page.load(stay, **_QUICK)
    page.unload(forget)


class View(NamedTuple):
    """What the page shows of the files that were chosen when it was made, as HTML."""

    chosen: tuple
    problem: str = ''
    result: str = ''
    curve: str = ''


def _video_tab(analyst: Analyst) -> None:
    """Add the tab for a clip: choose, spot, adjust, compare."""
    files, view, spotted = _state(), _state(), _state()
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
            button = gr.Button(
                'Find onset and apex and compare', variant='primary', interactive=False
            )
        with gr.Column(scale=3):
            gr.Markdown(HINT)
            curve = gr.HTML(elem_id='curve', min_height=40)
            with gr.Column(visible=False) as sliders:
                onset = _slider('onset')
                apex = _slider('apex')
    problem, result = gr.HTML(elem_id='problem'), gr.HTML(elem_id='result')

    def find(chosen, files, progress=gr.Progress()):
        """Spot and compare; if nothing is spotted, leave the choice to the user."""
        own = _own(files, chosen).get(chosen)
        if own is None:
            gr.Warning(GONE)
            return None, None, gr.skip(), gr.skip()

        def watch(done: int, count: int) -> None:
            progress((done, count), desc='Analyzing frames', unit='frames')

        try:
            found = analyst.spot(own.path, watch)
        except CannotCompareError as error:
            text = drawing.message(str(error))
            return None, View((chosen,), text), gr.skip(), gr.skip()
        first, last = _frames(found)
        numbers: dict[str, Any] = dict(
            minimum=int(found.numbers[0]), maximum=int(found.numbers[-1])
        )
        handles = gr.Slider(value=first, **numbers), gr.Slider(value=last, **numbers)
        if found.success:
            seen = look(chosen, own, found, first, last)
        else:
            text = f'{found.reason}. You can choose onset and apex yourself.'
            line = drawing.curve(found, first, last)
            seen = View((chosen,), drawing.message(text), curve=line)
        return (chosen, found), seen, *handles

    def move(chosen, files, spotted, first: float, last: float):
        """Compare two frames of a clip that was analysed before."""
        own = _own(files, chosen).get(chosen)
        if own is None or spotted is None or spotted[0] != chosen:
            gr.Warning(GONE)
            return None
        return look(chosen, own, spotted[1], int(first), int(last))

    def look(chosen: str, own: Upload, found: Spotting, first: int, last: int) -> View:
        problem, result = '', ''
        if first >= last:
            problem = drawing.message('The onset must come before the apex')
        else:
            try:
                finding = analyst.compare_frames(own.path, first, last)
                result = drawing.finding(finding)
            except CannotCompareError as error:
                problem = drawing.message(str(error))
        return View((chosen,), problem, result, drawing.curve(found, first, last))

    def settle(chosen, files, view, spotted):
        files = _own(files, chosen)
        shown = _shown(view, chosen)
        enabled = gr.Button(interactive=chosen in files)
        adjustable = spotted is not None and spotted[0] == chosen
        column = gr.Column(visible=adjustable)
        return files, enabled, shown.problem, shown.result, shown.curve, column

    _always(
        [video, files, view],
        settle,
        [video, files, view, spotted],
        [files, button, problem, result, curve, sliders],
    )
    button.click(
        find,
        [video, files],
        [spotted, view, onset, apex],
        show_progress_on=curve,
        **_ONE,
    )
    for slider in (onset, apex):
        slider.input(
            move,
            [video, files, spotted, onset, apex],
            view,
            show_progress='minimal',
            show_progress_on=result,
            **_ONE,
        )


def _picture_tab(analyst: Analyst) -> None:
    """Add the tab for two pictures: choose, compare."""
    files, view, pictures = _state(), _state(), []
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
    button = gr.Button('Compare', variant='primary', interactive=False)
    problem = gr.HTML(elem_id='picture-problem')
    result = gr.HTML(elem_id='picture-result')

    def compare(onset, apex, files):
        own = _own(files, onset, apex)
        if onset not in own or apex not in own:
            gr.Warning(GONE)
            return None
        try:
            found = analyst.compare_pictures(own[onset].path, own[apex].path)
        except CannotCompareError as error:
            return View((onset, apex), drawing.message(str(error)))
        return View((onset, apex), '', drawing.finding(found))

    def settle(onset, apex, files, view):
        files = _own(files, onset, apex)
        shown = _shown(view, onset, apex)
        enabled = gr.Button(interactive=onset in files and apex in files)
        return files, enabled, shown.problem, shown.result

    _always(
        [*pictures, files, view],
        settle,
        [*pictures, files, view],
        [files, button, problem, result],
    )
    button.click(compare, [*pictures, files], view, show_progress_on=result, **_ONE)


def _always(causes: list, settle: Callable, inputs: list, outputs: list) -> None:
    """Derive what is shown from what is chosen now, whenever either changes.

    Events can overtake each other. Therefore ``settle`` alone writes what a user sees,
    and it reads everything anew. It runs again until it changes nothing: its own state
    is one of its causes, and the last of several events is never dropped.
    """
    gr.on([each.change for each in causes], settle, inputs, outputs, **_QUICK)


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


def _own(files: dict[str, Upload] | None, *chosen: str | None) -> dict[str, Upload]:
    """Return the session's own file for each that is chosen and still there."""
    own = {}
    for path in filter(None, chosen):
        with suppress(OSError):
            own[path] = (files or {}).get(path) or Upload(path)
    return own


def _shown(view: View | None, *chosen: str | None) -> View:
    """Return the view if it belongs to what is chosen now, else an empty one."""
    return view if view is not None and view.chosen == chosen else View(chosen)


def _frames(found: Spotting) -> tuple:
    """Return onset and apex, or the first and the highest frame if not spotted."""
    if found.success:
        return found.onset, found.apex
    highest = 1 + int(np.argmax(found.curve[1:]))
    return int(found.numbers[0]), int(found.numbers[highest])
