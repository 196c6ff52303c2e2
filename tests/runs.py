"""Short runs of shipped configs on a small pair table, in this process."""

import logging
from pathlib import Path

from fitted_parts import FITTED
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import RUNNERS, DefaultScope

from mmcomp.visualization import PairVisualizer

REPOSITORY = Path(__file__).parents[1]
CONFIGS = REPOSITORY / 'configs'
#: Configs of models that are fitted at once: the peers, and two baselines.
FITTED_CONFIGS = [
    'clbp-pair',
    'difference-svm',
    'gan2015_dbm',
    'geometry-svm',
    'wang2015_bn',
    'wang2016_rbm',
    'wu2016_rbm',
    'zhang2011_sift-fap',
    'zhang2011_sift-fap-pair',
]
#: A stack of a network and a member that is fitted at once.
MIXED_CONFIG = 'compcnn_comb@2-geometry-svm'
#: Configs of networks, which have a trunk, gradients, an ONNX file.
NETWORKS = sorted(
    {path.stem for path in CONFIGS.glob('*.py')} - {*FITTED_CONFIGS, MIXED_CONFIG}
)


def small_config(table, work_dir, name='compcnn_sub@1', epochs=2, **options):
    """A shipped config on another table, two folds, without augmentation or dropout.

    Args:
        table: The pair table.
        work_dir: Where the run writes.
        name: The config's name.
        epochs: How many to train.
        **options: Further ``cfg-options``, with dots written as double underscores.
    """
    cfg = Config.fromfile(CONFIGS / f'{name}.py')
    cfg.work_dir = str(work_dir)
    cfg.launcher = 'none'
    data = dict(
        type='mmcomp.PairDataset',
        ann_file=str(table),
        split=dict(type='mmcomp.SubjectKFold', n_splits=2, seed=0),
    )
    for loader, subset in (('train', 'train'), ('val', 'test'), ('test', 'test')):
        loader = cfg[f'{loader}_dataloader']
        pipeline = loader.dataset.pipeline
        loader.dataset = dict(**data, subset=subset, pipeline=pipeline)
        loader.batch_size = 8
    cfg.train_cfg.max_epochs = cfg.train_cfg.val_interval = epochs
    cfg.param_scheduler = None
    cfg.default_hooks.checkpoint.interval = 1
    cfg.merge_from_dict({k.replace('__', '.'): v for k, v in options.items()})
    return cfg


FITTED_BASES = [
    'models/fitted.py',
    'datasets/synthetic_nvie-subset.py',
    'schedules/fit.py',
    'fitted_runtime.py',
]


def fit_config(folder, table, name='peer', model=FITTED, **options):
    """The config of a fitted model, written to a file, with its work folder."""
    bases = [str(CONFIGS / '_base_' / base) for base in FITTED_BASES]
    data = dict(
        type='mmcomp.PairDataset',
        ann_file=str(table),
        split=dict(type='mmcomp.SubjectKFold', n_splits=2, seed=0),
        _delete_=True,
    )
    pipeline = [dict(type='mmcomp.LoadPair'), dict(type='mmcomp.PackPairInputs')]
    text = [
        f'_base_ = {bases}',
        "custom_imports = dict(imports=['mmcomp.registry', 'fitted_parts'])",
        f'model = {model}',
        f'work_dir = {str(folder / name)!r}',
    ]
    for loader, subset in (('train', 'train'), ('val', 'test'), ('test', 'test')):
        own = dict(data, subset=subset, pipeline=pipeline)
        text.append(f'{loader}_dataloader = dict(batch_size=8, dataset={own})')
    path = folder / f'{name}.py'
    path.write_text('\n'.join(text) + '\n')
    cfg = Config.fromfile(path)
    cfg.launcher = 'none'
    cfg.merge_from_dict({k.replace('__', '.'): v for k, v in options.items()})
    return cfg


def without_chance(cfg):
    """The config with every random choice but the order of samples taken out."""
    members = cfg.model.get('members', {'': cfg.model})
    for member in members.values():
        member.backbone.trunk.dropouts = [0, 0, 0]
        member.head.dropouts = [0, 0]
    crop = dict(type='mmcomp.PairAugment', crop_size=44, random_crop=False)
    cfg.model.data_preprocessor.augment = crop
    return cfg


class Interrupt(Hook):
    """Stop a training as a kill would, at the start of an epoch."""

    priority = 'LOWEST'

    def __init__(self, epoch):
        self.epoch = epoch

    def before_train_epoch(self, runner):
        if runner.epoch == self.epoch:
            raise KeyboardInterrupt


def build(cfg, hooks=()):
    """A runner, with MMEngine's singletons of earlier runs forgotten."""
    logging.shutdown()
    for kind in (MMLogger, MessageHub, PairVisualizer, DefaultScope):
        kind._instance_dict.clear()
    runner = RUNNERS.build(cfg.copy())
    for hook in hooks:
        runner.register_hook(hook)
    return runner
