# 84 posed and 150 spontaneous pairs of 7 rendered subjects, the size of SPOS. The
# paper leaves one subject out.
_base_ = './synthetic_nvie-subset.py'

split = dict(type='mmcomp.LeaveOneSubjectOut', fold=0)
train_dataloader = dict(dataset=dict(preset='spos', split=dict(_delete_=True, **split)))
val_dataloader = dict(dataset=dict(preset='spos', split=dict(_delete_=True, **split)))
test_dataloader = val_dataloader
