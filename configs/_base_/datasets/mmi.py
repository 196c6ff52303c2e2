# MMI: posed and spontaneous sessions.
_base_ = './pairs.py'

data = dict(ann_file='data/mmi/aligned/pairs.csv')
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
test_dataloader = val_dataloader
