_base_ = 'mmpretrain::_base_/default_runtime.py'
custom_imports = dict(imports=['mmcomp.registry', 'cosine_head'])
model = dict(
    type='mmcomp.PairClassifier',
    data_preprocessor=dict(mean=[110], std=[50]),
    backbone=dict(
        type='mmcomp.SiameseBackbone',
        trunk=dict(type='ResNet', depth=18, in_channels=1, base_channels=16),
        comparison=dict(type='mmcomp.AbsoluteDifference'),
        after='layer2', input_shape=(1, 48, 48)),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='CosineHead', in_channels=128, num_classes=2))
data = dict(
    type='mmcomp.PairDataset', ann_file='pairs.csv',
    metainfo=dict(classes=['same', 'different']),
    split=dict(type='mmcomp.SubjectKFold', n_splits=3),
    pipeline=[dict(type='mmcomp.LoadPair'), dict(type='mmcomp.PackPairInputs')])
loader = dict(batch_size=32, num_workers=0, persistent_workers=False)
train_dataloader = dict(**loader, dataset=dict(**data, subset='train'),
                        sampler=dict(type='DefaultSampler', shuffle=True))
val_dataloader = dict(**loader, dataset=dict(**data, subset='test'),
                      sampler=dict(type='DefaultSampler', shuffle=False))
val_evaluator = [dict(type='Accuracy', topk=1), dict(type='mmcomp.ErrorRate')]
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-3))
train_cfg = dict(by_epoch=True, max_epochs=10, val_interval=10)
val_cfg = dict()
