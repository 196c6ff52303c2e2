"""Serve the page to this machine only."""

import fcntl
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .gate import Gate
from .style import CSS, HEAD
from .uploads import MAX_MB

HOST = '127.0.0.1'
_PREFIX = 'mmcomp-demo-'

#: Enforced by the browser: the page cannot load anything from another host.
POLICY = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; "
    "frame-ancestors 'none'; form-action 'self'"
)


def serve(make_analyst: Callable, port: int) -> None:
    """Serve until interrupted.

    Args:
        make_analyst (callable): Returns the :class:`~mmcomp.demo.analysis.Analyst`.
        port (int): Port; 0 for any free one.

    Raises:
        ValueError: If the port is taken, or Gradio is not installed.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, lambda *_: sys.exit())  # so that files are deleted
    delete_abandoned()
    with (
        tempfile.TemporaryDirectory(prefix=_PREFIX) as name,
        _lock(Path(name)),
        _listen(port) as sock,
    ):
        tempfile.tempdir = name
        app = make_app(make_analyst(), Path(name))
        import uvicorn

        address = f'http://{HOST}:{sock.getsockname()[1]}'
        print(f'the page is at {address}; press Ctrl+C to stop', flush=True)
        config = uvicorn.Config(app, log_level='warning', timeout_graceful_shutdown=1)
        uvicorn.Server(config).run(sockets=[sock])


def delete_abandoned() -> None:
    """Delete the folders of servers that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f'{_PREFIX}*'):
        # It may be in use, or somebody else's.
        with suppress(OSError), _lock(folder):
            if any(folder.iterdir()):  # else it may be new, and not locked yet
                shutil.rmtree(folder)


def make_app(analyst, folder: Path) -> Callable:
    """Build the ASGI application.

    Args:
        analyst: The :class:`~mmcomp.demo.analysis.Analyst`.
        folder (Path): An empty folder for what users hand over. Sessions keep their
            files in ``tempfile.tempdir``, which must be in the same file system.

    Raises:
        ValueError: If Gradio is not installed.
    """
    uploads = folder / 'uploads'
    uploads.mkdir()
    os.environ.update(
        GRADIO_ANALYTICS_ENABLED='False',
        GRADIO_TEMP_DIR=str(uploads),
        HF_HUB_OFFLINE='1',
    )
    try:
        import fastapi
        import gradio as gr
        from starlette.middleware.trustedhost import TrustedHostMiddleware
    except ImportError:
        raise ValueError("the page needs Gradio: pip install 'mmcomp[demo]'") from None
    from .page import build_page

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
    # Only `launch` sets these; without them, Gradio reads any path in a request.
    page.has_launched = page.is_running = True
    app = TrustedHostMiddleware(Gate(app, folder, uploads), [HOST, 'localhost'])

    async def with_policy(scope, receive, send):
        async def send_more(message):
            if message['type'] == 'http.response.start':
                policy = b'content-security-policy', POLICY.encode()
                message['headers'] = [*message.get('headers', []), policy]
            await send(message)

        await app(scope, receive, send_more if scope['type'] == 'http' else send)

    return with_policy


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Lock a folder while this process lives.

    Raises:
        OSError: If another process has locked it.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


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
