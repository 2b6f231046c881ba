"""VOT2016 and VOT2017, and folders laid out like theirs.

``<name>/color/00000001.jpg`` (in older copies beside the annotation), ``<name>/groundtruth.txt`` (a polygon of four corners, or x, y, w, h,
0-based) and ``<name>/<attribute>.tag`` (0 or 1 for every frame).
"""

import json
from pathlib import Path

import numpy as np

from benchmarks.datasets.files import check_lengths, folders, lines, numbers, pictures
from benchmarks.regions import equal_area_rectangles
from benchmarks.sequences import Sequence

SETS: dict[str, list[str]] = json.loads((Path(__file__).parent / "vot.json").read_text())


def find(root: Path, names: list[str]) -> dict[str, Path | None]:
    """The folders of sequences by name."""
    there = folders(root)
    return {name: there.get(name) for name in names}


def find_all(root: Path) -> dict[str, Path | None]:
    """The folders of the sequences in ``list.txt``, or without such a file of all that have an annotation."""
    there, listed = folders(root), root / "list.txt"
    if listed.is_file():
        return {name: there.get(name.lower()) for name in map(str.strip, lines(listed)) if name}
    return {folder.name: folder for folder in there.values() if (folder / "groundtruth.txt").is_file()}


def read(name: str, folder: Path) -> Sequence:
    """A sequence; its boxes have the centre and the area of its polygons.

    Raises
    ------
    VideoError
        If a file cannot be read, or pictures and annotation do not belong together.
    """
    path, colour = folder / "groundtruth.txt", folder / "color"
    regions, shown = numbers(path, (4, 8)), colour if colour.is_dir() else folder
    files = pictures(shown)
    check_lengths(path, len(regions), files, shown)
    turned = regions.shape[1] == 8
    boxes = equal_area_rectangles(regions) if turned else regions
    valid = np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1)
    tags = (tag for kind in ("*.tag", "*.label") for tag in folder.glob(kind))
    attributes = frozenset(tag.stem for tag in tags if "1" in map(str.strip, lines(tag)))
    return Sequence(name, name, tuple(files), boxes, valid, polygons=regions if turned else None, attributes=attributes)
