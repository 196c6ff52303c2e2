"""PairClassifier and its head."""

import pytest
import torch
from mmpretrain.structures import DataSample

from mmcomp.registry import MODELS


def build(**kwargs):
    torch.manual_seed(0)
    cfg = dict(
        type='mmcomp.PairClassifier',
        backbone=dict(
            type='mmcomp.SiameseBackbone',
            trunk=dict(type='mmcomp.CompCNNTrunk'),
            comparison=dict(type='mmcomp.Subtraction'),
            after='stages.1',
            input_shape=(1, 44, 44),
        ),
        head=dict(type='mmcomp.MLPClsHead', num_classes=2, in_channels=1152),
    )
    return MODELS.build({**cfg, **kwargs})


def test_stages_follow_from_one_another():
    model = build(
        neck=dict(type='GlobalAveragePooling'),
        head=dict(
            type='mmcomp.MLPClsHead',
            num_classes=3,
            in_channels=128,
            hidden_channels=(8, 4),
        ),
    ).eval()
    pairs = torch.randn(4, 2, 1, 44, 44)
    maps = model.extract_feat(pairs, stage='backbone')[-1]
    pooled = model.extract_feat(pairs, stage='neck')[-1]
    features = model.extract_feat(pairs, stage='pre_logits')
    torch.testing.assert_close(pooled, maps.mean((2, 3)))
    head = model.head
    hidden = (pooled @ head.layers[0][0].weight.T + head.layers[0][0].bias).relu()
    hidden = (hidden @ head.layers[1][0].weight.T + head.layers[1][0].bias).relu()
    torch.testing.assert_close(features, hidden)
    torch.testing.assert_close(model(pairs), features @ head.fc.weight.T + head.fc.bias)


def test_loss_and_predict():
    model = build().eval()
    pairs = torch.randn(4, 2, 1, 44, 44)
    labels = [0, 1, 1, 0]
    samples = [DataSample().set_gt_label(label) for label in labels]
    scores = model(pairs)
    loss = model.loss(pairs, samples)['loss']
    expected = torch.nn.functional.cross_entropy(scores, torch.tensor(labels))
    torch.testing.assert_close(loss, expected)
    predictions = model.predict(pairs, samples)
    torch.testing.assert_close(
        torch.stack([p.pred_score for p in predictions]), scores.softmax(1)
    )
    assert [p.pred_label.item() for p in predictions] == scores.argmax(1).tolist()


def test_dropouts_are_where_the_paper_puts_them():
    model = build()
    rates = [m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)]
    assert rates == [0.05, 0.15, 0.25, 0.5, 0.25]


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (
            dict(head=dict(type='mmcomp.MLPClsHead', num_classes=2, in_channels=100)),
            r'MLPClsHead does not fit: the backbone returns \(128, 3, 3\)',
        ),
        (
            dict(head=dict(type='mmcomp.MLPClsHead', num_classes=1, in_channels=1152)),
            'num_classes is 1',
        ),
        (
            dict(
                head=dict(
                    type='mmcomp.MLPClsHead',
                    num_classes=2,
                    in_channels=1152,
                    dropouts=(0.5,),
                )
            ),
            'must have the same length',
        ),
    ],
)
def test_head_that_does_not_fit_fails_when_built(kwargs, message):
    with pytest.raises(ValueError, match=message):
        build(**kwargs)
