# The paper's network. A config adds the comparison and its place.
model = dict(
    type='mmcomp.PairClassifier',
    data_preprocessor=dict(type='mmcomp.PairDataPreprocessor', standardize='image'),
    backbone=dict(
        type='mmcomp.SiameseBackbone',
        trunk=dict(type='mmcomp.CompCNNTrunk'),
        input_shape=(1, 44, 44),
    ),
    head=dict(type='mmcomp.MLPClsHead', num_classes=2, in_channels=3 * 3 * 128),
)
