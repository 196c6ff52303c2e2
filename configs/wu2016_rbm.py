_base_ = [
    './_base_/models/fitted.py',
    './_base_/datasets/synthetic_nvie-subset.py',
    './_base_/schedules/fit.py',
    './_base_/fitted_runtime.py',
]

# Wu and Wang 2016 (MultiMedia Modeling): a restricted Boltzmann machine for each class.
# Theirs: displacements of facial points, events taken from them. Ours: the events, sizes
# and rates, the exact likelihood.
model = dict(
    features=dict(type='mmcomp.Displacement'),
    classifier=dict(type='mmcomp.RBMClassifier'),
)
