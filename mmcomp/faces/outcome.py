"""The outcome of one row of a preparation, in files of its own."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from mmcomp.columns import APEX, CLIP, ONSET
from mmcomp.files import digest, entries, read_object, write_bytes, write_text

from .detection import FaceDetector
from .pairs import FacePair, FaceSettings
from .table import new_row, pair_of_row

IMAGES, ROWS = 'images', 'rows'
PROBLEM, REASON, NOTES = 'problem', 'reason', 'notes'

Row = dict[str, str]


@dataclass(frozen=True)
class RowOutcome:
    """Where the outcome of a row is kept, and how it is made.

    Attributes:
        row: The row of the table.
        root: The folder that its paths are relative to.
        out: The folder of the run.
        name: What its files are called, which no other row's are.
    """

    row: Row
    root: Path
    out: Path
    name: str

    @property
    def images(self) -> tuple[str, str]:
        """Onset and apex, relative to the folder of the run."""
        return f'{IMAGES}/{self.name}-onset.png', f'{IMAGES}/{self.name}-apex.png'

    @property
    def file(self) -> Path:
        """What became of the row; written last, whole or not at all."""
        return self.out / ROWS / f'{self.name}.json'

    def make(
        self,
        settings: FaceSettings,
        fps: float | None,
        detector: FaceDetector,
        watch: Callable[[float], None],
    ) -> None:
        """Make the pair, and write it, or why there is none.

        Args:
            settings, fps, detector, watch: As for :func:`.table.pair_of_row`.
        """
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        before = _digest_of(sources(self.row, self.root))
        try:
            pair = pair_of_row(self.row, self.root, settings, fps, detector, watch)
            if pair.onset is not None and pair.apex is not None:
                for path, image in zip(self.images, (pair.onset, pair.apex)):
                    data = cv2.imencode('.png', image)[1].tobytes()
                    write_bytes(self.out / path, data)
        except OSError as error:  # the other rows may do
            pair = FacePair(False, 'error', str(error))
        finally:
            cv2.setNumThreads(threads)
        result: dict[str, object] = {
            'row': _digest(self.row),
            'sources': before,
            PROBLEM: pair.problem,
            REASON: pair.reason,
            NOTES: '; '.join(pair.notes),
        }
        if pair.success:
            result['columns'] = new_row(self.row, pair, self.images)
            result['faces'] = self._faces()
        write_text(self.file, json.dumps(result))

    def read(self) -> dict[str, Any]:
        """Return what was written.

        Raises:
            ValueError: If it is missing or damaged.
        """
        return read_object(self.file)

    def is_done(self, retry: bool) -> bool:
        """Return whether an earlier run has done this row and its sources as they are.

        Sources that are gone since count as unchanged: the faces are still of them.

        Args:
            retry: Whether a row that failed is not done.
        """
        try:
            result = self.read()
        except ValueError:
            return False
        if result.get('row') != _digest(self.row) or 'sources' not in result:
            return False
        now = _digest_of(sources(self.row, self.root))
        if now and now != result['sources']:
            return False
        if 'columns' not in result:
            return not retry
        faces = self._faces()
        return faces is not None and faces == result.get('faces')

    def _faces(self) -> str | None:
        return _digest_of([self.out / path for path in self.images])


def sources(row: Row, root: Path) -> list[Path]:
    """Return the files that a row is made from."""
    if not row.get(CLIP):
        return [root / row.get(name, '') for name in (ONSET, APEX)]
    clip = root / row[CLIP]
    return [p for p in entries(clip) if p.is_file()] if clip.is_dir() else [clip]


def _digest_of(paths: Sequence[Path]) -> str | None:
    """Return the digest of files, or None if one is missing."""
    try:
        return digest(paths)
    except OSError:
        return None


def _digest(row: Row) -> str:
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()
