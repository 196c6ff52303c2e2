_base_ = [
    './_base_/models/fitted.py',
    './_base_/datasets/synthetic_nvie-subset.py',
    './_base_/schedules/fit.py',
    './_base_/fitted_runtime.py',
]

# Pfister, Li, Zhao and Pietikäinen 2011 (ICCV Workshops), of pairs instead of sequences:
# the difference of the images' local binary patterns, and a linear SVM. Theirs: CLBP-TOP
# over time. Ours: sizes, and what is left without time.
model = dict(
    features=dict(type='mmcomp.CLBP'),
    classifier=dict(
        type='mmcomp.SVMClassifier', kernel='linear', C=[1e-5, 1e-4, 1e-3, 0.01]
    ),
)
