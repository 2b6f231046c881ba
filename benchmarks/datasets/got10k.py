"""GOT-10k, its splits ``val`` and ``test``.

``<split>/list.txt``, ``<split>/<name>/00000001.jpg``, and beside the pictures ``groundtruth.txt`` (x, y, w, h) and ``cover.label`` (for
every frame how much of the target may be seen, 0 to 8).
"""

from pathlib import Path

import numpy as np

from benchmarks.datasets.files import check_lengths, folders, lines, numbers, pictures
from benchmarks.sequences import Sequence


def find(root: Path, split: str) -> dict[str, Path | None]:
    """The folders of the sequences of a split by name; the list may also lie in the root itself."""
    folder = root / split if (root / split).is_dir() else root
    there, listed = folders(folder), folder / "list.txt"
    return {name: there.get(name.lower()) for name in map(str.strip, lines(listed)) if name} if there else {}


def read(name: str, folder: Path) -> Sequence:
    """A sequence of the split ``val``.

    Raises
    ------
    VideoError
        If a file cannot be read, or pictures and annotation do not belong together.
    """
    path, files = folder / "groundtruth.txt", pictures(folder)
    boxes, cover = numbers(path), folder / "cover.label"
    check_lengths(path, len(boxes), files, folder)
    visible = None
    if cover.is_file():
        visible = numbers(cover, (1,))[:, 0] > 0
        check_lengths(cover, len(visible), files, folder)
    valid = (boxes[:, 2:] > 0).all(axis=1) & (True if visible is None else visible)
    return Sequence(name, name, tuple(files), boxes, valid, visible=visible)


def read_first(name: str, folder: Path) -> Sequence:
    """A sequence of the split ``test``, of which only the first box is published.

    Raises
    ------
    VideoError
        If a file cannot be read.
    """
    files = pictures(folder)
    boxes = np.full((len(files), 4), np.nan)
    boxes[:1] = numbers(folder / "groundtruth.txt")[0]
    return Sequence(name, name, tuple(files), boxes, np.arange(len(files)) == 0)
