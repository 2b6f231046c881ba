"""Real videos with true boxes, in folders like those of OTB."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trackers.errors import VideoError
from trackers.video import PICTURES, read_picture

# Number of the first annotated picture, where a folder begins before it.
FIRST_PICTURE = {"David": 300}


@dataclass(frozen=True, eq=False)
class Sequence:
    """One target of a video.

    Attributes
    ----------
    name : str
        That of the folder, and where it has several targets the number of this one: ``Jogging.2``.
    video : str
        Folder. What is measured on two targets of one video is not independent.
    files : tuple of Path
        N pictures in order.
    boxes : ndarray, float64, (N, 4)
        True x, y, w, h, 0-based; NaN where OTB's rules call the annotation invalid (a number that is not above zero). The first is valid.
    """

    name: str
    video: str
    files: tuple[Path, ...]
    boxes: np.ndarray

    def frames(self) -> Iterator[np.ndarray]:
        """The pictures, BGR uint8 (H, W, 3); VideoError where one cannot be read."""
        return map(read_picture, self.files)


def read_sequences(root: Path) -> list[Sequence]:
    """The targets in ``root/<video>/img/*.jpg`` with ``root/<video>/groundtruth_rect*.txt``, in the order of their names.

    Every line of the ground truth is a 1-based x, y, w, h between commas, tabs or spaces. Pictures behind the last line are left out; files
    without a line, too.

    Raises
    ------
    VideoError
        If there is none, or one is not what it should be.
    """
    found = []
    for path in sorted(root.glob("*/groundtruth_rect*.txt")):
        if text := path.read_text().strip():
            found.append(_read(path, text))
    if not found:
        raise VideoError(f"no sequence in {root}; looked for */groundtruth_rect*.txt beside img/")
    return found


def _read(path: Path, text: str) -> Sequence:
    lines = [re.split(r"[,\s]+", line.strip()) for line in text.splitlines() if line.strip()]
    try:
        boxes = np.array([[float(value) for value in line] for line in lines]).reshape(len(lines), 4)
    except ValueError:
        raise VideoError(f"{path}: every line must be four numbers, x,y,w,h") from None
    valid = (boxes > 0).all(axis=1)
    if not valid[0]:
        raise VideoError(f"{path}: no box in the first line")
    boxes = np.where(valid[:, None], boxes - (1, 1, 0, 0), np.nan)
    folder, number = path.parent, re.fullmatch(r"groundtruth_rect\.?(\d*)\.txt", path.name)
    files = sorted((file for file in folder.glob("img/*") if file.suffix.lower() in PICTURES), key=lambda file: (len(file.name), file.name))
    if len(files) > len(boxes) and folder.name in FIRST_PICTURE:
        files = [file for file in files if int(file.stem) >= FIRST_PICTURE[folder.name]]
    if len(files) < len(boxes):
        raise VideoError(f"{path} has {len(boxes)} boxes, {folder / 'img'} only {len(files)} pictures")
    name = f"{folder.name}.{number[1]}" if number and number[1] else folder.name
    return Sequence(name, folder.name, tuple(files[: len(boxes)]), boxes)
