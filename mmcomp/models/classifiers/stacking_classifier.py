"""StackingClassifier: several networks and a linear SVM on their joined features."""

from collections.abc import Sequence
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
from mmcomp.models.inspect import evaluating, set_predictions
from mmcomp.registry import MODELS


@MODELS.register_module()
class StackingClassifier(BaseClassifier):
    """Members trained together and stacked by a linear SVM (Section 3.2).

    The members' losses are summed, so that with an element-wise optimiser each trains
    as it would alone. Each also starts from the weights that it would have alone with
    the run's seed. :class:`mmcomp.engine.FitStackHook` fits the SVM on the training
    subjects at the end of training.

    Args:
        members (dict): Name of each member, and its :class:`PairClassifier` (config).
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
        for name, path in (checkpoints or {}).items():
            self._load_member(name, path)
        classes = {m.head.num_classes for m in self.copies[0].values()}
        if len(classes) > 1:
            raise ValueError(
                f'num_classes of the members is {classes}; it must be the same for all'
            )
        self.num_classes = classes.pop()
        width = sum(_feature_width(m) for m in self.copies[0].values())
        self.svms = nn.ModuleList(
            LinearSVMHead(self.num_classes, width, **(svm or {})) for _ in self.copies
        )
        self._fold_of: dict[str, int] = {}

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[DataSample] | None = None,
        mode: str = 'tensor',
    ):
        """Return decision values, losses or predictions.

        Args:
            inputs (Tensor): ``(B, 2, C, H, W)``.
            data_samples: For 'loss' and, optionally, 'predict'.
            mode (str): 'tensor' for decision values ``(B, num_classes)``, 'loss' or
                'predict'.
        """
        if mode == 'tensor':
            return self.decide([self._features(c, inputs) for c in self.copies])
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
        members = self.copies[0].values()
        if stage == 'pre_logits':
            return torch.cat([m.extract_feat(inputs, stage=stage) for m in members], 1)
        return tuple(x for m in members for x in m.extract_feat(inputs, stage=stage))

    def decide(self, features: Sequence[Tensor]) -> Tensor:
        """Return the mean decision of the copies' SVMs on their features ``(B, D)``."""
        decisions = [svm(x) for svm, x in zip(self.svms, features)]
        return torch.stack(decisions).mean(0)

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Return the losses of all members of all copies."""
        losses: dict[str, Tensor] = {}
        for index, copy in enumerate(self.copies):
            kept = self._trains(index, data_samples)
            own_inputs = inputs[kept] if len(kept) < len(inputs) else inputs
            own_samples = [data_samples[i] for i in kept]
            for name, member in copy.items():
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
        features: list[Tensor] = []
        scores: dict[str, list[Tensor]] = {name: [] for name in self.names}
        for copy in self.copies:
            own = [m.extract_feat(inputs, stage='pre_logits') for m in copy.values()]
            features.append(torch.cat(own, 1))
            for (name, member), x in zip(copy.items(), own):
                scores[name].append(member.head.fc(x).softmax(1))
        decision = self.decide(features).softmax(1)
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
    def fit_svms(self, loader) -> None:
        """Fit the SVMs on the features of training pairs.

        Args:
            loader: Batches of training pairs, without augmentation.
        """
        features: list[list[np.ndarray]] = [[] for _ in self.copies]
        labels: list[int] = []
        subjects: list[str] = []
        with evaluating(self):
            for batch in loader:
                batch = self.data_preprocessor(batch, False)
                for own, copy in zip(features, self.copies):
                    own.append(self._features(copy, batch['inputs']).cpu().numpy())
                labels += [int(sample.gt_label) for sample in batch['data_samples']]
                subjects += [sample.get(SUBJECT) for sample in batch['data_samples']]
        targets = np.array(labels)
        for index, (own, svm) in enumerate(zip(features, self.svms)):
            kept = [
                i
                for i, subject in enumerate(subjects)
                if not self.cross_fit or self._fold_of[subject] == index
            ]
            svm.fit(
                np.concatenate(own)[kept], targets[kept], [subjects[i] for i in kept]
            )

    @property
    def is_fitted(self) -> bool:
        """Whether all SVMs are fitted."""
        return all(svm.is_fitted for svm in self.svms)

    @staticmethod
    def _features(copy: Any, inputs: Tensor) -> Tensor:
        return torch.cat(
            [m.extract_feat(inputs, stage='pre_logits') for m in copy.values()], 1
        )

    def _trains(self, index: int, data_samples: list[DataSample]) -> list[int]:
        """Return the indices of the samples that train copy ``index``."""
        if not self.cross_fit:
            return list(range(len(data_samples)))
        folds = [self._fold_of[sample.get(SUBJECT)] for sample in data_samples]
        return [i for i, fold in enumerate(folds) if fold != index]

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
        if not hasattr(member.head, 'fc'):
            raise ValueError(
                f'head of member {name!r} is {type(member.head).__name__}; it must '
                'have pre_logits and a last layer fc, as MLPClsHead has'
            )
        built[name] = member
    return built


def _feature_width(member: Any) -> int:
    return member.head.fc.in_features
