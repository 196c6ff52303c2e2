"""What the server lets in: only what its own page asks for, of bounded size."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .uploads import MAX_FOLDER_MB, MAX_MB, size_of

#: Enforced by the browser: the page cannot load anything from another host.
POLICY = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; "
    "frame-ancestors 'none'; form-action 'self'"
)

_API = '/gradio_api'
_UPLOAD = f'{_API}/upload'
_MB = 1024**2

#: The bytes of a request that sends data, which may be no other.
_POSTED = {f'{_API}/queue/join': _MB, _UPLOAD: (MAX_MB + 1) * _MB}
#: What a request may fetch, but for uploaded files.
_FETCHED = re.compile(
    '/|/(config|theme.css|favicon.ico|manifest.json)|/(assets|static|svelte)/.*'
    f'|{_API}/(queue/data|upload_progress|startup-events|heartbeat/[^/]*)'
)
_PATIENCE = 60.0  # seconds until an upload that sends nothing counts as broken off


class Guard:
    """Refuse what the page would never ask for (an ASGI application).

    Gradio serves many more addresses than the page needs, several of which take a path
    or a URL, and does not bound all that they store.

    Args:
        app: Gradio's application.
        arriving (Path): The folder that it stores uploads in.
        folder (Path): The folder whose size is bounded.
    """

    def __init__(self, app: ASGIApp, arriving: Path, folder: Path) -> None:
        self.app, self.arriving, self.folder = app, arriving, folder
        self._announced = 0  # bytes of the uploads under way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope['type'] == 'lifespan':
            await self.app(scope, receive, send)
            return
        if scope['type'] != 'http':
            await send({'type': 'websocket.close'})
            return

        async def send_more(message: Message) -> None:
            if message['type'] == 'http.response.start':
                MutableHeaders(scope=message)['content-security-policy'] = POLICY
            await send(message)

        try:
            length = self._admit(scope['method'], scope['path'], Headers(scope=scope))
            if scope['path'] == _UPLOAD:
                async with self._room(length):
                    await self.app(scope, _whole(receive), send_more)
            else:
                await self.app(scope, receive, send_more)
        except HTTPException as error:
            answer = PlainTextResponse(error.detail, error.status_code)
            await answer(scope, receive, send_more)

    def _admit(self, method: str, path: str, headers: Headers) -> int:
        """Return the length of a request that the page may send.

        Raises:
            HTTPException: If it may not.
        """
        if headers.get('origin') not in (None, f'http://{headers.get("host")}'):
            raise HTTPException(403, 'This request comes from another page.')
        if method in ('GET', 'HEAD'):
            file = path.removeprefix(f'{_API}/file=')
            if file == path:
                known = _FETCHED.fullmatch(path) is not None
            else:
                known = Path(file).resolve().is_relative_to(self.arriving)
            limit = 0
        else:
            known = method == 'POST' and path in _POSTED
            limit = _POSTED.get(path, 0)
        if not known:
            raise HTTPException(404, 'This is no part of the page.')
        try:
            length = int(headers.get('content-length', '' if limit else '0'))
        except ValueError:
            raise HTTPException(411, 'The length of the request is missing.') from None
        if length > limit:
            raise HTTPException(413, f'A file may have up to {MAX_MB} MB.')
        return length

    @asynccontextmanager
    async def _room(self, length: int) -> AsyncIterator[None]:
        """Reserve space for an upload.

        Raises:
            HTTPException: If there is not enough.
        """
        self._announced += length
        try:
            used = await asyncio.to_thread(size_of, self.folder)
            if used + self._announced > MAX_FOLDER_MB * _MB:
                text = 'The server holds too many files; try again in a few minutes.'
                raise HTTPException(507, text)
            yield
        finally:
            self._announced -= length


def _whole(receive: Receive) -> Receive:
    """Raise what makes Gradio delete its file if an upload breaks off."""
    complete = False

    async def receive_next() -> Message:
        nonlocal complete
        if complete:
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), _PATIENCE)
        except TimeoutError:
            raise MultiPartException('the upload broke off') from None
        if message['type'] == 'http.disconnect':
            raise MultiPartException('the upload broke off')
        complete = not message.get('more_body', False)
        return message

    return receive_next
