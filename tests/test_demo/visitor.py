"""A client that sends any request to the page's server, as no browser would."""

import json
import time
import uuid

import httpx

API = '/gradio_api'


def wait_until(happened, seconds=60):
    """Look again and again, for at most so long."""
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.05)


class Visitor:
    """One user.

    Args:
        address: Of the server.
    """

    def __init__(self, address):
        self.web = httpx.Client(base_url=address, timeout=90)
        self.session = uuid.uuid4().hex
        config = self.web.get('/config').json()
        self.functions = {}
        for each in config['dependencies']:
            self.functions.setdefault(each['api_name'], each['id'])

    def upload(self, name, data, **headers):
        """Return the answer to a file's upload."""
        return self.web.post(
            f'{API}/upload', files={'files': (name, data)}, headers=headers
        )

    def join(self, function, *data):
        """Return the answer to a request to run a function."""
        body = dict(
            data=data,
            fn_index=self.functions[function],
            session_hash=self.session,
            event_data=None,
        )
        return self.web.post(f'{API}/queue/join', json=body)

    def call(self, function, *data):
        """Run a function to its end.

        Returns:
            Whether it succeeded, and what it returned or the text of its error.
        """
        joined = self.join(function, *data)
        joined.raise_for_status()
        address = f'{API}/queue/data?session_hash={self.session}'
        with self.web.stream('GET', address) as lines:
            for line in lines.iter_lines():
                if line.startswith('data: '):
                    message = json.loads(line.removeprefix('data: '))
                    if message['msg'] == 'process_completed':
                        output = message['output']
                        return message['success'], output.get(
                            'data', output.get('error')
                        )
        raise AssertionError('the stream ended')


def file(path):
    """A file as the browser names it."""
    return dict(path=str(path), meta={'_type': 'gradio.FileData'})
