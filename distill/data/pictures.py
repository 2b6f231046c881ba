"""Random crops of the pictures in a folder."""

import os
from pathlib import Path

import numpy as np

from distill.data.store import Store
from distill.errors import DistillationError
from trackers.opencv import cv2

SUFFIXES = (".jpg", ".png")
HELD_OUT = "validation.txt"

# Sides of the squares, in short sides of the picture, and how often each change is made.
SMALLEST, LARGEST = 0.35, 1.15
BLURRED, BRIGHTENED, GREYED = 0.15, 0.5, 0.15
BLUR_SIGMA = (0.5, 2.0)  # pixels of the crop
BRIGHTNESS = (0.6, 1.4)


class Pictures:
    """Pictures drawn at random.

    Parameters
    ----------
    files : sequence of Path
    store : Store or None
        Reads them; None: one of its own.

    Attributes
    ----------
    files : list of Path
    """

    def __init__(self, files, store: Store | None = None):
        self.files = list(files)
        self._store = store or Store()

    @property
    def broken(self) -> set[Path]:
        """Files that were drawn and could not be read; they are passed over when drawn again."""
        return self._store.broken

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """One picture, uint8, (height, width, 3), R, G, B.

        Raises
        ------
        DistillationError
            If none of the files can be read.
        """
        while len(self.broken) < len(self.files):
            picture = self._store.read(self.files[rng.integers(len(self.files))])
            if picture is not None:
                return picture
        raise DistillationError(f"none of the {len(self.files)} pictures can be read; the first is {self.files[0]}")

    def crops(self, count: int, side: int, rng: np.random.Generator) -> np.ndarray:
        """`count` random crops, changed at random: uint8, (count, 3, side, side), R, G, B."""
        crops = [vary(random_square(self.draw(rng), side, rng), rng) for _ in range(count)]
        return np.ascontiguousarray(np.stack(crops).transpose(0, 3, 1, 2))


def find(folder: str | os.PathLike) -> tuple[Pictures, Pictures]:
    """The pictures below a folder, for training and for validation.

    Parameters
    ----------
    folder : path
        Searched recursively for ``.jpg`` and ``.png``. The files and folders that its ``validation.txt`` names, one a line and
        relative to it, are held out for validation.

    Raises
    ------
    DistillationError
        If the folder or its ``validation.txt`` is missing, or one of the two sets is empty.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DistillationError(f"no folder of pictures at {folder}")
    if not (folder / HELD_OUT).is_file():
        raise DistillationError(f"{folder} has no {HELD_OUT}, which names the pictures held out for validation, one file or folder a line")
    held_out = {folder / line.strip() for line in (folder / HELD_OUT).read_text().splitlines() if line.strip()}
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    validation = [file for file in files if file in held_out or not held_out.isdisjoint(file.parents)]
    training = sorted(set(files).difference(validation))
    if not training or not validation:
        raise DistillationError(
            f"{folder} holds {len(training)} pictures ({', '.join(SUFFIXES)}) to train on and {len(validation)} named in {HELD_OUT}; "
            "at least one of each is needed"
        )
    return Pictures(training), Pictures(validation)


def random_square(picture: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """A random square of 0.35 to 1.15 short sides, resized.

    Parameters
    ----------
    picture : ndarray, uint8, (height, width, 3)
    side : int
        Pixels of the result.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, uint8, (side, side, 3)
        Where the square is larger than the picture, the border is replicated.
    """
    height, width = picture.shape[:2]
    square = max(round(rng.uniform(SMALLEST, LARGEST) * min(height, width)), 1)
    top, left = (int(rng.integers(min(0, size - square), max(0, size - square), endpoint=True)) for size in (height, width))
    bottom, right = top + square, left + square
    inside = picture[max(top, 0) : bottom, max(left, 0) : right]
    outside = max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0)
    inside = cv2.copyMakeBorder(inside, *outside, cv2.BORDER_REPLICATE)
    return cv2.resize(inside, (side, side), interpolation=cv2.INTER_AREA if square > side else cv2.INTER_LINEAR)


def vary(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Flip, blur, brighten or darken, and take the colour from a crop, uint8, (side, side, 3), each by chance."""
    if rng.random() < 0.5:
        crop = cv2.flip(crop, 1)
    if rng.random() < BLURRED:
        crop = cv2.GaussianBlur(crop, (0, 0), rng.uniform(*BLUR_SIGMA))
    if rng.random() < BRIGHTENED:
        crop = cv2.convertScaleAbs(crop, alpha=rng.uniform(*BRIGHTNESS))
    if rng.random() < GREYED:
        crop = cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return crop
