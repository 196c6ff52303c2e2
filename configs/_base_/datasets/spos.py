# SPOS: posed and spontaneous; the paper leaves one subject out.
_base_ = './pairs.py'

data = dict(
    ann_file='data/spos/aligned/pairs.csv',
    split=dict(_delete_=True, type='mmcomp.LeaveOneSubjectOut', fold=0),
)
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
test_dataloader = val_dataloader
