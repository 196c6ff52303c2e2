_base_ = [
    './_base_/models/compcnn.py',
    './_base_/datasets/synthetic_nvie-subset.py',
    './_base_/schedules/adamw_onecycle.py',
    './_base_/default_runtime.py',
]

# The three networks trained side by side, and a linear SVM on their joined features.
member = _base_.model
model = dict(
    _delete_=True,
    type='mmcomp.StackingClassifier',
    data_preprocessor=member.data_preprocessor,
    members={
        f'compcnn_sub@{i}': dict(
            type=member.type,
            backbone=dict(
                comparison=dict(type='mmcomp.Subtraction'),
                after=f'stages.{i - 1}',
                **member.backbone,
            ),
            head=member.head,
        )
        for i in (1, 2, 3)
    },
    svm=dict(C=1.0),
)
custom_hooks = [*_base_.custom_hooks, dict(type='mmcomp.FitStackHook')]
val_evaluator = dict(
    _delete_=True, type='mmcomp.StackingEvaluator', metrics=_base_.val_evaluator
)
test_evaluator = val_evaluator
