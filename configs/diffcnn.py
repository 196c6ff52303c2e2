_base_ = [
    './_base_/models/compcnn.py',
    './_base_/datasets/synthetic_nvie-subset.py',
    './_base_/schedules/adamw_onecycle.py',
    './_base_/default_runtime.py',
]

# The difference of the images themselves (Figure 1).
model = dict(
    backbone=dict(
        comparison=dict(type='mmcomp.Subtraction', act_cfg=None), after='input'
    )
)
