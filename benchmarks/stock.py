"""B: the same network as stock MMPretrain would be used for pairs.

Its own ImageClassifier and data preprocessor, the pair packed as two channels, images
read from files by its default loader with worker processes, augmentation by MMCV. Only
what stock MMPretrain lacks is written here: loading two files into one image, and the
network.
"""

import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmpretrain.datasets import BaseDataset
from mmpretrain.models.heads import ClsHead
from mmpretrain.registry import DATASETS, MODELS, TRANSFORMS
from torch import nn

from .plain import PlainNet


@TRANSFORMS.register_module()
class StockLoadPair(BaseTransform):
    """Read both images and stack them as channels."""

    def transform(self, results: dict) -> dict:
        """Load."""
        paths = results['img_path'], results['apex_path']
        images = [mmcv.imread(path, flag='grayscale') for path in paths]
        results['img'] = np.stack(images, -1)
        results['img_shape'] = results['ori_shape'] = results['img'].shape[:2]
        return results


@DATASETS.register_module()
class StockPairs(BaseDataset):
    """The rows of a pair table as MMPretrain's annotation list."""

    METAINFO = dict(classes=('posed', 'spontaneous'))

    def load_data_list(self) -> list:
        """Read the table without further checks."""
        import csv
        from pathlib import Path

        folder = Path(self.ann_file).parent
        with open(self.ann_file, encoding='utf-8', newline='') as stream:
            return [
                dict(
                    img_path=str(folder / row['onset']),
                    apex_path=str(folder / row['apex']),
                    gt_label=int(row['label'] == 'spontaneous'),
                )
                for row in csv.DictReader(stream)
            ]


@MODELS.register_module()
class StockTrunk(nn.Module):
    """:class:`PlainNet` on two channels, as a backbone."""

    def __init__(self, position: int, learned: bool) -> None:
        super().__init__()
        self.net = PlainNet(position, learned)

    def forward(self, x):
        """Turn ``(B, 2, 44, 44)`` into scores, in a tuple."""
        return (self.net(x.unsqueeze(2)),)

    def init_weights(self) -> None:
        """Keep the initial weights of PyTorch."""


@MODELS.register_module()
class StockHead(ClsHead):
    """The scores are the backbone's."""


def stock_config(table: str, position: int, batch_size: int, epochs: int) -> dict:
    """Return a config in MMPretrain's usual way, with its loader's defaults."""
    transforms = [dict(type='StockLoadPair')]
    train = [
        *transforms,
        dict(type='RandomCrop', crop_size=44),
        dict(type='RandomFlip', prob=0.5),
        dict(type='PackInputs'),
    ]
    test = [*transforms, dict(type='CenterCrop', crop_size=44), dict(type='PackInputs')]

    def loader(pipeline, shuffle):
        return dict(
            batch_size=batch_size,
            num_workers=2,
            persistent_workers=True,
            collate_fn=dict(type='default_collate'),
            sampler=dict(type='DefaultSampler', shuffle=shuffle),
            dataset=dict(type='StockPairs', ann_file=table, pipeline=pipeline),
        )

    return dict(
        default_scope='mmpretrain',
        custom_imports=dict(imports=['benchmarks.stock']),
        model=dict(
            type='ImageClassifier',
            data_preprocessor=dict(
                type='ClsDataPreprocessor', mean=[120.0] * 2, std=[60.0] * 2
            ),
            backbone=dict(type='StockTrunk', position=position, learned=True),
            head=dict(type='StockHead'),
        ),
        train_dataloader=loader(train, True),
        val_dataloader=loader(test, False),
        test_dataloader=loader(test, False),
        val_evaluator=dict(type='Accuracy', topk=1),
        test_evaluator=dict(type='Accuracy', topk=1),
        train_cfg=dict(by_epoch=True, max_epochs=epochs, val_interval=epochs),
        val_cfg=dict(),
        test_cfg=dict(),
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.5)),
        default_hooks=dict(
            logger=dict(type='LoggerHook', interval=100),
            checkpoint=dict(type='CheckpointHook', interval=1),
        ),
        log_level='WARNING',
    )
