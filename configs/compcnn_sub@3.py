_base_ = [
    './_base_/models/compcnn.py',
    './_base_/datasets/synthetic_nvie-subset.py',
    './_base_/schedules/adamw_onecycle.py',
    './_base_/default_runtime.py',
]

model = dict(
    backbone=dict(comparison=dict(type='mmcomp.Subtraction'), after='stages.2')
)
