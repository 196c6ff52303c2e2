_base_ = [
    './_base_/models/fitted.py',
    './_base_/datasets/synthetic_nvie-subset.py',
    './_base_/schedules/fit.py',
    './_base_/fitted_runtime.py',
]

# A plain baseline: the difference of the images and a linear SVM.
model = dict(
    features=dict(type='mmcomp.DifferencePixels', size=48),
    classifier=dict(
        type='mmcomp.SVMClassifier', kernel='linear', C=[1e-5, 1e-4, 1e-3, 0.01]
    ),
)
