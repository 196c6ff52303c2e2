import numpy as np
import pytest

from mmcomp.models.fitted.cells import MIN_PAIRS, make_cells

LABELS = np.repeat([0, 1], [20, 10])
COLUMNS = {
    'emotion': ['joy', 'fear'] * 8 + ['joy'] * 4 + ['joy'] * 3 + ['fear'] * 7,
    'gender': ['female'] * 30,
}


def test_cells_are_the_class_and_the_value_with_the_log_of_their_share():
    fear, joy, rest = make_cells(LABELS, 2, COLUMNS, 'emotion')
    assert (fear.label, fear.values) == (0, ('fear',))
    assert (joy.label, joy.values) == (0, ('joy',))
    np.testing.assert_array_equal(fear.pairs, range(1, 16, 2))
    np.testing.assert_array_equal(joy.pairs, [*range(0, 16, 2), 16, 17, 18, 19])
    assert fear.log_share == pytest.approx(np.log(8 / 20))
    assert joy.log_share == pytest.approx(np.log(12 / 20))
    # Neither emotion of class 1 has enough pairs, so all of them are one cell.
    assert (rest.label, rest.values, rest.log_share) == (1, (), 0)
    np.testing.assert_array_equal(rest.pairs, range(20, 30))


def test_a_small_cell_is_left_out_and_keeps_its_share():
    emotion = ['joy'] * (MIN_PAIRS - 1) + ['fear'] * MIN_PAIRS
    [cell] = make_cells(np.zeros(15), 1, {'emotion': emotion}, 'emotion')
    assert cell.values == ('fear',)
    np.testing.assert_array_equal(cell.pairs, range(7, 15))
    assert cell.log_share == pytest.approx(np.log(8 / 15))


def test_several_columns_are_combined_and_none_leaves_each_class_whole():
    both = make_cells(LABELS, 2, COLUMNS, ['emotion', 'gender'])
    assert [cell.values for cell in both] == [('fear', 'female'), ('joy', 'female'), ()]
    whole = make_cells(LABELS, 2, {})
    assert [(len(c.pairs), c.values, c.log_share) for c in whole] == [
        (20, (), 0),
        (10, (), 0),
    ]


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        ('age', r"no column 'age'; they have 'emotion', 'gender', 'light'"),
        (('emotion', 'light'), r"column 'light' is empty for 2 of 30 training pairs"),
    ],
)
def test_an_absent_or_empty_column_is_named(given, message):
    columns = {**COLUMNS, 'light': ['front'] * 28 + ['', ' ']}
    with pytest.raises(ValueError, match=message):
        make_cells(LABELS, 2, columns, given)


def test_a_class_without_pairs_is_named():
    with pytest.raises(ValueError, match='class 2 has no training pair'):
        make_cells(LABELS, 3, COLUMNS, 'emotion')
