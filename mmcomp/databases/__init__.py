"""Databases on disk, each turned into a pair or clip table; one file for each format.

Nothing else in mmcomp knows a database's layout. Importing this does not import torch.
"""

from .bbc import BBC
from .casme2 import CASME2
from .common.base import DATABASES, Database, index_database, option, register
from .common.files import read_frames
from .common.index import Index, Problem
from .common.report import check_report
from .generic import Generic
from .mmi import MMI
from .nvie import NVIE
from .orl import ORL
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
