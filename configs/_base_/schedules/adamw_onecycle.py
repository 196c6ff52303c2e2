# Fixed epochs, last checkpoint: nothing is chosen on the test fold. Chosen on data of
# other seeds than those reported; see the README.
train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=100)
val_cfg = dict()
test_cfg = dict()

optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.5, fused=True),
    paramwise_cfg=dict(bias_decay_mult=0.0, norm_decay_mult=0.0),
)
# Over as many epochs as are trained.
param_scheduler = dict(
    type='OneCycleLR', eta_max=1e-3, by_epoch=True, convert_to_iter_based=True
)
auto_scale_lr = dict(base_batch_size=32, enable=False)
