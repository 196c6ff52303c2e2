_base_ = [
    './_base_/models/compcnn.py',
    './_base_/datasets/synthetic_nvie-subset.py',
    './_base_/schedules/adamw_onecycle.py',
    './_base_/fitted_runtime.py',
]

# A network and changes of facial distances, and a linear SVM on the features of both.
network = _base_.model
model = dict(
    _delete_=True,
    type='mmcomp.StackingClassifier',
    data_preprocessor=network.data_preprocessor,
    members={
        'compcnn_comb@2': dict(
            type=network.type,
            backbone=dict(
                comparison=dict(type='mmcomp.LinearCombination'),
                after='stages.1',
                **network.backbone,
            ),
            head=network.head,
        ),
        'geometry': dict(
            type='mmcomp.FittedPairClassifier',
            features=dict(type='mmcomp.GeometricFeatures'),
            classifier=dict(type='mmcomp.SVMClassifier', kernel='rbf'),
            num_classes=2,
        ),
    },
    svm=dict(C=1.0),
)
custom_hooks = [*_base_.custom_hooks, dict(type='mmcomp.FitStackHook')]
val_evaluator = dict(
    _delete_=True, type='mmcomp.StackingEvaluator', metrics=_base_.val_evaluator
)
test_evaluator = val_evaluator
