"""ProtocolHook: keeps subjects apart and choices off the test set."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import master_only
from mmengine.hooks import CheckpointHook, EarlyStoppingHook, Hook

from mmcomp.classes import check_same_classes
from mmcomp.compat import add_metainfo, loop_dataset, planned_test_dataset
from mmcomp.datasets.wrappers import base_datasets, class_names, people_of
from mmcomp.files import write_text
from mmcomp.registry import HOOKS

from .checkpoint_hook import rule_of


@HOOKS.register_module()
class ProtocolHook(Hook):
    """Refuse to train where the test would not be valid.

    Before a training starts, the subjects of training must be in neither validation
    nor test, which must have the same classes. Nothing (best checkpoint, early
    stopping) may be chosen on a subset that is the test, nor may a schedule follow a
    metric of it. Wrappers such as ClassBalancedDataset are looked into; data whose
    people are not known are refused, as are averaged weights that are saved but not
    tested. The assignment of subjects is left as ``split.json`` in the work folder,
    where :class:`SubjectsFromFile` can read it again (``split-1.json`` and so on for
    several tables). When weights are loaded for a test, a warning is logged if they
    were trained on tested subjects.

    Raises:
        ValueError: If the protocol is not valid.
    """

    def before_run(self, runner) -> None:
        """Check the data sets and write the split."""
        train = loop_dataset(runner, 'train')
        if train is None:
            return
        people = people_of(train)
        others = dict(
            val=loop_dataset(runner, 'val'), test=planned_test_dataset(runner)
        )
        for name, other in others.items():
            if other is None:
                continue
            shared = people & people_of(other)
            if shared:
                raise ValueError(
                    f'{len(shared)} subjects are in the training and the {name} set: '
                    f'{", ".join(sorted(shared)[:5])}; both must have the same split '
                    'and different subsets, or tables of other people (a column '
                    "'database' tells equal ids apart)"
                )
            check_same_classes(
                class_names(train),
                class_names(other),
                'the training set',
                f'the {name} set',
            )
        self._check_choices(runner)
        add_metainfo(train, people=sorted(people))
        for word, mode in (('training', 'train'), ('testing', 'val')):
            for data in base_datasets(loop_dataset(runner, mode)):
                if data is not None:
                    runner.logger.info(
                        f'{word} on {len(data)} pairs of {len(data.people)} subjects '
                        f'(subset {data.subset!r} of {data.ann_file})'
                    )
        self._write_splits(runner, base_datasets(train))

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Warn if the tested subjects were trained on."""
        test = loop_dataset(runner, 'test')
        meta = checkpoint.get('meta', {}).get('dataset_meta') or {}
        trained = set(meta.get('people', ()))
        tested = people_of(test) if trained and test is not None else set()
        shared = tested & trained
        if shared:
            runner.logger.warning(
                f'{len(shared)} of {len(tested)} tested subjects were trained '
                'on; the error does not hold for new people'
            )

    @staticmethod
    def _check_choices(runner) -> None:
        val = base_datasets(loop_dataset(runner, 'val'))
        on_test = any(getattr(data, 'subset', None) == 'test' for data in val)
        choosing = _following(runner.param_schedulers)
        for hook in runner.hooks:
            if not getattr(hook, 'evaluate_on_ema', True):
                raise ValueError(
                    f'evaluate_on_ema of {type(hook).__name__} is False; it must be '
                    'True, as the averaged weights are saved'
                )
            if isinstance(hook, EarlyStoppingHook):
                _check_rule(hook)
            if isinstance(hook, EarlyStoppingHook) or (
                isinstance(hook, CheckpointHook) and hook.save_best
            ):
                choosing.append(f'{type(hook).__name__} would choose the epoch on it')
        if on_test and choosing:
            raise ValueError(
                f"subset of val_dataloader is 'test', and {choosing[0]}; it must be "
                "'val', with val_folds=1 in 'split'"
            )

    @staticmethod
    @master_only
    def _write_splits(runner, datasets: Sequence[Any]) -> None:
        divided = [dataset for dataset in datasets if dataset.assignment is not None]
        for number, dataset in enumerate(divided, 1):
            split = {
                'table': str(dataset.ann_file),
                'split': type(dataset.split).__name__,
                'options': {
                    k: v for k, v in vars(dataset.split).items() if k[0] != '_'
                },
                **dataset.assignment,
            }
            text = json.dumps(split, indent=1, ensure_ascii=False) + '\n'
            name = f'split-{number}.json' if len(divided) > 1 else 'split.json'
            write_text(Path(runner.work_dir, name), text)


def _following(schedulers: Any) -> list[str]:
    """Return, in words, which schedulers need the metrics of a validation."""
    groups = schedulers.values() if isinstance(schedulers, dict) else [schedulers or []]
    return [
        f'{type(scheduler).__name__} would follow a metric of it'
        for group in groups
        for scheduler in group
        if getattr(scheduler, 'need_val_args', False)
    ]


def _check_rule(hook: EarlyStoppingHook) -> None:
    """Refuse to stop early in the wrong direction, which MMEngine may have guessed."""
    rule = rule_of(hook.monitor)
    if rule and hook.rule != rule:
        raise ValueError(
            f'rule of EarlyStoppingHook is {hook.rule!r}; it must be {rule!r} for '
            f'{hook.monitor!r}'
        )
