"""Serve the page to this machine only."""

import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .uploads import MAX_MB, delete_older, server_folder

HOST = '127.0.0.1'

#: Of the video formats that FFmpeg knows, those that cannot name other files to play.
_FORMATS = 'mov,matroska,avi,mpeg,mpegvideo,mpegts,m4v,asf,flv,ogg,gif'

#: How often the browser's copies are looked at, and the age at which they are deleted.
_SWEEP_SECONDS, _KEEP_SECONDS = 60, 300


def serve(make_analyst: Callable, port: int) -> None:
    """Serve until interrupted.

    Args:
        make_analyst (callable): Returns the :class:`~mmcomp.demo.analysis.Analyst`.
        port (int): Port; 0 for any free one.

    Raises:
        ValueError: If the port is taken, or Gradio is not installed.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit())  # so that files are deleted
    with server_folder() as folder, _listen(port) as sock:
        arriving = folder / 'arriving'
        arriving.mkdir()
        os.environ.update(
            GRADIO_ANALYTICS_ENABLED='False',
            GRADIO_TEMP_DIR=str(arriving),
            HF_HUB_OFFLINE='1',
            OPENCV_FFMPEG_CAPTURE_OPTIONS=f'format_whitelist;{_FORMATS}',
        )
        tempfile.tempdir = str(folder)
        app = make_app(make_analyst(), arriving, folder)
        import uvicorn

        address = f'http://{HOST}:{sock.getsockname()[1]}'
        print(f'the page is at {address}; press Ctrl+C to stop', flush=True)
        threading.Thread(target=_sweep, args=(arriving,), daemon=True).start()
        sys.addaudithook(_call_nobody)
        config = uvicorn.Config(app, log_level='warning', timeout_graceful_shutdown=1)
        uvicorn.Server(config).run(sockets=[sock])


def make_app(analyst, arriving: Path, folder: Path) -> Callable:
    """Build the ASGI application; set ``GRADIO_*`` before the first call.

    Args:
        analyst (Analyst): What the page uses.
        arriving (Path): The folder of uploads, ``GRADIO_TEMP_DIR``.
        folder (Path): The folder of all files, whose size is bounded.
    """
    try:
        import fastapi
        import gradio as gr
        from starlette.middleware.trustedhost import TrustedHostMiddleware
    except ImportError:
        raise ValueError("the page needs Gradio: pip install 'mmcomp[demo]'") from None
    from .guard import Guard
    from .page import CSS, HEAD, build_page

    page = build_page(analyst)
    app = gr.mount_gradio_app(
        fastapi.FastAPI(openapi_url=None),
        page,
        path='/',
        server_name=HOST,
        footer_links=[],
        run_history=False,
        max_file_size=f'{MAX_MB}mb',
        theme=gr.themes.Soft(font=['system-ui', 'sans-serif'], font_mono=['monospace']),
        css=CSS,
        head=HEAD,
        ssr_mode=False,
        enable_monitoring=False,
    )
    # As Blocks.launch does: without it, Gradio reads any path that a request names.
    page.has_launched = page.is_running = True
    return TrustedHostMiddleware(Guard(app, arriving, folder), [HOST, 'localhost'])


def _sweep(arriving: Path) -> None:
    while True:
        time.sleep(_SWEEP_SECONDS)
        delete_older(arriving, _KEEP_SECONDS)


def _call_nobody(event: str, arguments: tuple) -> None:
    """Refuse calls to other hosts: Gradio fetches a URL that a request names."""
    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.sendto'):
        raise PermissionError('the page calls no other host')


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OverflowError:
        raise ValueError(f'port is {port}; it must be between 0 and 65535') from None
    except OSError as error:
        reason = error.strerror
        raise ValueError(
            f'port is {port}; it must be one that can be opened ({reason})'
        ) from None
