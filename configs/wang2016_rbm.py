_base_ = [
    './_base_/models/fitted.py',
    './_base_/datasets/synthetic_nvie-subset.py',
    './_base_/schedules/fit.py',
    './_base_/fitted_runtime.py',
]

# Wang, Wu and Ji 2016 (Computer Vision and Image Understanding): Boltzmann machines with
# privileged information. Theirs: continuous units, machines given expression or gender,
# known in training only; the largest likelihood decides. Ours: features, sizes, rates.
model = dict(
    features=dict(type='mmcomp.GeometricFeatures'),
    classifier=dict(type='mmcomp.GaussianRBMClassifier', given='emotion'),
)
