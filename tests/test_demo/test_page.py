"""The page in a real, headless Chromium."""

import json
import re
import urllib.error
import urllib.request

import pytest
from visitor import wait_until

FIND = 'Find onset and apex and compare'


def hand_over(page, place, path):
    """Choose a file, and wait until the page shows it."""
    page.set_input_files(f'{place} input[type=file]', path)
    shown(page, place)


def shown(page, place):
    page.wait_for_selector(f'{place} [src*="/file="]', state='attached')


def click(page, name):
    page.get_by_role('button', name=name, exact=True).click()


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
    hand_over(page, '#video', folder / 'smile.mp4')
    click(page, FIND)
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
    shown(page, '#video')
    click(page, FIND)
    score(page)
    onset, apex = frames(page)
    assert 0 < apex - onset < 30


@pytest.fixture
def pictures(open_page):
    """A page with the tab of two pictures."""
    page = open_page()
    page.get_by_role('tab', name='Two pictures').click()
    return page


def test_two_pictures(pictures, files):
    """What is missing is said; pictures can be exchanged."""
    page, folder = pictures, files[0]
    click(page, 'Compare')
    problem = page.locator('#picture-problem')
    problem.get_by_text('Choose a picture of the onset first.').wait_for()
    hand_over(page, '#onset-picture', folder / 'onset.png')
    problem.get_by_text('Choose').wait_for(state='detached')
    click(page, 'Compare')
    problem.get_by_text('Choose a picture of the apex first.').wait_for()
    hand_over(page, '#apex-picture', folder / 'blank.png')
    click(page, 'Compare')
    problem.get_by_text('Apex: no face was found.').wait_for()
    page.click('#apex-picture [aria-label="Remove Image"]')
    problem.locator('p').wait_for(state='detached')
    hand_over(page, '#apex-picture', folder / 'apex.png')
    click(page, 'Compare')
    assert score(page, '#picture-result')


class Line:
    """The line to the server, which holds back requests that match."""

    def __init__(self, page, matches):
        self.held = []
        page.route('**/queue/join*', self.pass_on)
        self.matches = matches

    def pass_on(self, route):
        if self.matches(route.request.post_data_json):
            self.held.append(route)
        else:
            route.continue_()

    def release(self):
        self.matches = lambda _: False
        for route in self.held:
            route.continue_()


@pytest.fixture(scope='session')
def functions(server):
    """The name of each function of the page by its number."""
    with urllib.request.urlopen(f'{server[0]}/config') as answer:
        found = json.load(answer)['dependencies']
    return {each['id']: each['api_name'].split('_')[0] for each in found}


def test_comparing_waits_for_no_other_event(pictures, files, functions):
    """However late the server learns of the pictures."""
    line = Line(pictures, lambda sent: functions[sent['fn_index']] == 'choose')
    for name in ('onset', 'apex'):
        hand_over(pictures, f'#{name}-picture', files[0] / f'{name}.png')
    click(pictures, 'Compare')
    assert score(pictures, '#picture-result')
    assert line.held
    line.release()


def test_a_late_result_of_a_replaced_picture_is_dropped(pictures, files, functions):
    page, folder = pictures, files[0]
    hand_over(page, '#onset-picture', folder / 'onset.png')
    hand_over(page, '#apex-picture', folder / 'blank.png')
    line = Line(page, lambda sent: functions[sent['fn_index']] == 'compare')
    with page.expect_request('**/queue/join*'):
        click(page, 'Compare')
    seen = page.evaluate_handle(
        """() => { const seen = []
        new MutationObserver(() => seen.push(
            document.querySelector('#picture-problem').innerText))
            .observe(document.querySelector('#picture-problem'),
                     {childList: true, subtree: true, characterData: true})
        return seen }"""
    )
    page.click('#apex-picture [aria-label="Remove Image"]')
    hand_over(page, '#apex-picture', folder / 'apex.png')
    click(page, 'Compare')  # waits for the first
    line.release()
    assert score(page, '#picture-result')
    assert not any('no face' in text for text in seen.json_value())


@pytest.mark.parametrize(
    ('name', 'sentence'),
    [
        ('broken.mp4', "'broken.mp4' cannot be opened as a video."),
        ('still.mp4', 'You can choose onset and apex yourself.'),
    ],
)
def test_clips_without_an_expression(open_page, files, name, sentence):
    page = open_page()
    hand_over(page, '#video', files[0] / name)
    click(page, FIND)
    page.wait_for_selector('#problem p')
    assert sentence in page.inner_text('#problem')
    assert page.locator('#onset').count() == ('yourself' in sentence)


def test_a_large_file_is_refused(open_page, files):
    page = open_page()
    page.set_input_files('#video input[type=file]', files[0] / 'large.mp4')
    page.wait_for_selector('.toast-wrap :text("exceed the maximum allowed size")')
    click(page, FIND)
    page.wait_for_selector('#problem :text("Choose a video first.")')


def test_two_users_at_once(open_page, files):
    """Each gets the result of the own clip, although both use it at the same time."""
    folder = files[0]
    pages = [open_page(), open_page()]
    hand_over(pages[0], '#video', folder / 'smile.mp4')
    click(pages[0], FIND)
    hand_over(pages[1], '#video', folder / 'still.mp4')
    click(pages[1], FIND)
    pages[1].wait_for_selector('#problem p')
    assert score(pages[0])
    assert pages[0].inner_text('#problem') == ''
    assert pages[1].locator('#result .score').count() == 0


def test_a_closed_page_leaves_nothing(open_page, files, server):
    page = open_page()
    hand_over(page, '#video', files[0] / 'smile.mp4')
    click(page, FIND)
    score(page)

    def copies():
        return list(server[1].glob('*/mmcomp-upload-*/smile.mp4'))

    before = len(copies())
    assert before
    page.close()
    wait_until(lambda: len(copies()) < before)


def test_only_this_machine_is_served(server):
    """By its own name alone, so that no foreign page reaches it by a trick of DNS."""
    with urllib.request.urlopen(server[0]) as answer:
        assert "default-src 'self'" in answer.headers['content-security-policy']
    request = urllib.request.Request(server[0], headers={'Host': 'example.org'})
    with pytest.raises(urllib.error.HTTPError, match='400'):
        urllib.request.urlopen(request)
