"""Serve the page to this machine only."""

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable

from .uploads import MAX_MB

HOST = '127.0.0.1'

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
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit())  # so that files are deleted
    with (
        tempfile.TemporaryDirectory(prefix='mmcomp-demo-') as folder,
        _listen(port) as sock,
    ):
        os.environ.update(
            GRADIO_ANALYTICS_ENABLED='False', GRADIO_TEMP_DIR=folder, HF_HUB_OFFLINE='1'
        )
        tempfile.tempdir = folder
        app = make_app(make_analyst())
        import uvicorn

        address = f'http://{HOST}:{sock.getsockname()[1]}'
        print(f'the page is at {address}; press Ctrl+C to stop', flush=True)
        config = uvicorn.Config(app, log_level='warning', timeout_graceful_shutdown=1)
        uvicorn.Server(config).run(sockets=[sock])


def make_app(analyst) -> Callable:
    """Build the ASGI application; set ``GRADIO_*`` before the first call."""
    try:
        import fastapi
        import gradio as gr
        from starlette.middleware.trustedhost import TrustedHostMiddleware
    except ImportError:
        raise ValueError("the page needs Gradio: pip install 'mmcomp[demo]'") from None
    from .page import CSS, HEAD, build_page

    app = gr.mount_gradio_app(
        fastapi.FastAPI(openapi_url=None),
        build_page(analyst),
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
    app = TrustedHostMiddleware(app, [HOST, 'localhost'])

    async def with_policy(scope, receive, send):
        async def send_more(message):
            if message['type'] == 'http.response.start':
                policy = b'content-security-policy', POLICY.encode()
                message['headers'] = [*message.get('headers', []), policy]
            await send(message)

        await app(scope, receive, send_more if scope['type'] == 'http' else send)

    return with_policy


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
