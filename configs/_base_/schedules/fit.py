# Fitted at once, on the training subjects: an epoch without a step.
train_cfg = dict(type='mmcomp.FitLoop')
val_cfg = dict()
test_cfg = dict()

optim_wrapper = dict()  # MMEngine asks for one; there is nothing to optimise
param_scheduler = None
auto_scale_lr = dict(base_batch_size=32, enable=False)
