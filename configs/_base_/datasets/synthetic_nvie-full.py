# 4203 pairs of 148 rendered subjects, the size of the paper's full set.
_base_ = './synthetic_nvie-subset.py'

train_dataloader = dict(dataset=dict(preset='nvie-full'))
val_dataloader = dict(dataset=dict(preset='nvie-full'))
test_dataloader = val_dataloader
