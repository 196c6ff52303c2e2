"""An experiment and a training, killed or out of space while they write.

A few of the faults of tests/kills.py, which goes through all of them.
"""

import pytest
from kills import FULL, KILL, TORN, Bench, make_config

pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def bench(make_pair_table, tmp_path_factory):
    """``bench(program)``, each run undisturbed once."""
    folder = tmp_path_factory.mktemp('kills @ work')
    config = make_config(folder, make_pair_table)
    made = {}

    def get(program):
        if program not in made:
            made[program] = Bench(program, config, folder / program)
        return made[program]

    return get


@pytest.mark.parametrize(
    ('program', 'mode', 'event'),
    [
        ('cross-validate', FULL, 'open .inputs.json'),
        ('cross-validate', KILL, 'step'),
        ('cross-validate', FULL, 'epoch_2.pth'),
        ('cross-validate', TORN, 'fold01-seed0/.predictions.csv'),
        ('cross-validate', TORN, '.costs.json'),
        ('train', TORN, 'epoch_1.pth'),
        ('train', KILL, 'os.rename .predictions.csv'),
    ],
)  # fmt: skip
def test_started_again_it_ends_as_if_undisturbed(program, mode, event, bench):
    own = bench(program)
    assert own.disturb(mode, own.find(event)) == ''
