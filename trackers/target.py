"""What all targets have in common: where they are, and how a frame is followed."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trackers.confidence import KNOWN_FROM, Confidence, target_cells
from trackers.tracker import Box

SMALLEST_TARGET = 5  # pixels of the sample; the scale never falls below it


@dataclass(frozen=True)
class Detection:
    """Where a response says that a target is.

    Attributes
    ----------
    place : (float, float)
        Row and column of the centre of the sample.
    scale : float
        Of the sample: pixels of the picture per pixel of it.
    features : sequence of ndarray, float32, (C, n, m)
    sample : object
        What the filter makes of them.
    response : ndarray, (H, W)
    position : (float, float)
        Row and column of the target's centre.
    height : float
        Of the response's peak.
    """

    place: tuple[float, float]
    scale: float
    features: Sequence[np.ndarray]
    sample: Any
    response: np.ndarray
    position: tuple[float, float]
    height: float


class PlacedTarget(ABC):
    """A target with a place in the picture.

    Attributes
    ----------
    position : (float, float)
        Row and column of its centre.
    scale : float
        Pixels of the picture per pixel of the sample.
    """

    position: tuple[float, float]
    scale: float
    _base: tuple[float, float]  # height and width at scale one
    _shape: tuple[int, int]  # of the picture
    _sample_sides: tuple[float, float]  # height and width of a sample, in its pixels

    def __init__(self, image: np.ndarray):
        self._coloured = is_coloured(image)

    @abstractmethod
    def _detect(self, image: np.ndarray, position: tuple[float, float]) -> Detection:
        """Look for the target around a position."""

    @abstractmethod
    def _take(self, image: np.ndarray, found: Detection) -> None:
        """Go where the target was found, and learn it there."""

    def follow(self, image: np.ndarray) -> tuple[Box, float]:
        """Box in the next picture, and a score in [0, 1]: see `trackers.confidence`."""
        image = self._channels(image)
        found = self._detect(image, self.position)
        cells = self._cells(found.features, found.place, found.scale, found.position)
        score = self._confidence.score(found.response, cells)
        self._take(image, found)
        if score >= KNOWN_FROM:
            self._confidence.learn(cells)
        return self._box(), score

    def _cells(
        self, features: Sequence[np.ndarray], place: tuple[float, float], scale: float, position: tuple[float, float]
    ) -> list[np.ndarray]:
        """What each block of features around `place` shows of the target at `position`: see `target_cells`."""
        cut = []
        for block in features:
            cells = [n / side for n, side in zip(block.shape[1:], self._sample_sides, strict=True)]  # per pixel
            middle = ((n - 1) / 2 + (p - q) / scale * k for n, p, q, k in zip(block.shape[1:], position, place, cells, strict=True))
            cut.append(target_cells(block, tuple(middle), tuple(n * k for n, k in zip(self._base, cells, strict=True))))
        return cut

    def _know(self, features: Sequence[np.ndarray], place: tuple[float, float]) -> None:
        """Remember what the target looks like on the first frame, from features around `place`."""
        self._confidence = Confidence(self._cells(features, place, self.scale, self.position))

    def _channels(self, image: np.ndarray) -> np.ndarray:
        """The picture with the channels that the first one had: one of a grey sequence, else three."""
        return np.repeat(image, 3, axis=2) if self._coloured and image.shape[2] == 1 else image if self._coloured else image[:, :, :1]

    def _sides(self) -> tuple[float, float]:
        """Height and width of the target."""
        return tuple(n * self.scale for n in self._base)

    def _limited(self) -> tuple[float, float]:
        """The position, so that the box still touches the picture: a target that has left it comes back at its border."""
        return tuple(min(max(p, -n / 2), m - 1 + n / 2) for p, n, m in zip(self.position, self._sides(), self._shape, strict=True))

    def _box(self) -> Box:
        (row, column), (height, width) = self.position, self._sides()
        return column - (width - 1) / 2, row - (height - 1) / 2, width, height


def is_coloured(image: np.ndarray) -> bool:
    """Whether the channels of a picture (H, W, C) differ anywhere."""
    return image.shape[2] == 3 and bool(np.any(image[:, :, 0] != image[:, :, 1]) or np.any(image[:, :, 1] != image[:, :, 2]))
