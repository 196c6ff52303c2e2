_base_ = [
    './_base_/models/compcnn.py',
    './_base_/datasets/synthetic_nvie-subset.py',
    './_base_/schedules/adamw_onecycle.py',
    './_base_/default_runtime.py',
]

# A small vision transformer as trunk: tokens are compared, after its third layer.
# Without ReLU, which would cut off half of the stream that the later layers add to.
model = dict(
    backbone=dict(
        trunk=dict(
            _delete_=True,
            type='VisionTransformer',
            arch=dict(
                embed_dims=96, num_layers=6, num_heads=4, feedforward_channels=192
            ),
            img_size=44,
            patch_size=4,
            in_channels=1,
        ),
        comparison=dict(type='mmcomp.LinearCombination', act_cfg=None),
        after='layers.2',
    ),
    head=dict(in_channels=96),
)
