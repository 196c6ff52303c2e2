"""What every run imports, once, in the server that runs are forked from."""

import signal
from importlib import import_module

# Ctrl+C goes to all processes of a terminal. The one that started the experiment ends
# the others.
signal.signal(signal.SIGINT, signal.SIG_IGN)

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
    'scipy.stats',  # what models that are fitted at once import when they are
    'sklearn.feature_selection',
    'sklearn.model_selection',
    'sklearn.svm',
):
    import_module(name)
