"""What a request that no browser would send gets from the page's server."""

import http.client
import socket

import pytest
from visitor import API, Visitor, file, wait_until


@pytest.fixture
def visitor(server):
    visitor = Visitor(server[0])
    yield visitor
    visitor.web.close()


@pytest.fixture
def folder(server):
    """Where the server keeps files."""
    return next(server[1].glob('mmcomp-demo-*'))


def content(folder):
    return sorted(path for path in folder.rglob('*') if path.is_file())


def uploaded(visitor, path):
    answer = visitor.upload(path.name, path.read_bytes())
    assert answer.status_code == 200
    return file(answer.json()[0])


def find(visitor, video):
    """Whether the function ran, and the sentence that it shows."""
    done, _ = visitor.call('find', video, None)
    if not done:
        return done, ''
    _, output = visitor.call('show', video, None)
    return done, output[5]


@pytest.mark.parametrize('field', ['picture', 'slider'])
@pytest.mark.parametrize(
    ('name', 'reason'),
    [
        ('a picture', 'was not uploaded by a user'),
        ('/dev/zero', 'was not uploaded by a user'),
        ('http://refused.example/a.png', 'calls no other host'),
    ],
)
def test_only_uploads_are_read(visitor, folder, files, name, reason, field):
    """Neither another file of the machine, an endless one, nor another address."""
    private = file(files[0] / 'onset.png' if name == 'a picture' else name)
    before = content(folder)
    if field == 'picture':
        done, error = visitor.call('choose_1', private)
    else:
        done, error = visitor.call('move', None, None, None, private, 2)
    assert not done
    assert reason in error
    assert content(folder) == before
    assert visitor.web.get('/').status_code == 200


def test_a_video_cannot_name_another(visitor, files):
    """A playlist is text, which would have FFmpeg play any video of the machine."""
    text = f'#EXTM3U\n#EXTINF:1.0,\n{files[0] / "smile.mp4"}\n#EXT-X-ENDLIST\n'
    answer = visitor.upload('a.m3u8', text.encode())
    done, sentence = find(visitor, file(answer.json()[0]))
    assert done
    assert 'cannot be opened as a video' in sentence
    done, sentence = find(visitor, uploaded(visitor, files[0] / 'smile.mp4'))
    assert sentence == ''


def test_nobody_sees_the_files_of_another(server, visitor, folder, files):
    own = uploaded(visitor, files[0] / 'onset.png')
    assert visitor.call('choose_1', own)[0]
    kept = next(folder.glob('mmcomp-upload-*/onset.png'))
    other = Visitor(server[0])
    assert not other.call('choose_1', file(kept))[0]
    for path in (kept, folder, f'{folder}/arriving', f'{folder}/arriving/../..'):
        assert other.web.get(f'{API}/file={path}').status_code in (403, 404), path
    assert other.web.get(f'{API}/file={own["path"]}').status_code == 200


@pytest.mark.parametrize(
    'address',
    [
        f'{API}/file=/etc/passwd',
        f'{API}/file=http://127.0.0.1:9/',
        f'{API}/proxy=http://127.0.0.1:9/',
        f'{API}/info',
        f'{API}/queue/status',
        f'{API}/vibe-code',
        '/monitoring',
        '/login',
        '/docs',
    ],
)
def test_what_the_page_does_not_need_is_not_served(visitor, address):
    assert visitor.web.get(address).status_code == 404
    assert visitor.web.post(address, json={}).status_code == 404


@pytest.mark.parametrize(
    'name', ['run/compare', 'call/compare', 'component_server', 'process_recording']
)
def test_one_way_leads_in(visitor, name):
    assert visitor.web.post(f'{API}/{name}', json={'data': []}).status_code == 404


@pytest.mark.parametrize('origin', ['http://example.org', 'null', 'http://127.0.0.1:1'])
def test_another_page_cannot_upload(visitor, server, folder, origin):
    before = content(folder)
    assert visitor.upload('a.png', b'a', Origin=origin).status_code == 403
    assert content(folder) == before
    assert visitor.upload('a.png', b'a', Origin=server[0]).status_code == 200


def test_large_bodies_are_refused(visitor, server):
    assert visitor.join('choose', 'x' * 1024**2).status_code == 413
    connection = http.client.HTTPConnection(server[0].removeprefix('http://'))
    connection.putrequest('POST', f'{API}/upload')
    connection.putheader('Content-Length', str(102 * 1024**2))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
    pieces = visitor.web.post(f'{API}/upload', content=iter([b'a']))
    assert pieces.status_code == 411


def test_an_upload_that_breaks_off_leaves_nothing(server, visitor, folder):
    before = content(folder)
    host, port = server[0].removeprefix('http://').split(':')
    part = (
        b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    )
    head = (
        f'POST {API}/upload HTTP/1.1\r\nHost: {host}\r\nContent-Length: 9000000\r\n'
        'Content-Type: multipart/form-data; boundary=b\r\n\r\n'
    )
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + part + b'x' * 6_000_000)
        wait_until(lambda: content(folder) != before)
    wait_until(lambda: content(folder) == before)


def test_many_users_may_wait(server):
    """25 at once, of whom the network serves one."""
    visitors = [Visitor(server[0]) for _ in range(25)]
    answers = [each.join('compare', None, None, None, None) for each in visitors]
    assert {answer.status_code for answer in answers} == {200}
    for each in visitors:
        each.web.close()
