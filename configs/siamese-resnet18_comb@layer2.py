_base_ = [
    './_base_/models/compcnn.py',
    './_base_/datasets/synthetic_nvie-subset.py',
    './_base_/schedules/adamw_onecycle.py',
    './_base_/default_runtime.py',
]

# MMPretrain's ResNet-18 as trunk, compared after its second layer.
model = dict(
    backbone=dict(
        trunk=dict(_delete_=True, type='ResNet', depth=18, in_channels=1),
        comparison=dict(type='mmcomp.LinearCombination'),
        after='layer2',
    ),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(in_channels=512),
)
