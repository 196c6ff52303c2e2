# BBC: genuine (spontaneous) and posed smiles, one person each.
_base_ = './pairs.py'

data = dict(ann_file='data/bbc/aligned/pairs.csv')
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
test_dataloader = val_dataloader
