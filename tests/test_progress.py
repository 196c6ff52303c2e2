"""Progress in a log file and on a terminal."""

import sys
import threading

from mmcomp import progress


def test_lines_of_a_log_file(monkeypatch, capsys):
    """Items that are done; the last line comes in any case."""
    monkeypatch.setattr(progress, '_PERIOD', 0.0)
    assert list(progress.track(iter('abc'), 3, 'Doing')) == ['a', 'b', 'c']
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(',')[0] for line in lines] == [
        'Doing: 1/3', 'Doing: 2/3', 'Doing: 3/3',
    ]  # fmt: skip
    monkeypatch.setattr(progress, '_PERIOD', 1000.0)
    list(progress.track(iter('abc'), 3, 'Doing'))
    assert capsys.readouterr().err.startswith('Doing: 3/3, ')


def test_what_is_begun_is_shown_by_a_thread(monkeypatch, capsys):
    monkeypatch.setattr(progress, '_PERIOD', 0.0)
    monkeypatch.setattr(progress, '_REFRESH', 0.001)
    asked = threading.Event()
    calls = []

    def done():
        calls.append(0)
        if len(calls) > 1:
            asked.set()
        return 0.25

    def items():
        assert asked.wait(60)
        yield 'a'

    before = threading.active_count()
    assert list(progress.track(items(), 1, 'Doing', done)) == ['a']
    assert threading.active_count() == before
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith('Doing: 0.25/1, ')
    assert lines[-1].startswith('Doing: 1/1, ')


def test_a_bar_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, 'isatty', lambda: True)
    assert list(progress.track(iter('ab'), 2, 'Doing', lambda: 0.5)) == ['a', 'b']
    assert 'Doing' in capsys.readouterr().err
