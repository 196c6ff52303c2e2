"""The paper's trunk, and the siamese network around any trunk."""

from .compcnn_trunk import CompCNNTrunk
from .siamese import SiameseBackbone

__all__ = ['CompCNNTrunk', 'SiameseBackbone']
