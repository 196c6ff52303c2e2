# UvA-NEMO: deliberate (posed) and spontaneous smiles.
_base_ = './pairs.py'

data = dict(ann_file='data/uva-nemo/aligned/pairs.csv')
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
test_dataloader = val_dataloader
