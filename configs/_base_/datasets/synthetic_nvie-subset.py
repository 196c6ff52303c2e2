# 1028 pairs of 80 rendered subjects, the size of the paper's subset of USTC-NVIE.
split = dict(type='mmcomp.SubjectKFold', n_splits=10, fold=0, seed=0)
train_pipeline = [
    dict(type='mmcomp.LoadPair'),
    dict(
        type='mmcomp.InStep',
        transforms=[
            dict(
                type='mmcomp.RandomAffine', max_rotate=6, max_scale=0.06, max_shift=1.5
            ),
            dict(type='RandomCrop', crop_size=44),
            dict(type='RandomFlip', prob=0.5),
            dict(type='mmcomp.RandomErase', prob=0.5, min_size=4, max_size=15),
        ],
    ),
    dict(type='mmcomp.PackPairInputs'),
]
test_pipeline = [
    dict(type='mmcomp.LoadPair'),
    dict(type='mmcomp.InStep', transforms=[dict(type='CenterCrop', crop_size=44)]),
    dict(type='mmcomp.PackPairInputs'),
]
data = dict(type='mmcomp.SyntheticPairDataset', preset='nvie-subset', split=split)

train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    persistent_workers=False,
    pin_memory=False,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(**data, subset='train', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=128,
    num_workers=0,
    persistent_workers=False,
    pin_memory=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**data, subset='test', pipeline=test_pipeline, test_mode=True),
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
