# The paper's network. A config adds the comparison and its place.

# The aligned faces that it takes; images of another size are refused.
alignment = dict(size=48, color='grayscale')
model = dict(
    type='mmcomp.PairClassifier',
    data_preprocessor=dict(
        type='mmcomp.PairDataPreprocessor',
        standardize='image',
        augment=dict(
            type='mmcomp.PairAugment',
            crop_size=44,
            max_rotate=6,
            max_scale=0.06,
            max_shift=1.5,
            flip_prob=0.5,
            erase_prob=0.5,
        ),
    ),
    backbone=dict(
        type='mmcomp.SiameseBackbone',
        trunk=dict(type='mmcomp.CompCNNTrunk'),
        input_shape=(1, 44, 44),
    ),
    head=dict(type='mmcomp.MLPClsHead', num_classes=2, in_channels=3 * 3 * 128),
)
