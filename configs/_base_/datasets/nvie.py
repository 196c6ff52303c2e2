# USTC-NVIE: posed and spontaneous; ten folds of subjects, as in the paper.
_base_ = './pairs.py'

data = dict(ann_file='data/nvie/aligned/pairs.csv')
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
test_dataloader = val_dataloader
