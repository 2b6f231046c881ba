"""What every data set is read into: clips of one target."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np


class Frames(Sequence):
    """Files of a video that are named by numbers; their paths are made when asked for, since a data set has millions.

    Parameters
    ----------
    folder : Path
    pattern : str
        A file's name, with ``{}`` or the like for its number.
    numbers : sequence of int
    """

    def __init__(self, folder: Path, pattern: str, numbers: Sequence[int]):
        self._folder, self._pattern, self._numbers = folder, pattern, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> Path:
        return self._folder / self._pattern.format(self._numbers[index])


@dataclass(frozen=True, eq=False)
class Clip:
    """One target in one video, or in one picture.

    Attributes
    ----------
    frames : sequence of Path
        N pictures in order; a still has one.
    boxes : ndarray, float64, (N, 4), or None
        x, y, w, h in pixels, 0-based; NaN where the target is absent. None: a picture without a box, of which any part may be the target.
    label : str or None
        What the target is.
    source : str
        The same for clips that may show the same object: those of one video, or of one picture.
    """

    frames: Sequence[Path]
    boxes: np.ndarray | None
    label: str | None
    source: str

    def usable(self, smallest: float) -> np.ndarray:
        """Indices, rising, of the frames whose target is there, and at least `smallest` pixels large in sqrt(w h)."""
        if self.boxes is None:
            return np.arange(len(self.frames))
        return np.flatnonzero(self.boxes[:, 2] * self.boxes[:, 3] >= smallest**2)  # false for NaN


@dataclass(frozen=True)
class Dataset:
    """A data set that has been indexed.

    Attributes
    ----------
    kind : str
        One of `distill.data.datasets.KINDS`.
    training, validation : list of Clip
        No source is in both.
    broken : list of Path
        Annotation files that could not be read; what they tell of is left out.
    """

    kind: str
    training: list[Clip]
    validation: list[Clip]
    broken: list[Path]
