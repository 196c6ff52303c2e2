_base_ = [
    './_base_/models/fitted.py',
    './_base_/datasets/synthetic_nvie-subset.py',
    './_base_/schedules/fit.py',
    './_base_/fitted_runtime.py',
]

# Gan, Wu, Wang and Ji 2015: a deep Boltzmann machine on difference images.
# Theirs: pixel-wise difference, two hidden layers trained to tell the classes. Ours: the
# rest, as their text could not be read.
model = dict(
    features=dict(type='mmcomp.DifferencePixels'),
    classifier=dict(type='mmcomp.DBMClassifier'),
)
