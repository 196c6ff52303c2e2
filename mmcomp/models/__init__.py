"""Networks that compare the two images of a pair."""

from .backbones import *  # noqa: F403
from .classifiers import *  # noqa: F403
from .data_preprocessor import PairDataPreprocessor  # noqa: F401
from .heads import *  # noqa: F403
from .necks import *  # noqa: F403
