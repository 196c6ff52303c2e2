"""FittedPairClassifier: features of pairs, and a classifier that is fitted to them."""

import copy
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmpretrain.models.classifiers import BaseClassifier
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmcomp.columns import SUBJECT
from mmcomp.models.data_preprocessor import build_preprocessor
from mmcomp.models.fitted.base import FittedClassifier, PairFeatures, TrainingMean
from mmcomp.models.inspect import evaluating, set_predictions
from mmcomp.registry import MODELS


@MODELS.register_module()
class FittedPairClassifier(BaseClassifier):
    """Classify features of pairs by what is fitted to them at once.

    It has no weights that are trained by gradient, and no loss:
    :class:`mmcomp.engine.FitLoop` fits it to the training subjects. Its whole state is
    in buffers, whose sizes are those of the training data.

    Pairs whose features are not finite, such as faces whose points are not trusted, are
    left out of the fit and classified by the mean of the training features.

    Args:
        features (dict | PairFeatures): What describes pairs of gray images.
        classifier (dict | FittedClassifier): What is fitted to the features; of a
            config, ``num_classes`` is added.
        num_classes (int): Number of classes.
        data_preprocessor (dict, optional): :class:`PairDataPreprocessor` unless a type
            is given; it must neither crop nor normalise.

    Raises:
        ValueError: If the preprocessor changes gray levels.
    """

    def __init__(
        self,
        features: dict | PairFeatures,
        classifier: dict | FittedClassifier,
        num_classes: int,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg, build_preprocessor(data_preprocessor))
        for name in ('augment', 'mean', 'standardize'):
            if getattr(self.data_preprocessor, name, None) is not None:
                raise ValueError(
                    f'{name} of data_preprocessor is given; it must not be, as '
                    'FittedPairClassifier takes whole images and their gray levels'
                )
        self.data_preprocessor.whole = True
        if isinstance(features, dict):
            features = MODELS.build(features)
        if isinstance(classifier, dict):
            classifier = MODELS.build({**classifier, 'num_classes': num_classes})
        self.features: Any = features
        self.filler = TrainingMean()
        self.classifier: Any = classifier
        self.num_classes = num_classes

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[DataSample] | None = None,
        mode: str = 'tensor',
    ):
        """Return scores or predictions.

        Args:
            inputs (Tensor): ``(B, 2, 1, H, W)``, gray levels 0 to 255.
            data_samples: For 'predict', optionally.
            mode (str): 'tensor' for scores before the softmax, ``(B, num_classes)``, or
                'predict'.

        Raises:
            ValueError: For 'loss', which a fitted model does not have.
        """
        if mode == 'tensor':
            return self.score(self.extract_feat(inputs))
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'loss':
            raise ValueError(
                'FittedPairClassifier has no loss, as it is fitted at once; train it '
                "with train_cfg = dict(_delete_=True, type='mmcomp.FitLoop')"
            )
        raise ValueError(f"mode is {mode!r}; it must be 'tensor' or 'predict'")

    def fill_cache(self, table: str | Path, loader) -> None:
        """Describe all pairs of a table, and keep what takes time next to it.

        Args:
            table: The pair table.
            loader: Batches of its pairs.
        """
        batches = [
            self._images(self.data_preprocessor(batch, False)['inputs'])
            for batch in loader
        ]
        onset, apex = map(np.concatenate, zip(*batches))
        self.features.cache_beside(table)
        self.features.fill_cache(onset, apex)

    def describe(self, inputs: Tensor) -> np.ndarray:
        """Return the features of pairs, ``(B, F)``, not finite where they are unknown.

        Args:
            inputs (Tensor): ``(B, 2, 1, H, W)``, gray levels.

        Raises:
            ValueError: If the images are in colour.
        """
        return np.asarray(self.features(*self._images(inputs)), np.float32)

    @staticmethod
    def _images(inputs: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Return onsets and apexes, each ``(B, H, W)``, uint8."""
        if inputs.shape[2] != 1:
            raise ValueError(
                f'number of channels is {inputs.shape[2]}; it must be 1: '
                'FittedPairClassifier takes gray images'
            )
        images = inputs[:, :, 0].round().clamp(0, 255).to(torch.uint8).cpu().numpy()
        return images[:, 0], images[:, 1]

    def extract_feat(self, inputs: Tensor, stage: str = 'pre_logits'):
        """Return the features that are classified, all finite.

        Args:
            inputs (Tensor): ``(B, 2, 1, H, W)``, gray levels.
            stage (str): 'pre_logits' for features ``(B, F)``, else a tuple of them.

        Raises:
            ValueError: If the model is not fitted.
        """
        filled = self.fill(self.describe(inputs))
        return filled if stage == 'pre_logits' else (filled,)

    def fill(self, features: np.ndarray) -> Tensor:
        """Return features ``(B, F)`` of :meth:`describe` with unknown ones replaced.

        Raises:
            ValueError: If the model is not fitted.
        """
        self.check_fitted()
        finite = np.isfinite(features).all(1)
        _warn_of_unknown(finite, 'they are classified by the mean of training')
        return self.filler(torch.from_numpy(features).to(self.filler.mean.device))

    def score(self, features: Tensor) -> Tensor:
        """Return scores before the softmax, ``(B, num_classes)``, of ``(B, F)``.

        Raises:
            ValueError: If they are not finite.
        """
        with torch.autocast(features.device.type, enabled=False):
            scores = self.classifier(features.float())
        if not scores.isfinite().all():
            raise ValueError(
                f'scores of {type(self.classifier).__name__} are not finite; its '
                'checkpoint is damaged, or its training data have extreme values'
            )
        return scores

    def predict(
        self, inputs: Tensor, data_samples: list[DataSample] | None = None
    ) -> list[DataSample]:
        """Return predictions; ``pred_score`` is the softmax of the scores."""
        samples = data_samples or [DataSample() for _ in range(len(inputs))]
        return set_predictions(samples, self.forward(inputs).softmax(1))

    @torch.no_grad()
    def fit(self, loader, columns: Mapping[str, Sequence[str]]) -> None:
        """Fit to training pairs.

        Args:
            loader: Batches of training pairs, without augmentation.
            columns (Mapping[str, Sequence[str]]): Further columns of the pairs' rows,
                in the order of the loader.

        Raises:
            ValueError: If the pairs do not suffice.
        """
        features: list[np.ndarray] = []
        labels: list[int] = []
        subjects: list[str] = []
        with evaluating(self):
            for batch in loader:
                batch = self.data_preprocessor(batch, False)
                features.append(self.describe(batch['inputs']))
                labels += [int(sample.gt_label) for sample in batch['data_samples']]
                subjects += [sample.get(SUBJECT) for sample in batch['data_samples']]
        self.fit_features(np.concatenate(features), np.array(labels), subjects, columns)

    def fit_features(
        self,
        features: np.ndarray,
        labels: np.ndarray,
        subjects: Sequence[str],
        columns: Mapping[str, Sequence[str]],
        rows: Sequence[int] | None = None,
    ) -> None:
        """Fit to features of training pairs, as :meth:`describe` returns them.

        Args:
            features, labels, subjects, columns: As for :meth:`FittedClassifier.fit`,
                but features may not be finite.
            rows (Sequence[int], optional): The pairs to fit to; all by default.

        Raises:
            ValueError: If the pairs do not suffice.
        """
        rows = range(len(labels)) if rows is None else rows
        finite = np.isfinite(features).all(1)
        _warn_of_unknown(finite[rows], 'they are left out of the fit')
        known = [row for row in rows if finite[row]]
        present = len(set(labels[known].tolist()))
        if present < 2:
            raise ValueError(
                f'number of classes with known features is {present}; it must be at '
                'least 2'
            )
        device = self.data_preprocessor.device
        self.filler.fit(features[known])
        self.classifier.fit(
            features[known],
            labels[known],
            [subjects[i] for i in known],
            {name: [cells[i] for i in known] for name, cells in columns.items()},
        )
        self.filler.to(device)
        self.classifier.to(device)

    @property
    def is_fitted(self) -> bool:
        """Whether it was fitted, or a fitted state was loaded."""
        return self.filler.is_fitted and self.classifier.is_fitted

    def check_fitted(self) -> None:
        """Check that it is fitted.

        Raises:
            ValueError: If it is not.
        """
        if not self.is_fitted:
            raise ValueError(
                'FittedPairClassifier is not fitted; train it with FitLoop, or load '
                'the checkpoint of a trained one'
            )

    def sized_buffers(self) -> list[str]:
        """Return the buffers that take the sizes of a checkpoint."""
        return list(self.state_dict())

    @torch.no_grad()
    def check_state(self, state: Mapping[str, Tensor]) -> None:
        """Check a state before it is loaded; it may be a stranger's.

        Args:
            state (Mapping[str, Tensor]): All of :meth:`sized_buffers`.

        Raises:
            ValueError: If its buffers do not fit together.
        """
        parts = dict(filler=self.filler, classifier=self.classifier)
        trial: Any = nn.ModuleDict(copy.deepcopy(parts)).cpu()
        trial.load_state_dict({name: value.cpu() for name, value in state.items()})
        for name, part in trial.items():
            try:
                part.check_buffers()
            except ValueError as error:
                raise ValueError(f'{name}: {error}') from None
        fitted = [name for name, part in trial.items() if part.is_fitted]
        if len(fitted) == 1:
            raise ValueError(f'only {fitted[0]} is fitted; both parts must be, or none')
        if not fitted:
            return
        mean = trial['filler'].mean[None]
        try:
            scores = trial['classifier'](mean.float())
        except Exception as error:  # whatever odd sizes lead to
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ValueError(f'its buffers do not fit together: {reason}') from None
        if scores.shape != (1, self.num_classes) or not scores.isfinite().all():
            raise ValueError(
                f'scores of the training mean are {scores.tolist()}; they must be '
                f'{self.num_classes} numbers'
            )


def _warn_of_unknown(finite: np.ndarray, consequence: str) -> None:
    """Warn of pairs without finite features; ``finite`` is ``(N,)``, bool."""
    unknown = int((~finite).sum())
    if unknown:
        warnings.warn(
            f'features of {unknown} of {len(finite)} pairs are unknown; {consequence}',
            stacklevel=3,
        )
