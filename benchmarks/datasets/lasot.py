"""LaSOT's test split, 280 sequences.

``<class>/<class>-<k>/img/00000001.jpg`` (or without the folder of the class), ``groundtruth.txt`` (x, y, w, h, 1-based),
``full_occlusion.txt`` and ``out_of_view.txt`` (one line, 0 or 1 for every frame).
"""

import json
from pathlib import Path

import numpy as np

from benchmarks.datasets.files import check_lengths, folders, numbers, pictures
from benchmarks.sequences import Sequence
from trackers.errors import VideoError

TARGETS: list[str] = json.loads((Path(__file__).parent / "lasot.json").read_text())


def find(root: Path) -> dict[str, Path | None]:
    """The folders of the sequences by name."""
    there = folders(root)
    for kind in {name.rpartition("-")[0] for name in TARGETS} & there.keys():
        there |= folders(there[kind])
    return {name: there.get(name) for name in TARGETS}


def read(name: str, folder: Path) -> Sequence:
    """A sequence; frames in which the target is hidden or out of view are not valid.

    Raises
    ------
    VideoError
        If a file cannot be read, or pictures and annotation do not belong together.
    """
    path = folder / "groundtruth.txt"
    boxes, files = numbers(path), pictures(folder / "img")
    check_lengths(path, len(boxes), files, folder / "img")
    visible = ~(_flags(folder / "full_occlusion.txt", len(files)) | _flags(folder / "out_of_view.txt", len(files)))
    valid = (boxes > 0).all(axis=1) & visible
    return Sequence(name, name, tuple(files), boxes - (1, 1, 0, 0), valid, 1, visible=visible)


def _flags(path: Path, count: int) -> np.ndarray:
    """The flags in a file, bool, (N,); all False if there is no such file."""
    if not path.is_file():
        return np.zeros(count, bool)
    flags = numbers(path, (1, count)).ravel()
    if len(flags) != count:
        raise VideoError(f"{path} has {len(flags)} flags for {count} frames")
    return flags != 0
