_base_ = [
    './_base_/models/fitted.py',
    './_base_/datasets/synthetic_nvie-subset.py',
    './_base_/schedules/fit.py',
    './_base_/fitted_runtime.py',
]

# A plain baseline: how far facial points move, and an SVM with a Gaussian kernel.
model = dict(
    features=dict(type='mmcomp.Displacement'),
    classifier=dict(type='mmcomp.SVMClassifier', kernel='rbf'),
)
