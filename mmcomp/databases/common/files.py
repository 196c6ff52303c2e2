"""Finding frames, videos and folders on disk."""

from itertools import pairwise
from pathlib import Path

from mmcomp.faces.video import IMAGE_SUFFIXES, frame_number, list_files
from mmcomp.files import entries
from mmcomp.tables import plain


def read_frames(folder: Path) -> tuple[dict[int, Path], list[str]]:
    """Return the images of a folder by number, in order, and faults of the numbers.

    Frames at equal steps (every fifth, say) count as complete.
    """
    frames: dict[int, Path] = {}
    faults = []
    for path in list_files(folder, IMAGE_SUFFIXES):
        number = frame_number(path.name)
        if number is None:
            faults.append(f'{path.name} has no number in its name')
        elif number in frames:
            faults.append(f'{frames[number].name} and {path.name} have the same number')
        else:
            frames[number] = path
    frames = dict(sorted(frames.items()))
    steps = [b - a for a, b in pairwise(frames)]
    gaps = sum(step // min(steps) - 1 for step in steps) if steps else 0
    if gaps:
        faults.append(f'frames missing from {min(frames)} to {max(frames)}: {gaps}')
    return frames, faults


def child(folder: Path, name: str) -> Path | None:
    """Return the folder below another with this :func:`plain` name, or None."""
    if (folder / name).is_dir():
        return folder / name
    found = (
        path
        for path in (entries(folder) if folder.is_dir() else ())
        if plain(path.name) == plain(name) and path.is_dir()
    )
    return next(found, None)
