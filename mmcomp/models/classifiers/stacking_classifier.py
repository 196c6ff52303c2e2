"""StackingClassifier: several networks and a linear SVM on their joined features."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmpretrain.models.classifiers import BaseClassifier
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmcomp.checkpoint import check_fits, load_plain_checkpoint
from mmcomp.columns import MEMBER_SCORES, SUBJECT
from mmcomp.models.data_preprocessor import build_preprocessor
from mmcomp.models.heads import LinearSVMHead
from mmcomp.models.inspect import evaluating, num_classes, set_predictions
from mmcomp.registry import MODELS


@MODELS.register_module()
class StackingClassifier(BaseClassifier):
    """Members trained together and stacked by a linear SVM (Section 3.2).

    A member is a :class:`PairClassifier` or a :class:`FittedPairClassifier`. The losses
    of the former are summed, so that with an element-wise optimiser each trains
    as it would alone. Each also starts from the weights that it would have alone with
    the run's seed. :class:`mmcomp.engine.FitStackHook` fits the SVM on the training
    subjects at the end of training, and first the members that are fitted.

    Fitted members take whole images and their gray levels, which are then the inputs of
    the stack in testing; it crops and normalises them for the other members.

    Args:
        members (dict): Name of each member, and its config.
        svm (dict): Options of :class:`LinearSVMHead`.
        cross_fit (int): 0 fits the SVM on features of the samples that trained the
            members, as the paper does; such features are over-confident. K of 2 or more
            divides the training subjects into K folds and trains K copies of the
            members. Each copy leaves out one fold, on whose features its SVM is fitted.
            Decisions and scores are averaged over the copies. Training takes K times
            as long.
        checkpoints (dict, optional): Checkpoint of each member, if they were trained
            separately.
        data_preprocessor (dict, optional): :class:`PairDataPreprocessor` unless a type
            is given.

    Raises:
        ValueError: If there are no members, or some have no features to join.
    """

    data_preprocessor: Any
    copies: Any  # each a ModuleDict of members
    svms: Any

    def __init__(
        self,
        members: dict[str, dict | nn.Module],
        svm: dict | None = None,
        cross_fit: int = 0,
        checkpoints: dict[str, str] | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg, build_preprocessor(data_preprocessor))
        if not members:
            raise ValueError(f'members is {members!r}; it must name at least 1')
        if cross_fit < 0 or cross_fit == 1:
            raise ValueError(f'cross_fit is {cross_fit}; it must be 0, or at least 2')
        if checkpoints and cross_fit:
            raise ValueError(
                f'cross_fit is {cross_fit}; it must be 0 for members that were trained '
                'separately'
            )
        self.cross_fit = cross_fit
        self.names = tuple(members)
        self.copies = nn.ModuleList(
            _build_members(members) for _ in range(max(cross_fit, 1))
        )
        first = self.copies[0]
        self._fitted = tuple(n for n in self.names if hasattr(first[n], 'fit_features'))
        self._given = tuple(checkpoints or {})
        for name, path in (checkpoints or {}).items():
            self._load_member(name, path)
        classes: set[Any] = {num_classes(member) for member in first.values()}
        if len(classes) > 1:
            raise ValueError(
                f'num_classes of the members is {classes}; it must be the same for all'
            )
        self.num_classes: int = classes.pop()
        widths = [first[n].head.fc.in_features for n in self._trained]
        # That of fitted members is known when they are fitted.
        width = None if self._fitted else sum(widths)
        self.svms = nn.ModuleList(
            LinearSVMHead(self.num_classes, width, **(svm or {})) for _ in self.copies
        )
        if self._fitted:
            self.data_preprocessor.whole = True
            for copy in self.copies:  # an image is described once for all
                for name in self._fitted:
                    copy[name].features = first[name].features
        self._fold_of: dict[str, int] = {}

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[DataSample] | None = None,
        mode: str = 'tensor',
    ):
        """Return decision values, losses or predictions.

        Args:
            inputs (Tensor): ``(B, 2, C, H, W)``, as the preprocessor returns them; with
                fitted members, gray levels unless for 'loss'.
            data_samples: For 'loss' and, optionally, 'predict'.
            mode (str): 'tensor' for decision values ``(B, num_classes)``, 'loss' or
                'predict'.
        """
        if mode == 'tensor':
            return self.decide([_joined(own) for own in self._features(inputs)])
        if mode == 'loss':
            return self.loss(inputs, data_samples or [])
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        raise ValueError(
            f"mode is {mode!r}; it must be one of 'tensor', 'loss', 'predict'"
        )

    def extract_feat(self, inputs: Tensor, stage: str = 'pre_logits'):
        """Return features of the first copy of the members.

        Args:
            inputs (Tensor): ``(B, 2, C, H, W)``.
            stage (str): 'pre_logits' for the joined features ``(B, D)``; 'backbone' or
                'neck' for the members' tuples, concatenated.
        """
        if stage == 'pre_logits':
            return _joined(self._features(inputs)[0])
        seen = self._seen(inputs)
        return tuple(
            feature
            for name, member in self.copies[0].items()
            for feature in member.extract_feat(
                inputs if name in self._fitted else seen, stage=stage
            )
        )

    def decide(self, features: Sequence[Tensor]) -> Tensor:
        """Return the mean decision of the copies' SVMs on their features ``(B, D)``."""
        decisions = [svm(x) for svm, x in zip(self.svms, features)]
        return torch.stack(decisions).mean(0)

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Return the losses of all members of all copies; fitted ones have none.

        Raises:
            ValueError: If all members are fitted.
        """
        if not self._trained:
            raise ValueError(
                'all members are fitted at once, so there is no loss; train the stack '
                "with train_cfg = dict(_delete_=True, type='mmcomp.FitStackLoop')"
            )
        losses: dict[str, Tensor] = {}
        for index, copy in enumerate(self.copies):
            kept = self._trains(index, data_samples)
            own_inputs = inputs[kept] if len(kept) < len(inputs) else inputs
            own_samples = [data_samples[i] for i in kept]
            for name in self._trained:
                member = copy[name]
                key = f'{name}/{index}' if self.cross_fit else name
                if kept:
                    losses[f'{key}.loss'] = member.loss(own_inputs, own_samples)['loss']
                else:  # all of the fold that is left out; DDP still needs gradients
                    losses[f'{key}.loss'] = member(inputs).sum() * 0
        return losses

    def predict(
        self, inputs: Tensor, data_samples: list[DataSample] | None = None
    ) -> list[DataSample]:
        """Return predictions of the stack, with the members' scores.

        Returns:
            list[DataSample]: ``pred_score`` is the softmax of the decision values, and
            ``member_scores`` a dict of each member's scores.
        """
        features = self._features(inputs)
        scores: dict[str, list[Tensor]] = {name: [] for name in self.names}
        for copy, own in zip(self.copies, features):
            for name, x in own.items():
                last = copy[name].score if name in self._fitted else copy[name].head.fc
                scores[name].append(last(x).softmax(1))
        decision = self.decide([_joined(own) for own in features]).softmax(1)
        means = {name: torch.stack(s).mean(0) for name, s in scores.items()}
        samples = data_samples or [DataSample() for _ in range(len(inputs))]
        for index, sample in enumerate(set_predictions(samples, decision)):
            members = {name: score[index] for name, score in means.items()}
            sample.set_field(members, MEMBER_SCORES)
        return samples

    def assign_folds(self, folds: Sequence[Sequence[str]]) -> None:
        """Set which training subjects each copy of a cross-fitted stack leaves out.

        Args:
            folds (Sequence[Sequence[str]]): The subjects of each fold.
        """
        self._fold_of = {s: i for i, fold in enumerate(folds) for s in fold}

    @torch.no_grad()
    def fit_svms(
        self,
        loader,
        columns: Mapping[str, Sequence[str]] | None = None,
        seed: int = 0,
    ) -> None:
        """Fit members that are fitted, and the SVMs, to training pairs.

        In a cross-fitted stack, a copy's fitted members are fitted to the pairs that
        train its other members.

        Args:
            loader: Batches of training pairs, without augmentation.
            columns (Mapping[str, Sequence[str]], optional): Further columns of the
                pairs' rows, in the order of the loader, for fitted members.
            seed (int): Seed of random choices of fitted members.
        """
        trained: list[dict[str, list[Tensor]]] = [{} for _ in self.copies]
        described: dict[str, list[np.ndarray]] = {name: [] for name in self._fitted}
        labels: list[int] = []
        subjects: list[str] = []
        with evaluating(self):
            for batch in loader:
                batch = self.data_preprocessor(batch, False)
                seen = self._seen(batch['inputs'])
                for own, copy in zip(trained, self.copies):
                    for name in self._trained:
                        found = copy[name].extract_feat(seen, stage='pre_logits').cpu()
                        own.setdefault(name, []).append(found)
                for name in self._fitted:
                    found = self.copies[0][name].describe(batch['inputs'])
                    described[name].append(found)
                labels += [int(sample.gt_label) for sample in batch['data_samples']]
                subjects += [sample.get(SUBJECT) for sample in batch['data_samples']]
        targets = np.array(labels)
        known = {name: np.concatenate(own) for name, own in described.items()}
        if known:
            self._fit_members(known, targets, subjects, columns or {}, seed)
        for index, (own, copy, svm) in enumerate(zip(trained, self.copies, self.svms)):
            kept = [
                i
                for i, subject in enumerate(subjects)
                if not self.cross_fit or self._fold_of[subject] == index
            ]
            features = {name: torch.cat(parts) for name, parts in own.items()}
            for name, found in known.items():
                features[name] = copy[name].fill(found).cpu()
            joined = _joined({name: features[name] for name in self.names}).numpy()
            svm.fit(joined[kept], targets[kept], [subjects[i] for i in kept])

    def _fit_members(
        self,
        described: Mapping[str, np.ndarray],
        labels: np.ndarray,
        subjects: Sequence[str],
        columns: Mapping[str, Sequence[str]],
        seed: int,
    ) -> None:
        """Fit the fitted members of each copy to the pairs that train it."""
        with torch.random.fork_rng():
            for index, copy in enumerate(self.copies):
                own = [i for i, s in enumerate(subjects) if self._learns(index, s)]
                for name, features in described.items():
                    if name in self._given:
                        continue
                    torch.manual_seed(seed)
                    copy[name].fit_features(features, labels, subjects, columns, own)

    @property
    def is_fitted(self) -> bool:
        """Whether all SVMs are fitted; they are after the members."""
        return all(svm.is_fitted for svm in self.svms)

    def sized_buffers(self) -> list[str]:
        """Return the buffers that take the sizes of a checkpoint."""
        if not self._fitted:
            return []
        return [
            name
            for index in range(len(self.svms))
            for name in (f'svms.{index}.weight', *self._means(index))
        ]

    def check_state(self, state: Mapping[str, Tensor]) -> None:
        """Check the SVMs of a state before it is loaded; it may be a stranger's.

        Args:
            state (Mapping[str, Tensor]): All of :meth:`sized_buffers`.

        Raises:
            ValueError: If one does not fit its features.
        """
        planes = 1 if self.num_classes == 2 else self.num_classes
        for index, copy in enumerate(self.copies if self._fitted else ()):
            width = sum(copy[name].head.fc.in_features for name in self._trained)
            width += sum(state[name].numel() for name in self._means(index))
            name = f'svms.{index}.weight'
            shape = tuple(state[name].shape)
            if shape not in ((planes, width), (planes, 0)):
                raise ValueError(
                    f'shape of {name} is {shape}; it must be {(planes, width)}'
                )

    def _means(self, index: int) -> list[str]:
        """Return the names of the means of a copy's fitted members."""
        return [f'copies.{index}.{name}.filler.mean' for name in self._fitted]

    @property
    def _trained(self) -> list[str]:
        """Names of the members that are trained by gradient."""
        return [name for name in self.names if name not in self._fitted]

    def _seen(self, inputs: Tensor) -> Tensor:
        """Return what members that are trained by gradient see, in testing."""
        return self.data_preprocessor.prepare(inputs) if self._fitted else inputs

    def _features(self, inputs: Tensor) -> list[dict[str, Tensor]]:
        """Return the features of each member of each copy, in testing."""
        seen = self._seen(inputs)
        first = self.copies[0]
        described = {name: first[name].describe(inputs) for name in self._fitted}
        return [
            {
                name: copy[name].fill(described[name])
                if name in described
                else copy[name].extract_feat(seen, stage='pre_logits')
                for name in self.names
            }
            for copy in self.copies
        ]

    def _learns(self, index: int, subject: str) -> bool:
        """Return whether the pairs of a subject train copy ``index``."""
        return not self.cross_fit or self._fold_of[subject] != index

    def _trains(self, index: int, data_samples: list[DataSample]) -> list[int]:
        """Return the indices of the samples that train copy ``index``."""
        subjects = [sample.get(SUBJECT) for sample in data_samples]
        return [i for i, subject in enumerate(subjects) if self._learns(index, subject)]

    def _load_member(self, name: str, path: str) -> None:
        if name not in self.names:
            raise ValueError(
                f'name in checkpoints is {name!r}; it must be one of '
                f'{", ".join(map(repr, self.names))}'
            )
        state_dict = load_plain_checkpoint(path)['state_dict']
        check_fits(self.copies[0][name], state_dict, path)
        self.copies[0][name].load_state_dict(state_dict)


def _build_members(members: dict) -> nn.ModuleDict:
    """Build the members with the initial weights that each would have alone."""
    built = nn.ModuleDict()
    state = torch.get_rng_state()
    for name, member in members.items():
        torch.set_rng_state(state)
        if isinstance(member, dict):
            member = MODELS.build(member)
        fitted = hasattr(member, 'fit_features')
        if not fitted and not hasattr(member.head, 'fc'):
            raise ValueError(
                f'head of member {name!r} is {type(member.head).__name__}; it must '
                'have pre_logits and a last layer fc, as MLPClsHead has'
            )
        built[name] = member
    return built


def _joined(features: Mapping[str, Tensor]) -> Tensor:
    """Return the features of a copy's members next to each other, ``(B, D)``."""
    return torch.cat(list(features.values()), 1)
