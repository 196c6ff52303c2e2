# SAMM.
_base_ = './micro-expressions.py'

data = dict(ann_file='data/samm/aligned/pairs.csv')
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
test_dataloader = val_dataloader
