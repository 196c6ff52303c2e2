_base_ = [
    './_base_/models/fitted.py',
    './_base_/datasets/synthetic_nvie-subset.py',
    './_base_/schedules/fit.py',
    './_base_/fitted_runtime.py',
]

# Zhang, Tjondronegoro and Chandran 2011 (ICONIP): SIFT and distances of facial points.
# Theirs: the apex alone, SIFT at points of a shape model, distances after the facial
# animation parameters, selected features. Ours: points, distances, selection, SVM.
model = dict(
    features=dict(type='mmcomp.SIFTAtLandmarks', images='apex'),
    classifier=dict(type='mmcomp.SVMClassifier', kernel='rbf', select=400, keep=27),
)
