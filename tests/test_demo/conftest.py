"""A trained network, clips of a smile, and the page in a real browser."""

import os
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
from runs import REPOSITORY, build, small_config

from mmcomp.synthetic import WideFrame, render_clip

FPS, HEIGHT, WIDTH = 20, 180, 240


@pytest.fixture(scope='session')
def network(make_pair_table, tmp_path_factory):
    """Paths of a config and a checkpoint, hardly trained."""
    folder = tmp_path_factory.mktemp('network')
    table = make_pair_table(folder, subjects=4, pairs=3)
    cfg = small_config(table, folder, 'compcnn_comb@2', epochs=2)
    cfg.dump(folder / 'compcnn_comb@2.py')
    build(cfg).train()
    return folder / 'compcnn_comb@2.py', folder / 'epoch_2.pth'


@pytest.fixture(scope='session')
def files(tmp_path_factory, write_video):
    """A folder with files to hand over, and the clip that two of them show."""
    folder = tmp_path_factory.mktemp('files')
    framing = WideFrame((HEIGHT, WIDTH), 54, (WIDTH / 2, 75))
    clip = render_clip(
        'happiness', 'posed', seed=5, subject=0, fps=FPS, seconds=2.5, framing=framing
    )
    frames = list(clip)
    for name, reel in (('smile.mp4', frames), ('still.mp4', frames[:4] * 5)):
        write_video(folder / name, reel, FPS)
    cv2.imwrite(str(folder / 'onset.png'), frames[clip.onset])
    cv2.imwrite(str(folder / 'apex.png'), frames[clip.apex])
    cv2.imwrite(str(folder / 'blank.png'), np.full((90, 120), 128, np.uint8))
    (folder / 'broken.mp4').write_bytes(b'no video')
    with (folder / 'large.mp4').open('wb') as file:
        file.truncate(101 * 1024**2)
    with (folder / 'webcam.y4m').open('wb') as file:
        file.write(f'YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip C420jpeg\n'.encode())
        for frame in frames:
            chroma = b'\x80' * (frame.size // 2)
            file.write(b'FRAME\n' + frame.tobytes() + chroma)
    return folder, clip


#: Runs a tool, and notes whatever it wants of the network.
AUDITED = """
import runpy, sys
log, sys.argv = sys.argv[1], sys.argv[2:]

def note(event, arguments):
    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.sendto'):
        with open(log, 'a') as file:
            print(event, arguments, file=file)

sys.addaudithook(note)
runpy.run_path(sys.argv[0], run_name='__main__')
"""


@pytest.fixture(scope='session')
def server(network, tmp_path_factory):
    """Address of a served page, and the folder that it keeps its files in.

    In the end the folder must be empty, and the server have called nobody.
    """
    pytest.importorskip('gradio', reason='Gradio is not installed')
    folder = tmp_path_factory.mktemp('server')
    calls = folder.with_suffix('.log')
    command = [sys.executable, '-c', AUDITED, calls, REPOSITORY / 'tools' / 'demo.py']
    process = subprocess.Popen(
        [*map(str, [*command, *network]), '--port', '0', '--device', 'cpu'],
        env=dict(os.environ, TMPDIR=str(folder), OMP_NUM_THREADS='1'),
        stdout=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline()
    assert line.startswith('the page is at '), line
    yield line.split(';')[0].split()[-1], folder
    process.terminate()
    process.wait(90)
    assert list(folder.iterdir()) == []
    assert not calls.exists(), calls.read_text()


# Of a module, not a session: processes that later tests leave would keep Playwright's
# pipes open, and it waits for their end.
@pytest.fixture(scope='module')
def browser(files):
    """Chromium, whose webcam shows the clip."""
    api = pytest.importorskip('playwright.sync_api', reason='Playwright is missing')
    program = shutil.which('chromium')
    if program is None:
        pytest.skip('Chromium is not installed')
    flags = [
        '--no-sandbox',
        '--disable-gpu',
        '--use-fake-ui-for-media-stream',
        '--use-fake-device-for-media-stream',
        f'--use-file-for-fake-video-capture={files[0] / "webcam.y4m"}',
    ]
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, server):
    """``open_page()``: the page as a new user; it must ask no other host."""
    contexts, foreign = [], []

    def note(request):
        if not request.url.startswith((server[0], 'data:', 'blob:')):
            foreign.append(request.url)

    def make():
        context = browser.new_context(viewport={'width': 1200, 'height': 900})
        context.set_default_timeout(90_000)  # milliseconds; machines may be busy
        contexts.append(context)
        page = context.new_page()
        page.on('request', note)
        page.goto(server[0])
        page.wait_for_selector('#video input[type=file]', state='attached')
        return page

    yield make
    for context in contexts:
        context.close()
    assert foreign == []
