"""A trained network on a small table."""

import pytest
from runs import build, small_config


@pytest.fixture(scope='session')
def trained(make_pair_table, tmp_path_factory):
    """A folder with ``pairs.csv``, ``compcnn_comb-svm.py`` and a checkpoint."""
    folder = tmp_path_factory.mktemp('trained @ ü')
    table = make_pair_table(folder, subjects=4, pairs=3)
    for name in ('compcnn_comb-svm', 'compcnn_sub@1'):
        cfg = small_config(table, folder / name, name, epochs=2)
        cfg.dump(folder / f'{name}.py')
        build(cfg).train()
    return folder
