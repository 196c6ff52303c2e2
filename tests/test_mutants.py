"""The list of faults that tests/mutants.py plants."""

import ast

import pytest
from mutants import read_faults

FAULTS = read_faults()


def test_the_list_is_long_enough_and_names_are_unique():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 60


@pytest.mark.parametrize('fault', FAULTS, ids=lambda fault: fault.name)
def test_fault_can_be_planted(fault):
    """Its text is there once, its tests exist, and what comes out is Python."""
    assert fault.problem() is None
    ast.parse(fault.planted())
