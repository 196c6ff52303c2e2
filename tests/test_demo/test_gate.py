"""What a request can reach, without a browser."""

import asyncio
import json
import os
import signal
import tempfile
import threading
from pathlib import Path

import pytest

pytest.importorskip('gradio', reason='Gradio is not installed')
pytest.importorskip('captum', reason='Captum is not installed')

import httpx
import uvicorn

from mmcomp.demo import gate
from mmcomp.demo import server as serving
from mmcomp.demo.analysis import CannotCompareError

pytestmark = pytest.mark.slow
API = '/gradio_api'


class Reader:
    """In place of an Analyst: the finding is what the files say."""

    def __init__(self):
        self.waits = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def compare_pictures(self, onset, apex):
        self.waits.set()
        assert self.may_go_on.wait(60)
        raise CannotCompareError(onset.read_text() + ' and ' + apex.read_text())


class Site:
    """A served page, and requests to it."""

    def __init__(self, address, folder, place='onset-picture'):
        self.folder = folder
        self.client = httpx.Client(base_url=address, timeout=60)
        config = self.client.get('/config').json()
        own = {
            each['props'].get('elem_id'): each['id'] for each in config['components']
        }
        events = {
            event: each
            for each in config['dependencies']
            if own[place] in each['inputs']
            for _, event in each['targets']
        }
        self.settle, self.compare = events['change'], events['click']
        (self.stay,) = (
            each
            for each in config['dependencies']
            if 'load' in dict(map(reversed, each['targets']))
        )

    def files(self):
        return {path.name for path in self.folder.rglob('*') if path.is_file()}

    def upload(self, text, name='face.png', **options):
        files = {'files': (name, text)}
        return self.client.post(f'{API}/upload', files=files, **options)

    def join(self, event, paths, session, **options):
        pictures = [path and file_data(path) for path in paths]
        states = [None] * (len(event['inputs']) - len(paths))
        body = dict(data=pictures + states, fn_index=event['id'], session_hash=session)
        return self.client.post(f'{API}/queue/join', json=body, **options)

    def run(self, event, paths, session):
        """Return the output of an event."""
        assert self.join(event, paths, session).status_code == 200
        return self.output(session)

    def output(self, session):
        """Wait until an event of a session ends, and return its output."""
        query = dict(session_hash=session)
        with self.client.stream('GET', f'{API}/queue/data', params=query) as lines:
            for line in lines.iter_lines():
                message = json.loads(line.removeprefix('data:')) if line else {}
                if message.get('msg') == 'process_completed':
                    return message['output']

    def settled(self, paths, session):
        """Whether the button is enabled, the problem and the result."""
        _, button, problem, result, *_ = self.run(self.settle, paths, session)['data']
        return button['interactive'], problem, result


def file_data(path):
    return dict(path=str(path), meta=dict(_type='gradio.FileData'))


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp('site')
    with pytest.MonkeyPatch.context() as patch:
        for name in (
            'GRADIO_TEMP_DIR',
            'GRADIO_ANALYTICS_ENABLED',
            'HF_HUB_OFFLINE',
        ):
            patch.setenv(name, '')  # so that the old value comes back
        patch.setattr(tempfile, 'tempdir', str(folder))
        analyst = Reader()
        app = serving.make_app(analyst, folder)
        config = uvicorn.Config(app, log_level='error', timeout_graceful_shutdown=1)
        web = uvicorn.Server(config)
        with serving._listen(0) as sock:
            thread = threading.Thread(target=web.run, kwargs=dict(sockets=[sock]))
            thread.start()
            site = Site(f'http://127.0.0.1:{sock.getsockname()[1]}', folder)
            site.app, site.analyst = app, analyst
            yield site
            site.client.close()
            web.should_exit = True
            thread.join(60)
    assert not thread.is_alive()


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / 'secret.png'
    path.write_text('private')
    return path


@pytest.mark.parametrize(
    'path',
    [
        '{secret}',
        '/dev/zero',
        '/proc/self/environ',
        '{uploads}/../../../../../../../../dev/zero',
        'http://127.0.0.1:9/face.png',
        'https://example.org/face.png',
        'file:///etc/passwd',
        'a\0b',
        7,
    ],
)
def test_only_an_upload_is_a_file(site, secret, path):
    if isinstance(path, str):
        path = path.format(secret=secret, uploads=site.folder / 'uploads')
    before = site.files()
    hidden = [{'deep': [dict(file_data(''), path=path)]}]
    body = dict(data=hidden, fn_index=site.settle['id'], session_hash='spy')
    assert site.client.post(f'{API}/queue/join', json=body).status_code == 403
    assert site.client.get('/config').status_code == 200  # it goes on answering
    assert site.files() == before


def test_gradio_checks_paths_too(site, secret, monkeypatch):
    monkeypatch.setattr(gate.Gate, '_check_path', lambda *_: None)
    output = site.run(site.settle, [secret, None], 'spy 2')
    assert 'not uploaded by a user' in output['error']
    assert 'secret.png' not in site.files()


@pytest.mark.parametrize(
    ('method', 'path', 'status'),
    [
        ('GET', '/file={secret}', 403),
        ('HEAD', '/file={secret}', 403),
        ('GET', '/file=http://127.0.0.1:9/a.png', 403),
        ('GET', '/file=/dev/zero', 403),
        ('GET', '/file/{secret}', 404),
        ('GET', '/proxy=http://127.0.0.1:9/a.png', 404),
        ('GET', '/stream/a/b/1/playlist-file', 404),
        ('GET', '/info', 404),
        ('POST', '/run/settle', 404),
        ('POST', '/run/settle/', 404),
        ('POST', '/api/settle', 404),
        ('POST', '/call/settle', 404),
        ('POST', '/call/v2/settle', 404),
        ('POST', '/component_server', 404),
        ('POST', '/process_recording', 404),
        ('POST', '/upload/', 404),
        ('POST', '/vibe-edit', 404),
        ('PUT', '/upload', 404),
    ],
)
def test_other_routes(site, secret, method, path, status):
    path = API + path.format(secret=secret)
    assert site.client.request(method, path).status_code == status


@pytest.mark.parametrize('origin', ['http://example.org', 'null', 'http://127.0.0.1:9'])
def test_a_foreign_page_is_refused(site, origin):
    headers = {'Origin': origin}
    before = site.files()
    assert site.upload('x', 'foreign.png', headers=headers).status_code == 403
    answer = site.join(site.settle, [None, None], 'foreign', headers=headers)
    assert answer.status_code == 403
    assert site.files() == before


def test_the_page_itself_uploads(site):
    headers = {'Origin': str(site.client.base_url).rstrip('/')}
    (path,) = site.upload('my own', headers=headers).json()
    assert Path(path).read_text() == 'my own'
    answer = site.client.get(f'{API}/file={path}')
    assert answer.text == 'my own'


def test_what_breaks_off_leaves_nothing(site):
    """The connection ends after 2 of 6 MB."""
    disposition = b'Content-Disposition: form-data; name="files"; filename="cut.png"'
    head = b'--x\r\n' + disposition + b'\r\n\r\n'
    seen = []

    async def receive():
        if not seen:
            seen.append(None)
            body = head + bytes(2 * 1024**2)
            return {'type': 'http.request', 'body': body, 'more_body': True}
        uploads = site.folder / 'uploads'
        seen.extend(path.stat().st_size for path in uploads.iterdir() if path.is_file())
        return {'type': 'http.disconnect'}

    async def send(message):
        """Nobody listens any more."""

    scope = {
        'type': 'http',
        'method': 'POST',
        'path': f'{API}/upload',
        'raw_path': b'/gradio_api/upload',
        'root_path': '',
        'query_string': b'',
        'http_version': '1.1',
        'scheme': 'http',
        'server': ('127.0.0.1', 80),
        'client': ('127.0.0.1', 9),
        'headers': [
            (b'host', b'127.0.0.1'),
            (b'content-type', b'multipart/form-data; boundary=x'),
            (b'content-length', b'6000000'),
        ],
    }
    before = site.files()
    asyncio.run(site.app(scope, receive, send))
    assert len(seen) == 2, 'the upload had a file before the connection ended'
    assert site.files() == before


def test_a_silent_upload_is_given_up(monkeypatch):
    monkeypatch.setattr(gate, '_STALLED_SECONDS', 0.01)

    async def never():
        await asyncio.Event().wait()

    message = asyncio.run(gate._impatient(never)())
    assert message == {'type': 'http.disconnect'}


def test_uploads_are_bounded(site, monkeypatch):
    before = site.files()
    assert site.client.post(f'{API}/upload', content=iter([b'x'])).status_code == 411
    monkeypatch.setattr(gate, 'MAX_MB', 0)
    answer = site.upload(bytes(gate._SLACK), 'long.png')
    assert (answer.status_code, answer.text) == (413, 'Files may have up to 0 MB.')
    monkeypatch.undo()
    monkeypatch.setattr(gate, 'MAX_FOLDER_MB', 0)
    assert site.upload('x', 'more.png').status_code == 507
    assert site.files() == before
    body = '[' * 500_000
    answer = site.client.post(f'{API}/queue/join', content=body)
    assert answer.status_code == 400
    answer = site.client.post(f'{API}/queue/join', content=bytes(1024**2 + 1))
    assert answer.status_code == 413


def test_links_count_once(tmp_path):
    (tmp_path / 'a').write_bytes(bytes(1000))
    (tmp_path / 'sub').mkdir()
    os.link(tmp_path / 'a', tmp_path / 'sub' / 'b')
    (tmp_path / 'sub' / 'c').write_bytes(bytes(30))
    assert gate.size_of(tmp_path) == 1030


def test_25_users_wait(site):
    analyst = site.analyst
    paths = [site.upload(text).json()[0] for text in ('first', 'second')]
    analyst.may_go_on.clear()
    analyst.waits.clear()
    try:
        assert site.join(site.compare, paths, 'user 0').status_code == 200
        assert analyst.waits.wait(60)
        for number in range(1, 25):
            answer = site.join(site.compare, [None, None], f'user {number}')
            assert answer.status_code == 200
    finally:
        analyst.may_go_on.set()


def test_nobody_can_let_two_into_the_network(site):
    """Gradio's route for it would end an event, but not the thread that computes."""
    (path,) = site.upload('a').json()
    site.analyst.waits.clear()
    site.analyst.may_go_on.clear()
    try:
        session = dict(session_hash='impatient', fn_index=site.compare['id'])
        event = site.join(site.compare, [path, path], 'impatient').json()
        assert site.analyst.waits.wait(60)
        answer = site.client.post(f'{API}/cancel', json=session | event)
    finally:
        site.analyst.may_go_on.set()
    assert answer.status_code == 404
    assert site.output('impatient')['data']


def test_two_users_see_their_own(site):
    """Each pair and its finding belong to one session, the files too."""
    ann = [site.upload(text).json()[0] for text in ('Ann 1', 'Ann 2')]
    bob = [site.upload(text).json()[0] for text in ('Bob 1', 'Bob 2')]
    assert site.settled(ann, 'ann') == (True, '', '')
    assert site.settled(bob, 'bob') == (True, '', '')
    site.run(site.compare, ann, 'ann')
    site.run(site.compare, bob, 'bob')
    assert 'Ann 1 and Ann 2.' in site.settled(ann, 'ann')[1]
    assert 'Bob 1 and Bob 2.' in site.settled(bob, 'bob')[1]
    assert site.settled([None, None], 'bob') == (False, '', '')
    for copy in site.folder.glob('mmcomp-upload-*/*'):
        assert site.client.get(f'{API}/file={copy}').status_code == 403
        assert site.join(site.settle, [copy, None], 'bob').status_code == 403


def test_the_page_follows_what_is_chosen(site):
    """Whatever the order of events, the last of them shows what is true now."""
    one, two, three = (site.upload(text).json()[0] for text in 'abc')
    session = 'order'
    assert site.settled([one, None], session) == (False, '', '')
    assert site.settled([one, two], session)[0]
    # The button was clicked before the page had settled on another picture.
    site.run(site.compare, [one, three], session)
    enabled, problem, _ = site.settled([one, three], session)
    assert enabled
    assert 'A and c.' in problem
    # This result is not one of other pictures, and comes back with its own.
    assert site.settled([one, two], session) == (True, '', '')
    assert 'A and c.' in site.settled([one, three], session)[1]
    # An event that was overtaken makes the page settle once more, and then it rests.
    assert site.run(site.settle, [one, None], session)['changed_state_ids']
    assert site.run(site.settle, [one, three], session)['changed_state_ids']
    assert not site.run(site.settle, [one, three], session)['changed_state_ids']


def test_an_event_lasts_as_long_as_the_page(site):
    assert site.join(site.stay, [], 'guest').status_code == 200
    with site.client.stream('GET', f'{API}/heartbeat/guest') as lines:
        assert next(lines.iter_lines()) == 'data: ALIVE'
    assert site.output('guest')['data'] == []


def test_a_picture_outlives_the_copy_of_gradio(site):
    paths = [site.upload(text).json()[0] for text in ('old 1', 'old 2')]
    site.settled(paths, 'old')
    for path in paths:
        os.unlink(path)
    site.run(site.compare, paths, 'old')
    assert 'Old 1 and old 2.' in site.settled(paths, 'old')[1]
    # Another session has none of them.
    assert site.settled(paths, 'other') == (False, '', '')


def test_a_playlist_is_no_video(server, files):
    """It would show any other video on the machine."""
    site = Site(*server, place='video')
    video = files[0] / 'smile.mp4'
    listing = f'#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\n{video}\n#EXT-X-ENDLIST\n'
    paths = [site.upload(listing, 'list.m3u8').json()[0]]
    site.run(site.compare, paths, 'playlist')
    _, problem, result = site.settled(paths, 'playlist')
    assert 'cannot be opened as a video' in problem
    assert result == ''
    site.client.close()


def test_a_killed_server_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    killed, alive, new = (tmp_path / f'mmcomp-demo-{name}' for name in ('a', 'b', 'c'))
    other = tmp_path / 'other'
    for folder in (killed, alive, other):
        (folder / 'uploads').mkdir(parents=True)
        (folder / 'uploads' / 'face.png').write_text('private')
    new.mkdir()
    (tmp_path / 'mmcomp-demo-link').symlink_to(other)
    with serving._lock(alive):
        serving.delete_abandoned()
    assert not killed.exists()
    assert (alive / 'uploads' / 'face.png').exists()
    assert (other / 'uploads' / 'face.png').exists()
    assert new.exists()


@pytest.mark.parametrize('name', ['SIGHUP', 'SIGINT', 'SIGTERM'])
def test_a_stopped_server_leaves_nothing(tmp_path, monkeypatch, name):
    """Also if its terminal is closed."""
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))

    def missed(*_):
        raise AssertionError(f'{name} is not handled')

    numbers = signal.SIGHUP, signal.SIGINT, signal.SIGTERM
    handlers = {number: signal.signal(number, missed) for number in numbers}
    try:
        with pytest.raises(SystemExit):
            serving.serve(lambda: os.kill(os.getpid(), getattr(signal, name)), 0)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert list(tmp_path.iterdir()) == []
