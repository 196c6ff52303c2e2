"""The seven networks against an independent writing of the paper in plain PyTorch.

Two passes through the trunk, ReLU before the pooling, the difference of the text's
Section 3.1 written out: nothing is shared with the package but the weights.
"""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from torch import nn

from mmcomp.registry import MODELS

CONFIGS = Path(__file__).parents[2] / 'configs'
SEVEN = ['diffcnn'] + [f'compcnn_{o}@{i}' for o in ('sub', 'comb') for i in (1, 2, 3)]


class Paper(nn.Module):
    """Sections 3.1 and 4.2, position 0 to 3, dropout left out."""

    def __init__(self, position, learned):
        super().__init__()
        self.position, self.learned = position, learned
        self.conv1 = nn.Conv2d(1, 32, 5)
        self.conv2 = nn.Conv2d(32, 64, 5)
        self.conv3 = nn.Conv2d(64, 128, 3)
        self.fc1 = nn.Linear(1152, 512)
        self.fc2 = nn.Linear(512, 256)
        self.fc3 = nn.Linear(256, 2)
        if learned:
            width = (1, 32, 64, 128)[position]
            self.alpha = nn.Parameter(torch.empty(width, width))
            self.beta = nn.Parameter(torch.empty(width, width))

    def compare(self, onset, apex):
        if not self.learned:
            return apex - onset
        both = torch.cat([apex, onset], 1)
        weight = torch.cat([self.alpha, self.beta], 1)
        return torch.einsum('rk,bkhw->brhw', weight, both)

    def forward(self, onset, apex):
        convolutions = [self.conv1, self.conv2, self.conv3]
        before, after = convolutions[: self.position], convolutions[self.position :]
        for conv in before:
            onset = F.max_pool2d(F.relu(conv(onset)), 2)
            apex = F.max_pool2d(F.relu(conv(apex)), 2)
        x = self.compare(onset, apex)
        if before:
            x = F.relu(x)
        for conv in after:
            x = F.max_pool2d(F.relu(conv(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        x = F.relu(self.fc2(x))
        return self.fc3(x), x


def weight_pairs(paper, model):
    """Which weight of the one is which of the other."""
    trunk, head = model.backbone.trunk, model.head
    for i, conv in enumerate([paper.conv1, paper.conv2, paper.conv3]):
        yield conv.weight, trunk.stages[i].conv.weight
        yield conv.bias, trunk.stages[i].conv.bias
    layers = [head.layers[0][0], head.layers[1][0], head.fc]
    for own, other in zip([paper.fc1, paper.fc2, paper.fc3], layers):
        yield own.weight, other.weight
        yield own.bias, other.bias
    if paper.learned:
        yield paper.alpha, model.backbone.comparison.alpha
        yield paper.beta, model.backbone.comparison.beta


@pytest.fixture(params=SEVEN)
def both(request):
    """The paper's network and ours with the same weights."""
    torch.manual_seed(0)
    cfg = Config.fromfile(CONFIGS / f'{request.param}.py').model
    cfg.backbone.trunk.norm_cfg = None
    model = MODELS.build(cfg).eval()
    position = int(request.param[-1]) if '@' in request.param else 0
    paper = Paper(position, 'comb' in request.param)
    pairs = list(weight_pairs(paper, model))
    assert {id(w) for _, w in pairs} == {id(w) for w in model.parameters()}
    with torch.no_grad():
        for own, other in pairs:
            own.copy_(other)
    return paper, model


def test_outputs_and_gradients_equal_the_paper(both):
    paper, model = both
    pairs = torch.randn(5, 2, 1, 44, 44)
    labels = torch.tensor([0, 1, 1, 0, 1])
    expected, features = paper(pairs[:, 0], pairs[:, 1])
    scores = model(pairs)
    torch.testing.assert_close(scores, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        model.extract_feat(pairs, stage='pre_logits'), features, atol=1e-5, rtol=1e-5
    )
    F.cross_entropy(expected, labels).backward()
    F.cross_entropy(scores, labels).backward()
    for own, other in weight_pairs(paper, model):
        torch.testing.assert_close(other.grad, own.grad, atol=1e-5, rtol=1e-5)


def test_swapping_the_pair(both):
    """Swapping equals exchanging alpha and beta, or negating the subtraction."""
    paper, model = both
    pairs = torch.randn(5, 2, 1, 44, 44)
    comparison = model.backbone.comparison
    swapped = model(pairs.flip(1))
    assert not torch.allclose(swapped, model(pairs))
    if paper.learned:
        alpha, beta = comparison.alpha.data, comparison.beta.data
        comparison.alpha.data, comparison.beta.data = beta, alpha
    else:
        comparison.reverse = True
    torch.testing.assert_close(model(pairs), swapped)


def test_both_paths_share_weights(both):
    """A pair of one image twice gives what no change gives, whatever the image."""
    _, model = both
    comparison = model.backbone.comparison
    if hasattr(comparison, 'alpha'):
        comparison.beta.data = -comparison.alpha.data
    image = torch.randn(2, 1, 1, 44, 44).expand(2, 2, 1, 44, 44)
    scores = model(image)
    torch.testing.assert_close(scores[0], scores[1])
