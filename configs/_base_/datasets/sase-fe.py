# SASE-FE: real (spontaneous) and fake (posed) emotions.
_base_ = './pairs.py'

data = dict(ann_file='data/sase-fe/aligned/pairs.csv')
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
test_dataloader = val_dataloader
