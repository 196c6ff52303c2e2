# Three classes of micro-expressions, leaving one subject out.
_base_ = './pairs.py'

data = dict(
    metainfo=dict(classes=['negative', 'positive', 'surprise']),
    split=dict(_delete_=True, type='mmcomp.LeaveOneSubjectOut', fold=0),
)
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
test_dataloader = val_dataloader
