_base_ = [
    './_base_/models/fitted.py',
    './_base_/datasets/synthetic_nvie-subset.py',
    './_base_/schedules/fit.py',
    './_base_/fitted_runtime.py',
]

# Wang, Wu, He, Wang and Ji 2015 (Machine Vision and Applications): Bayesian networks.
# Theirs: 19 geometric features, several networks for each class, given expression and
# gender in training. Ours: which features, the networks, the decision, which columns.
model = dict(
    features=dict(type='mmcomp.GeometricFeatures'),
    classifier=dict(type='mmcomp.BayesianNetworkClassifier', given='emotion'),
)
