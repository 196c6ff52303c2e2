"""Let through only what the page itself asks for."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

from .uploads import MAX_MB

MAX_FOLDER_MB = 2000  # of all files that the page holds at one time
_MB = 1024**2
_MAX_JSON = _MB
_SLACK = 64 * 1024  # of a multipart request beside its file
_STALLED_SECONDS = 60  # without a byte, after which an upload is given up

_API = '/gradio_api/'
_UPLOAD = f'{_API}upload'
_FILE = f'{_API}file='
#: Gradio has more, among them a proxy, calls that pass by the queue, and one that ends
#: an event but not its thread, so that a second one would enter the network.
_GET = frozenset(
    [
        *('/', '/config', '/config/', '/theme.css', '/favicon.ico', '/manifest.json'),
        *(_API + name for name in ('queue/data', 'startup-events', 'upload_progress')),
    ]
)
_GET_BELOW = ('/assets/', '/static/', '/svelte/', f'{_API}heartbeat/', _FILE)
_JOIN = f'{_API}queue/join'


class RefusedError(Exception):
    """Raised for a request that is not answered.

    Args:
        status: Of HTTP.
        reason: In a sentence.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Gate:
    """ASGI middleware that refuses what the page does not need.

    These are other routes than the page's own, requests of foreign pages, paths of
    files that nobody uploaded, web addresses in place of files, and uploads that are
    too large, alone or together. What an upload leaves when it breaks off is deleted.

    Args:
        app: The application behind it.
        folder: Where all files lie that the page holds.
        uploads: A folder in it, where Gradio puts what it receives.
    """

    def __init__(self, app: Callable, folder: Path, uploads: Path) -> None:
        self.app = app
        self.folder = folder
        self.uploads = uploads
        self._expected: list[int] = []  # bytes of the uploads that are under way

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Callable, send: Callable
    ) -> None:
        """Answer one request."""
        if scope['type'] == 'lifespan':
            await self.app(scope, receive, send)
            return
        try:
            await self._admit(scope, receive, send)
        except RefusedError as error:
            await _answer(send, error.status, str(error))

    async def _admit(
        self, scope: MutableMapping[str, Any], receive: Callable, send: Callable
    ) -> None:
        headers = {name.decode('latin-1'): value for name, value in scope['headers']}
        _check_origin(headers)
        method, path = scope.get('method'), scope['path']
        if method == 'POST' and path == _UPLOAD:
            await self._upload(_length(headers), scope, receive, send)
        elif method == 'POST' and path == _JOIN:
            body = await _read(receive)
            self._check_paths(body)
            await self.app(scope, _again(body, receive), send)
        elif method in ('GET', 'HEAD') and _is_of_page(path):
            if path.startswith(_FILE):
                self._check_path(path.removeprefix(_FILE))
            await self.app(scope, receive, send)
        else:
            raise RefusedError(404, 'There is nothing here.')

    def _check_paths(self, body: bytes) -> None:
        """Refuse a request that names a file which nobody uploaded."""
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            raise RefusedError(400, 'The request is not JSON.') from None
        for path in _paths(data):
            self._check_path(path)

    def _check_path(self, path: Any) -> None:
        try:
            inside = Path(os.path.realpath(path)).is_relative_to(self.uploads.resolve())
        except (TypeError, ValueError):
            inside = False
        if not inside:
            raise RefusedError(403, 'This is no uploaded file.')

    async def _upload(
        self,
        length: int,
        scope: MutableMapping[str, Any],
        receive: Callable,
        send: Callable,
    ) -> None:
        from starlette.requests import ClientDisconnect

        if length > MAX_MB * _MB + _SLACK:
            raise RefusedError(413, f'Files may have up to {MAX_MB} MB.')
        self._expected.append(length)
        try:
            held = await asyncio.to_thread(size_of, self.folder)
            if held + sum(self._expected) > MAX_FOLDER_MB * _MB:
                raise RefusedError(
                    507, 'There are too many files just now; try again in some minutes.'
                )
            await self.app(scope, _impatient(receive), send)
        except ClientDisconnect:
            pass
        finally:
            self._expected.remove(length)
            if not self._expected:
                # Finished uploads are in folders of their own.
                _delete_files(self.uploads)


def size_of(folder: Path) -> int:
    """Return the bytes that a folder takes; several links to a file count once."""
    sizes = {}
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                status = os.lstat(os.path.join(place, name))
            except FileNotFoundError:  # deleted meanwhile
                continue
            sizes[status.st_ino] = status.st_size
    return sum(sizes.values())


def _is_of_page(path: str) -> bool:
    return path in _GET or path.startswith(_GET_BELOW)


def _check_origin(headers: dict[str, bytes]) -> None:
    """Refuse a request that the browser sends for a page of another host."""
    origin = headers.get('origin')
    if origin is not None and origin != b'http://' + headers.get('host', b''):
        raise RefusedError(403, 'This request comes from another page.')


def _length(headers: dict[str, bytes]) -> int:
    try:
        return int(headers['content-length'])
    except (KeyError, ValueError):
        raise RefusedError(411, 'An upload must say how long it is.') from None


def _paths(data: Any) -> Iterator[Any]:
    """Yield every path of a file in a request."""
    stack = [data]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if item.get('path') is not None:
                yield item['path']
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


async def _read(receive: Callable) -> bytes:
    body, more = b'', True
    while more:
        message = await receive()
        if message['type'] == 'http.disconnect':
            raise RefusedError(400, 'The request is not complete.')
        body += message.get('body', b'')
        more = message.get('more_body', False)
        if len(body) > _MAX_JSON:
            raise RefusedError(413, 'The request is too long.')
    return body


def _again(body: bytes, receive: Callable) -> Callable[[], Awaitable[dict]]:
    """Return a ``receive`` that begins with a body that has been read already."""
    messages = [{'type': 'http.request', 'body': body, 'more_body': False}]

    async def again() -> dict:
        return messages.pop() if messages else await receive()

    return again


def _impatient(receive: Callable) -> Callable[[], Awaitable[dict]]:
    """Return a ``receive`` that takes a long silence for the end of the connection."""

    async def wait() -> dict:
        try:
            return await asyncio.wait_for(receive(), _STALLED_SECONDS)
        except TimeoutError:
            return {'type': 'http.disconnect'}

    return wait


def _delete_files(folder: Path) -> None:
    for path in folder.iterdir() if folder.exists() else ():
        if path.is_file():
            path.unlink(missing_ok=True)


async def _answer(send: Callable, status: int, text: str) -> None:
    headers = [(b'content-type', b'text/plain; charset=utf-8')]
    await send({'type': 'http.response.start', 'status': status, 'headers': headers})
    await send({'type': 'http.response.body', 'body': text.encode()})
