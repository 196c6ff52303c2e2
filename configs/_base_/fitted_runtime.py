_base_ = './default_runtime.py'

# Descriptions of images are computed once, and kept next to the pair table.
custom_hooks = [*_base_.custom_hooks, dict(type='mmcomp.CacheFeaturesHook')]
