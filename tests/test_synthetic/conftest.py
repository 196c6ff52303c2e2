"""One tiny dataset and its plan for all tests of this folder."""

from dataclasses import replace

import pytest
from threadpoolctl import threadpool_limits

from mmcomp.synthetic import ensure_dataset, make_plan


@pytest.fixture(scope='module', autouse=True)
def _one_thread():
    """Small models are slowed down by threads that wait for each other."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope='session')
def tiny(tmp_path_factory):
    """Folder of the tiny preset, rendered by two processes."""
    root = tmp_path_factory.mktemp('synthetic')
    return ensure_dataset('tiny', root, workers=2).parent


@pytest.fixture(scope='session')
def subset_plan():
    """The plan of nvie-subset, seed 0."""
    return make_plan('nvie-subset')


@pytest.fixture(scope='session')
def subset_coefficients(subset_plan):
    """Its table of true coefficients."""
    return subset_plan.coefficients()


@pytest.fixture(scope='session')
def identity(subset_plan):
    """A light face with dark brows, so that tests can measure them."""
    base = next(iter(subset_plan.identities.values()))
    look = replace(base.look, tone=0.75, hair=0.2, brow=0.95, hair_length=0.0)
    return replace(base, look=look)


@pytest.fixture(scope='session')
def still(subset_plan):
    """A frontal view under a frontal lamp, the face at rest, nothing random."""
    view = subset_plan.all_samples()[0].onset
    zero = ['pitch', 'yaw', 'roll', 'light_x', 'noise', 'blink', 'gaze_x', 'gaze_y']
    zero += [f'eye_{side}_{axis}' for side in ('left', 'right') for axis in 'xy']
    values = dict.fromkeys(zero, 0.0) | dict.fromkeys(['exposure', 'gain', 'gamma'], 1)
    return replace(
        view, **values, light_y=0.3, light_z=0.95, blur=0.3, rest={}, background=0.0
    )
