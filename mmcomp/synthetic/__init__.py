"""The embedded default data: rendered heads with posed and spontaneous faces.

``docs/synthetic-data.md`` is its data card.
"""

from .clips import RenderedClip, render_clip, write_clip
from .expressions import EMOTIONS, LABELS, RECIPE_VERSION
from .framing import EyeCrop, WideFrame
from .generate import (
    dataset_checksum,
    dataset_folder,
    ensure_dataset,
    subject_genders,
)
from .meta import read_meta
from .nuisance import LEVELS
from .oracle import compute_oracle, oracle_error
from .plan import make_plan
from .presets import PRESETS
from .sheet import dataset_sheet

__all__ = [
    'EMOTIONS',
    'LABELS',
    'LEVELS',
    'PRESETS',
    'RECIPE_VERSION',
    'RenderedClip',
    'EyeCrop',
    'WideFrame',
    'compute_oracle',
    'dataset_sheet',
    'dataset_checksum',
    'dataset_folder',
    'ensure_dataset',
    'make_plan',
    'oracle_error',
    'read_meta',
    'render_clip',
    'subject_genders',
    'write_clip',
]
