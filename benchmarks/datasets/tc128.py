"""Temple-Color 128: 129 targets, for Jogging is two folders.

``<Name>/img/0001.jpg``, ``<Name>/<Name>_frames.txt`` (first and last number of a picture), ``<Name>/<Name>_gt.txt`` (x, y, w, h, 1-based).
"""

import json
from pathlib import Path

from benchmarks.datasets.files import check_lengths, folders, number, numbers, pictures
from benchmarks.sequences import Sequence

TARGETS: list[str] = json.loads((Path(__file__).parent / "tc128.json").read_text())
VIDEOS = {"Jogging1": "Jogging", "Jogging2": "Jogging"}


def find(root: Path) -> dict[str, Path | None]:
    """The folders of the targets by name."""
    there = folders(root)
    return {name: there.get(name.lower()) for name in TARGETS}


def read(name: str, folder: Path) -> Sequence:
    """A target.

    Raises
    ------
    VideoError
        If a file cannot be read, or frames and annotation do not belong together.
    """
    path = folder / f"{name}_gt.txt"
    boxes = numbers(path)
    first, last = numbers(folder / f"{name}_frames.txt", (2,))[0]
    files = [file for file in pictures(folder / "img") if first <= number(file) <= last]
    check_lengths(path, len(boxes), files, folder / "img")
    return Sequence(name, VIDEOS.get(name, name), tuple(files), boxes - (1, 1, 0, 0), (boxes > 0).all(axis=1), 1)
