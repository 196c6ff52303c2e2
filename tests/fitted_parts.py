"""Features and a classifier that are small enough to be worked out by hand."""

from typing import ClassVar

import numpy as np
import torch

from mmcomp.models.fitted import FittedClassifier, PairFeatures
from mmcomp.registry import MODELS

FITTED = dict(
    type='mmcomp.FittedPairClassifier',
    features=dict(type='mmcomp.HalfMeans'),
    classifier=dict(type='mmcomp.NearestMean'),
    num_classes=2,
)


@MODELS.register_module(force=True)
class HalfMeans(PairFeatures):
    """The mean of the upper and of the lower half; unknown where a corner is white."""

    def describe(self, images):
        half = images.shape[1] // 2
        upper, lower = images[:, :half], images[:, half:]
        found = np.stack([upper.mean((1, 2)), lower.mean((1, 2))], 1)
        found[images[:, 0, 0] == 255] = np.nan
        return found.astype(np.float32)


@MODELS.register_module(force=True)
class NearestMean(FittedClassifier):
    """Minus the distance from the mean of each class.

    Of training, it keeps a random number and how many emotions there were.
    """

    fitted_buffers: ClassVar = {'means': 2, 'random': 1, 'emotions': 1}

    def fit(self, features, labels, subjects, columns):
        assert len(subjects) == len(labels) == len(features)
        means = [features[labels == i].mean(0) for i in range(self.num_classes)]
        self.means = torch.from_numpy(np.stack(means))
        self.random = torch.rand(1)
        self.emotions = torch.tensor([len(set(columns.get('emotion', ())))])

    def forward(self, features):
        return -torch.cdist(features, self.means)

    def check_buffers(self):
        super().check_buffers()
        if len(self.means) not in (0, self.num_classes):
            raise ValueError(
                f'length of means is {len(self.means)}; it must be {self.num_classes}'
            )
