# 1028 pairs of 80 rendered subjects, the size of the paper's subset of USTC-NVIE.
split = dict(type='mmcomp.SubjectKFold', n_splits=10, fold=0, seed=0)
# Networks crop and augment whole batches (PairAugment in their data_preprocessor).
pipeline = [dict(type='mmcomp.LoadPair'), dict(type='mmcomp.PackPairInputs')]
data = dict(
    type='mmcomp.SyntheticPairDataset',
    preset='nvie-subset',
    split=split,
    pipeline=pipeline,
)

train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    persistent_workers=False,
    pin_memory=False,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(**data, subset='train'),
)
val_dataloader = dict(
    batch_size=128,
    num_workers=0,
    persistent_workers=False,
    pin_memory=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**data, subset='test', test_mode=True),
)
test_dataloader = val_dataloader

val_evaluator = [
    dict(type='mmcomp.ErrorRate'),
    dict(type='mmcomp.UAR'),
    dict(type='mmcomp.UF1'),
    dict(type='mmcomp.AUC'),
    dict(type='mmcomp.PredictionTable'),
]
test_evaluator = val_evaluator
