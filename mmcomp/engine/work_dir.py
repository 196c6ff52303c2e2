"""A work folder belongs to one run: its config, data and seed."""

import json
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmcomp.config import LOADERS, base_configs
from mmcomp.differences import changes, shortened, to_json
from mmcomp.files import digest, read_object, write_text

RUN_FILE = 'run.json'
SHOWN = 3  # differences in a message

#: Keys of a config that do not change what a run computes.
_NEUTRAL = frozenset(
    ['default_hooks', 'env_cfg', 'log_level', 'resume', 'vis_backends', 'visualizer']
)
#: Keys of the training's loader that do, besides its data set.
_TRAINING = 'batch_size', 'sampler', 'batch_sampler', 'drop_last', 'num_batch_per_epoch'
_TESTED = 'model', 'test_dataloader'


def claim(work_dir: str | Path, cfg: Config, mode: str) -> None:
    """Note in a work folder which run it holds, or refuse another one.

    A test may follow the training that it belongs to: it has the same network and the
    same test set.

    Args:
        work_dir: The folder.
        cfg: The run's config.
        mode: 'train' or 'test'.

    Raises:
        ValueError: Naming what differs from the run in the folder.
    """
    path = Path(work_dir, RUN_FILE)
    known = _known(path) if path.is_file() else {}
    wanted = dict(test=_describe(cfg, _TESTED))
    if mode == 'train':
        keys = [key for key in cfg if key not in _NEUTRAL]
        wanted['train'] = own = _describe(cfg, keys)
        if cfg.get('resume'):  # what is resumed is no part of the run
            own.pop('load_from', None)
            known.get('train', {}).pop('load_from', None)
    changed = [
        text
        for part, settings in wanted.items()
        if part in known
        for text in changes(known[part], settings)
    ]
    if changed:
        raise ValueError(
            f'{work_dir} holds the results of another run; choose another --work-dir, '
            f'or delete it: {shortened(list(dict.fromkeys(changed)), SHOWN)}'
        )
    if wanted.keys() - known.keys():
        text = json.dumps({**known, **wanted}, indent=1, ensure_ascii=False)
        write_text(path, text + '\n')


def _known(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return {name: dict(value) for name, value in read_object(path).items()}
    except (ValueError, TypeError):
        raise ValueError(f'{path}: not the record of a run; delete it') from None


def _describe(cfg: Config, keys: Any) -> dict[str, Any]:
    """Return settings, and a hash of each table that they name."""
    plain = to_json({key: cfg[key] for key in keys if cfg.get(key) is not None})
    for loader in LOADERS:
        if loader in plain:  # how many processes load makes no difference
            kept = ('dataset', *_TRAINING) if loader[:5] == 'train' else ('dataset',)
            plain[loader] = {key: plain[loader].get(key) for key in kept}
            for own in base_configs(plain[loader]['dataset']):
                table = own.get('ann_file', '')
                if Path(table).is_file():
                    own['content of ann_file'] = digest([table])
    return plain
