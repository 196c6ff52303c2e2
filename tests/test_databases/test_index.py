"""What is written, and what every database does alike."""

import os
import subprocess
import sys

import pytest

from mmcomp.databases import Index, check_report, index_database
from mmcomp.databases.common.base import POSED, SPONTANEOUS
from mmcomp.databases.common.index import ORDER
from mmcomp.datasets.pair_table import CLASSES, REQUIRED_COLUMNS


def small_index(root, **columns):
    index = Index('tiny', root, 'nobody')
    row = dict(subject='s 1', label='posed', onset=root / 'a.png', apex=root / 'b.png')
    index.add(root / 'b.png', sample_id='1', **{**row, **columns})
    return index


def test_classes_and_columns_are_those_of_the_datasets():
    assert (POSED, SPONTANEOUS) == CLASSES
    assert set(REQUIRED_COLUMNS) <= set(ORDER)


def test_import_is_light():
    code = 'import sys, mmcomp.databases; print(sorted(sys.modules))'
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True
    )
    for heavy in ('torch', 'mmpretrain', 'pandas', 'mmcomp.datasets'):
        assert f"'{heavy}'" not in done.stdout


@pytest.mark.parametrize('place', ['out/pairs.csv', 'my data @ home, ü/deep/p.csv'])
def test_paths_are_relative_to_the_table_and_lead_to_files(
    root, grow, read, tmp_path, place
):
    grow('a.png', 'b.png')
    out, rows = read(small_index(root), place)
    assert list(rows[0]) == [*REQUIRED_COLUMNS, 'database']
    assert rows[0]['database'] == 'tiny'
    for name in ('onset', 'apex'):
        assert not os.path.isabs(rows[0][name])
        assert (out.parent / rows[0][name]).is_file()
    assert sorted(p.name for p in out.parent.iterdir()) == [out.name]


def test_a_table_that_differs_is_kept(root, read, tmp_path):
    out, _ = read(small_index(root))
    written = out.read_bytes()
    assert read(small_index(root))[0].read_bytes() == written
    other = small_index(root, emotion='joy, "great"')
    with pytest.raises(ValueError, match=r"pairs.csv' exists and differs; --force"):
        other.write(out)
    assert out.read_bytes() == written
    _, rows = read(other, force=True)
    assert rows[0]['emotion'] == 'joy, "great"'
    with pytest.raises(ValueError, match='is a folder'):
        other.write(tmp_path)


def test_problems_are_written_beside_it_and_go_when_they_are_gone(root, read):
    index = small_index(root)
    index.problem('unmatched', root / 'x y' / '1.png', 'why, "so"')
    index.add('table.csv:7', sample_id='1', subject='s', label='posed')
    out, rows = read(index)
    assert len(rows) == 1
    problems = (out.parent / 'pairs.problems.csv').read_text()
    assert problems == (
        'kind,position,reason\n'
        'unmatched,x y/1.png,"why, ""so"""\n'
        'duplicate,table.csv:7,1 is already in b.png\n'
    )
    assert 'problems: 2\n  unmatched: 1\n      x y/1.png: why, "so"' in check_report(
        index
    )
    read(small_index(root))
    assert not (out.parent / 'pairs.problems.csv').exists()


def test_report_counts_by_class_subject_and_emotion(root):
    index = Index('tiny', root, 'somebody')
    samples = [
        ('a', 'posed', 'joy', {'apex': root}),
        ('a', 'posed', 'joy', {'apex_frame': 3}),
        ('a', 'posed', 'fear', {}),
        ('b', 'posed', 'joy', {}),
        ('b', 'spontaneous', None, {}),
    ]
    for number, (subject, label, emotion, more) in enumerate(samples):
        columns = dict(subject=subject, label=label, emotion=emotion, **more)
        index.add(str(number), sample_id=number, **columns)
    index.notes.append('all is well')
    for number in range(5):
        index.problem('missing apex', f'table.csv:{number}', "apex is '/'")
    lines = [' '.join(line.split()) for line in check_report(index).splitlines()]
    for line in (
        'tiny: 5 samples of 2 subjects; 1 with images of onset and apex, 1 more with '
        'the number of the apex, 3 to be spotted',
        'posed 4 2 1 / 2 / 3',
        'spontaneous 1 1 1 / 1 / 1',
        'all 5 2 2 / 2.5 / 3',
        'emotion posed spontaneous',
        '- 0 1',
        'fear 1 0',
        'joy 3 0',
        'note: all is well',
        'problems: 5',
        'missing apex: 5',
        "table.csv:2: apex is '/'",
        '... and 2 more',
        'Not ours: somebody.',
    ):
        assert line in lines
    assert "table.csv:3: apex is '/'" not in lines
    assert 'no problems' in check_report(small_index(root))


def minimum(database):
    """Options without which a database is not built."""
    options = {
        'mmi': dict(spontaneous=['1']),
        'generic': dict(pattern=['{subject}/{label}']),
    }
    options['nvie'] = options['generic']
    return options.get(database.name, {})


def test_every_database_refuses_a_missing_root(database, tmp_path):
    with pytest.raises(ValueError, match=r"no such folder'; it must be a folder"):
        index_database(database.name, tmp_path / 'no such folder', **minimum(database))


def test_every_database_says_what_it_expects(database, root, grow, table):
    grow('holiday/beach 1.png', 'holiday/x.mp4')
    header = [
        'Subject',
        'Filename',
        'OnsetFrame',
        'ApexFrame',
        'OffsetFrame',
        'Emotion',
    ]
    options = minimum(database)
    if database.name in ('casme2', 'samm'):
        options['table'] = table('empty.csv', [header])
    if database.name in ('generic', 'nvie'):
        options['pattern'] = ['{subject}/{label}/{emotion}/{frame}']
    with pytest.raises(ValueError, match='holds nothing of') as caught:
        index_database(database.name, root, **options)
    message = str(caught.value)
    assert str(root) in message
    assert database.__doc__.splitlines()[0] in message


def test_unknown_names_and_values(root):
    with pytest.raises(ValueError, match="name is 'casme3'; it must be one of 'bbc'"):
        index_database('casme3', root)
    with pytest.raises(
        ValueError, match="classes is '4'; it must be one of '3', '5', 'raw'"
    ):
        index_database('samm', root, classes='4')
