"""What every run imports, once, in the server that runs are forked from."""

from importlib import import_module

for name in (
    'mmcomp.registry',  # first: it silences a warning of mmcv-lite
    'mmcomp.datasets',
    'mmcomp.engine',
    'mmcomp.evaluation',
    'mmcomp.models',
    'mmengine.runner',
    'mmpretrain.datasets',
    'mmpretrain.evaluation',
    'mmpretrain.models',
    'mmcomp.visualization',
):
    import_module(name)
