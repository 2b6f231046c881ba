"""UAV123 and UAV20L: ``data_seq/UAV123/<folder>/000001.jpg``, ``anno/UAV123/<name>.txt`` (x, y, w, h, 1-based; NaN: not to be seen).

Several targets are cut from one video; ``uav123.json`` has the folder, and the first and last picture of each.
"""

import json
from pathlib import Path

from benchmarks.datasets.files import check_lengths, number, numbers, pictures
from benchmarks.sequences import Sequence

SETS: dict[str, dict[str, tuple[str, int, int]]] = json.loads((Path(__file__).parent / "uav123.json").read_text())


def find(root: Path, version: str) -> dict[str, Path | None]:
    """The annotations of the targets of ``uav123`` or ``uav20l`` by name; None where annotation or pictures are not there."""
    found = {}
    for name, (folder, *_) in SETS[version].items():
        path = root / "anno" / version.upper() / f"{name}.txt"
        found[name] = path if path.is_file() and _pictures(path, folder).is_dir() else None
    return found


def read(name: str, path: Path) -> Sequence:
    """A target.

    Raises
    ------
    VideoError
        If a file cannot be read, or pictures and annotation do not belong together.
    """
    video, first, last = SETS[path.parent.name.lower()][name]
    folder, boxes = _pictures(path, video), numbers(path)
    files = [file for file in pictures(folder) if first <= number(file) <= last]
    check_lengths(path, len(boxes), files, folder)
    return Sequence(name, video, tuple(files), boxes - (1, 1, 0, 0), (boxes > 0).all(axis=1), 1)


def _pictures(annotation: Path, video: str) -> Path:
    """The folder of a video's pictures; UAV20L shares those of UAV123."""
    return annotation.parents[2] / "data_seq" / "UAV123" / video
