"""ProtocolHook: keeps subjects apart and choices off the test set."""

import json
from pathlib import Path

from mmengine.dist import master_only
from mmengine.hooks import CheckpointHook, EarlyStoppingHook, Hook

from mmcomp.compat import add_metainfo, loop_dataset
from mmcomp.registry import HOOKS


@HOOKS.register_module()
class ProtocolHook(Hook):
    """Refuse to train where the test would not be valid.

    Before a training starts, the subjects of training must be in neither validation
    nor test, and nothing (best checkpoint, early stopping) may be chosen on a subset
    that is the test. The assignment of subjects is left as ``split.json`` in the work
    folder, where :class:`SubjectsFromFile` can read it again. When weights are loaded
    for a test, a warning is logged if they were trained on tested subjects.

    Raises:
        ValueError: If the protocol is not valid.
    """

    def before_run(self, runner) -> None:
        """Check the data sets and write the split."""
        train = loop_dataset(runner, 'train')
        if train is None or not hasattr(train, 'people'):
            return
        for name in ('val', 'test'):
            other = loop_dataset(runner, name)
            shared = set(train.people) & set(getattr(other, 'people', ()))
            if shared:
                raise ValueError(
                    f'{len(shared)} subjects are in the training and the {name} set: '
                    f'{", ".join(sorted(shared)[:5])}; both must have the same split '
                    'and different subsets, or tables of other people (a column '
                    "'database' tells equal ids apart)"
                )
        self._check_choices(runner)
        add_metainfo(train, people=list(train.people))
        for word, mode in (('training', 'train'), ('testing', 'val')):
            data = loop_dataset(runner, mode)
            if data is not None:
                runner.logger.info(
                    f'{word} on {len(data)} pairs of {len(data.subjects)} subjects '
                    f'(subset {data.subset!r} of {data.ann_file})'
                )
        self._write_split(runner, train)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Warn if the tested subjects were trained on."""
        test = loop_dataset(runner, 'test')
        meta = checkpoint.get('meta', {}).get('dataset_meta') or {}
        tested = set(getattr(test, 'people', ()))
        shared = tested & set(meta.get('people', ()))
        if shared:
            runner.logger.warning(
                f'{len(shared)} of {len(tested)} tested subjects were trained '
                'on; the error does not hold for new people'
            )

    @staticmethod
    def _check_choices(runner) -> None:
        val = loop_dataset(runner, 'val')
        if getattr(val, 'subset', None) != 'test':
            return
        for hook in runner.hooks:
            chooses = isinstance(hook, EarlyStoppingHook) or (
                isinstance(hook, CheckpointHook) and hook.save_best
            )
            if chooses:
                raise ValueError(
                    f"subset of val_dataloader is 'test', and {type(hook).__name__} "
                    "would choose the epoch on it; it must be 'val', with val_folds=1 "
                    "in 'split'"
                )

    @staticmethod
    @master_only
    def _write_split(runner, dataset) -> None:
        if dataset.assignment is None:
            return
        split = {
            'table': str(dataset.ann_file),
            'split': type(dataset.split).__name__,
            'options': {k: v for k, v in vars(dataset.split).items() if k[0] != '_'},
            **dataset.assignment,
        }
        text = json.dumps(split, indent=1, ensure_ascii=False)
        Path(runner.work_dir, 'split.json').write_text(text + '\n', encoding='utf-8')
