"""Configs in checkpoints are read as data."""

import pytest
from mmengine.config import Config
from runs import CONFIGS

from mmcomp.differences import to_json
from mmcomp.plain_config import parse_config, without_weights

HOSTILE = [
    'import os',
    "model = __import__('os').system('touch VICTIM')",
    "model = dict(type='A', x=open('VICTIM', 'w'))",
    "model = dict(**{'type': 'A'})",
    'model = {**{}}',
    "model = [x for x in 'ab']",
    'model = f\'{open("VICTIM", "w")}\'',
    "model = dict([('a', 1)])",
    'model = (lambda: 1)()',
    'a = b = 1',
    'a.b = 1',
    'model = eval',
    "@open('VICTIM', 'w').write\ndef model(): pass",
]


@pytest.mark.parametrize('text', HOSTILE)
def test_programs_are_refused_and_not_run(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r'line \d: .* is no plain setting'):
        parse_config(text)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ('text', 'message'),
    [('a = (', 'line 1: '), ('a = ' + '[' * 100_000, 'line 1: |nested too deep')],
)
def test_what_is_no_text_of_a_config_is_one_line(text, message):
    with pytest.raises(ValueError, match=message) as error:
        parse_config(text)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('path', sorted(CONFIGS.glob('*.py')), ids=lambda p: p.stem)
def test_what_checkpoints_hold_is_read_as_mmengine_does(path):
    cfg = Config.fromfile(path)
    assert to_json(parse_config(cfg.pretty_text)) == to_json(cfg)


def test_weights_that_a_config_names_are_left_out():
    model = dict(
        type='A',
        init_cfg=dict(type='Pretrained', checkpoint='x.pth'),
        members={'a@1': dict(type='B', pretrained=True)},
        stages=[dict(type='C', checkpoint='y.pth', width=3)],
    )
    assert without_weights(model) == dict(
        type='A', members={'a@1': dict(type='B')}, stages=[dict(type='C', width=3)]
    )
