"""Networks that compare the two images of a pair."""

from .backbones import *  # noqa: F403
from .classifiers import *  # noqa: F403
from .comparisons import *  # noqa: F403
from .data_preprocessor import PairDataPreprocessor
from .fitted import *  # noqa: F403
from .heads import *  # noqa: F403
from .pair_augment import PairAugment

__all__ = ['PairAugment', 'PairDataPreprocessor']
