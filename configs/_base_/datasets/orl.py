# ORL: does the second photograph show a smile? Leaving one subject out.
_base_ = './pairs.py'

data = dict(
    ann_file='data/orl/aligned/pairs.csv',
    metainfo=dict(classes=['none', 'smile']),
    split=dict(_delete_=True, type='mmcomp.LeaveOneSubjectOut', fold=0),
)
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
test_dataloader = val_dataloader
