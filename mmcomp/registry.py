"""mmcomp's registries: each a child of the registry of the same name in MMPretrain.

Each registry that the Runner uses has a child here, because a scope that lacks one
falls back to MMEngine's root, which knows nothing of MMPretrain. With
``custom_imports = dict(imports=['mmcomp.registry'])`` a config may use ``mmcomp.X``.

Importing this module also makes MMEngine read weights as plain data only, in the whole
process: see :func:`mmcomp.compat.replace_weight_loaders`.
"""

import warnings

from mmcomp.installed import check_requirements

check_requirements()

from mmengine.registry import Registry  # noqa: E402

from mmcomp.compat import node_locations, replace_weight_loaders  # noqa: E402

# Of mmcv-lite, which has no compiled operators; nothing here needs them.
warnings.filterwarnings('ignore', 'Fail to import ``MultiScaleDeformableAttention``')
import mmpretrain.registry as parent  # noqa: E402

from mmcomp.checkpoint import load_plain_checkpoint  # noqa: E402

replace_weight_loaders(load_plain_checkpoint)


def _child(name: str, package: str) -> Registry:
    """Return a registry in scope ``mmcomp`` below MMPretrain's registry ``name``.

    It imports the modules of both, since a registry does not import its parent's.
    """
    node = getattr(parent, name)
    locations = [*node_locations(node), package]
    return Registry(node.name, parent=node, scope='mmcomp', locations=locations)


RUNNERS = _child('RUNNERS', 'mmcomp.engine')
RUNNER_CONSTRUCTORS = _child('RUNNER_CONSTRUCTORS', 'mmcomp.engine')
LOOPS = _child('LOOPS', 'mmcomp.engine')
HOOKS = _child('HOOKS', 'mmcomp.engine')
LOG_PROCESSORS = _child('LOG_PROCESSORS', 'mmcomp.engine')
OPTIMIZERS = _child('OPTIMIZERS', 'mmcomp.engine')
OPTIM_WRAPPERS = _child('OPTIM_WRAPPERS', 'mmcomp.engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child('OPTIM_WRAPPER_CONSTRUCTORS', 'mmcomp.engine')
PARAM_SCHEDULERS = _child('PARAM_SCHEDULERS', 'mmcomp.engine')
DATASETS = _child('DATASETS', 'mmcomp.datasets')
DATA_SAMPLERS = _child('DATA_SAMPLERS', 'mmcomp.datasets')
TRANSFORMS = _child('TRANSFORMS', 'mmcomp.datasets')
MODELS = _child('MODELS', 'mmcomp.models')
MODEL_WRAPPERS = _child('MODEL_WRAPPERS', 'mmcomp.models')
WEIGHT_INITIALIZERS = _child('WEIGHT_INITIALIZERS', 'mmcomp.models')
BATCH_AUGMENTS = _child('BATCH_AUGMENTS', 'mmcomp.models')
TASK_UTILS = _child('TASK_UTILS', 'mmcomp.datasets')
METRICS = _child('METRICS', 'mmcomp.evaluation')
EVALUATORS = _child('EVALUATORS', 'mmcomp.evaluation')
VISUALIZERS = _child('VISUALIZERS', 'mmcomp.visualization')
VISBACKENDS = _child('VISBACKENDS', 'mmcomp.engine')
