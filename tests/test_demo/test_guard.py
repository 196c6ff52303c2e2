"""The guard of the page's server, around an application of a few lines."""

import asyncio

import pytest

starlette = pytest.importorskip('starlette', reason='Gradio is not installed')

from mmcomp.demo import guard  # noqa: E402

MB = 1024**2


def ask(app, body, *, messages=None, length=None):
    """Send an upload; return the status of the answer."""
    sent = []
    waiting = list(messages or [dict(type='http.request', body=body)])

    async def receive():
        if not waiting:
            await asyncio.Event().wait()  # for ever
        return waiting.pop(0)

    async def send(message):
        sent.append(message)

    scope = dict(
        type='http',
        method='POST',
        path='/gradio_api/upload',
        headers=[(b'content-length', str(length or len(body)).encode())],
    )
    asyncio.run(app(scope, receive, send))
    return sent[0]['status'] if sent else None


@pytest.fixture
def app(tmp_path):
    """Answers uploads with 200, and notes what it received."""

    async def inner(scope, receive, send):
        while True:
            message = await receive()
            inner.received += message['body']
            if not message.get('more_body'):
                break
        await send(dict(type='http.response.start', status=200, headers=[]))

    inner.received = b''
    app = guard.Guard(inner, tmp_path, tmp_path)
    app.inner = inner
    return app


def test_all_files_together_are_bounded(app, tmp_path):
    """2000 MB: 1990 MB are there, so that 9 MB fit, but not 11."""
    with (tmp_path / 'a').open('wb') as file:
        file.truncate(1990 * MB)  # sparse: takes no space
    assert ask(app, b'a', length=9 * MB) == 200
    assert ask(app, b'a', length=11 * MB) == 507
    assert app.inner.received == b'a'


@pytest.mark.parametrize('end', [[dict(type='http.disconnect')], []])
def test_an_upload_that_breaks_off_or_stalls_ends(app, end, monkeypatch):
    """Also if the connection stays open and brings nothing more."""
    monkeypatch.setattr(guard, '_PATIENCE', 0.1)
    start = dict(type='http.request', body=b'a', more_body=True)
    with pytest.raises(guard.MultiPartException, match='broke off'):
        ask(app, b'', messages=[start, *end], length=9)
