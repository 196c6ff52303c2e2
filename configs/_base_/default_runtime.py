custom_imports = dict(imports=['mmcomp.registry'], allow_failed_imports=False)
default_scope = 'mmpretrain'
runner_type = 'mmcomp.engine.PairRunner'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=1000),  # a line an epoch for small data
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='mmcomp.PlainCheckpointHook', interval=10, max_keep_ckpts=2),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='VisualizationHook', enable=False),
)
custom_hooks = [
    dict(type='mmcomp.ProtocolHook'),
    dict(type='mmcomp.EpochSeedHook'),
    dict(type='mmcomp.RunSummaryHook'),
]

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)

# For TensorBoard add dict(type='TensorboardVisBackend'); see docs/visualize.md.
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='mmcomp.PairVisualizer', vis_backends=vis_backends)

log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0, deterministic=False)
