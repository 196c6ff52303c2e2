# Posed and spontaneous, by ten folds of subjects: the base of all databases.
_base_ = './synthetic_nvie-subset.py'

data = dict(
    _delete_=True,
    type='mmcomp.PairDataset',
    ann_file='data/generic/aligned/pairs.csv',
    metainfo=dict(classes=['posed', 'spontaneous']),
    split=dict(type='mmcomp.SubjectKFold', n_splits=10, fold=0, seed=0),
    pipeline={{_base_.pipeline}},
)
train_dataloader = dict(dataset=dict(**data, subset='train'))
val_dataloader = dict(dataset=dict(**data, subset='test', test_mode=True))
test_dataloader = val_dataloader
