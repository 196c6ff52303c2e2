"""Databases as they lie on disk, each turned into a pair or clip table.

Nothing else in mmcomp knows a database's layout. Importing this is light: no torch.
"""

from .base import DATABASES, Database, index_database, option, register
from .bbc import BBC
from .casme2 import CASME2
from .files import read_frames
from .generic import Generic
from .index import Index, Problem
from .mmi import MMI
from .nvie import NVIE
from .orl import ORL
from .report import check_report
from .samm import SAMM
from .sase_fe import SASEFE
from .smic import SMIC
from .spos import SPOS
from .uva_nemo import UvANEMO

__all__ = [
    'BBC',
    'CASME2',
    'DATABASES',
    'Database',
    'Generic',
    'Index',
    'MMI',
    'NVIE',
    'ORL',
    'Problem',
    'SAMM',
    'SASEFE',
    'SMIC',
    'SPOS',
    'UvANEMO',
    'check_report',
    'index_database',
    'option',
    'read_frames',
    'register',
]
