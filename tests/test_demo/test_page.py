"""The page in a real, headless Chromium."""

import re
import time
import urllib.error
import urllib.request

import pytest

FIND = 'Find onset and apex and compare'


def hand_over(page, place, path, button):
    page.set_input_files(f'{place} input[type=file]', path)
    page.get_by_role('button', name=button, exact=True).click()  # once it is enabled


def frames(page):
    """Onset and apex as the sliders have them."""
    fields = (f'#{name} input[type=number]' for name in ('onset', 'apex'))
    return [int(page.input_value(field)) for field in fields]


def score(page, place='#result'):
    page.wait_for_selector(f'{place} .score')
    return page.inner_text(f'{place} .scores')


def test_a_clip(open_page, files, tmp_path):
    """Upload, click: there it is; onset and apex can be moved."""
    folder, clip = files
    page = open_page()
    assert 'no fact about a person' in page.inner_text('body')
    hand_over(page, '#video', folder / 'smile.mp4', FIND)
    assert re.findall(r'0\.\d\d|1\.00', score(page))
    onset, apex = frames(page)
    assert abs(onset - clip.onset) <= 4
    assert abs(apex - clip.apex) <= 4
    assert page.locator('#result img').count() == 3
    alt = f'motion of the face against frame {onset}'
    assert alt in page.get_attribute('#curve img', 'alt')
    page.screenshot(path=tmp_path / 'page.png', full_page=True)

    page.fill('#onset input[type=number]', '2')
    page.wait_for_selector('#curve img[alt*="against frame 2,"]')
    page.fill('#onset input[type=number]', str(apex))
    page.wait_for_selector('#problem p')
    assert page.inner_text('#problem') == 'The onset must come before the apex.'


def test_the_webcam(open_page):
    page = open_page()
    page.click('#video [aria-label="Capture from camera"]')
    page.click('#video button:has-text("Click to Access Webcam")')
    page.click('#video [aria-label="start recording"]')
    playing = "() => document.querySelector('#video video').currentTime > 3"
    page.wait_for_function(playing)  # longer than the smile of its clip
    page.click('#video [aria-label="start recording"]')
    page.get_by_role('button', name=FIND).click()
    score(page)
    onset, apex = frames(page)
    assert 0 < apex - onset < 30


def test_two_pictures(open_page, files):
    """All results come in one stream; when Gradio closes it, it loses some."""
    folder = files[0]
    page, streams = open_page(), []
    page.on('requestfinished', lambda request: streams.append(request.url))
    page.on('requestfailed', lambda request: streams.append(request.url))
    page.get_by_role('tab', name='Two pictures').click()
    page.set_input_files('#onset-picture input[type=file]', folder / 'onset.png')
    hand_over(page, '#apex-picture', folder / 'blank.png', 'Compare')
    page.wait_for_selector('#picture-problem p')
    assert page.inner_text('#picture-problem') == 'Apex: no face was found.'
    page.click('#apex-picture [aria-label="Remove Image"]')
    page.wait_for_selector('#picture-problem p', state='detached')
    hand_over(page, '#apex-picture', folder / 'apex.png', 'Compare')
    assert score(page, '#picture-result')
    assert not [url for url in streams if '/queue/data' in url]


def test_uploads_that_overlap(open_page, files):
    """The one that began first ends last."""
    folder = files[0]
    page, held = open_page(), []

    def pass_second(route):
        if held:
            route.continue_()
        else:
            held.append(route)

    page.get_by_role('tab', name='Two pictures').click()
    page.route('**/gradio_api/upload?*', pass_second)
    with page.expect_request('**/gradio_api/upload?*'):
        page.set_input_files('#onset-picture input[type=file]', folder / 'onset.png')
    page.set_input_files('#apex-picture input[type=file]', folder / 'apex.png')
    page.wait_for_selector('#apex-picture img')
    button = page.get_by_role('button', name='Compare', exact=True)
    assert button.is_disabled()
    held[0].continue_()
    button.click()
    assert score(page, '#picture-result')


@pytest.mark.parametrize(
    ('name', 'sentence'),
    [
        ('broken.mp4', "'broken.mp4' cannot be opened as a video."),
        ('still.mp4', 'You can choose onset and apex yourself.'),
    ],
)
def test_clips_without_an_expression(open_page, files, name, sentence):
    page = open_page()
    hand_over(page, '#video', files[0] / name, FIND)
    page.wait_for_selector('#problem p')
    assert sentence in page.inner_text('#problem')
    assert page.locator('#onset').count() == ('yourself' in sentence)


def test_a_large_file_is_refused(open_page, files):
    page = open_page()
    page.set_input_files('#video input[type=file]', files[0] / 'large.mp4')
    page.wait_for_selector('.toast-wrap :text("exceed the maximum allowed size")')
    assert page.get_by_role('button', name=FIND).is_disabled()


def test_two_users_at_once(open_page, files):
    """Each gets the result of the own clip, although both use it at the same time."""
    folder = files[0]
    pages = [open_page(), open_page()]
    hand_over(pages[0], '#video', folder / 'smile.mp4', FIND)
    hand_over(pages[1], '#video', folder / 'still.mp4', FIND)
    pages[1].wait_for_selector('#problem p')
    assert score(pages[0])
    assert pages[0].inner_text('#problem') == ''
    assert pages[1].locator('#result .score').count() == 0


def test_a_closed_page_leaves_nothing(open_page, files, server):
    page = open_page()
    hand_over(page, '#video', files[0] / 'smile.mp4', FIND)
    score(page)

    def copies():
        return list(server[1].glob('*/mmcomp-upload-*/smile.mp4'))

    before = len(copies())
    assert before
    page.close()
    until = time.monotonic() + 90
    while len(copies()) == before and time.monotonic() < until:
        time.sleep(0.2)
    assert len(copies()) < before


def test_only_this_machine_is_served(server):
    """By its own name alone, so that no foreign page reaches it by a trick of DNS."""
    with urllib.request.urlopen(server[0]) as answer:
        assert "default-src 'self'" in answer.headers['content-security-policy']
    request = urllib.request.Request(server[0], headers={'Host': 'example.org'})
    with pytest.raises(urllib.error.HTTPError, match='400'):
        urllib.request.urlopen(request)
